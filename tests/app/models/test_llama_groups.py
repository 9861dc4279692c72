"""Samples that wait together are read together, and nobody asks for more than there is."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from app.models.base import BackendError, ChoiceDone, Delta, Piece, PromptRead, Settings
from app.models.llama_groups import Groups, Work

PROMPT = tuple(range(10))
WORK = Work(PROMPT, Settings(max_tokens=20), 20)


class Server:
    """Answers each choice with its seed, once ``gate`` lets it."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []
        self.held_cells = 0
        self.most_cells = 0
        self.cancelled = 0
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.fault: Exception | None = None

    async def send(self, work: Work, seed: int, choices: int) -> AsyncGenerator[Piece, None]:
        self.sent.append((seed, choices))
        self.asked.set()
        cells = len(work.tokens) + choices * work.most
        self.held_cells += cells
        self.most_cells = max(self.most_cells, self.held_cells)
        try:
            yield PromptRead(len(work.tokens))
            await self.gate.wait()
            if self.fault:
                raise self.fault
            for choice in range(choices):
                yield Delta(choice, f"seed {seed + choice}", 1)
                await asyncio.sleep(0)
                yield ChoiceDone(choice, "stop", 1)
        except GeneratorExit:
            self.cancelled += 1
            raise
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.held_cells -= cells


async def collect(groups: Groups, seed: int, choices: int, work: Work = WORK) -> list[Piece]:
    return [piece async for piece in groups.sample(work, seed, choices)]


async def test_single_requests_become_one_and_get_their_own_seeds() -> None:
    server = Server()
    groups = Groups(8, 10_000, server.send)
    got = await asyncio.gather(*(collect(groups, seed, 1) for seed in range(100, 108)))
    assert server.sent == [(100, 8)]
    texts = [piece.text for pieces in got for piece in pieces if isinstance(piece, Delta)]
    assert texts == [f"seed {seed}" for seed in range(100, 108)]


async def test_the_prompt_is_read_for_one_of_them_and_ready_for_the_others() -> None:
    groups = Groups(8, 10_000, Server().send)
    got = await asyncio.gather(*(collect(groups, seed, 2) for seed in (0, 2, 4)))
    assert sorted(piece.cached for pieces in got for piece in pieces if isinstance(piece, PromptRead)) == [
        0,
        10,
        10,
    ]


async def test_more_choices_than_slots_run_one_group_after_another() -> None:
    server = Server()
    groups = Groups(4, 10_000, server.send)
    pieces = await collect(groups, 7, 10)
    assert [piece.choice for piece in pieces if isinstance(piece, ChoiceDone)] == list(range(10))
    assert sum(isinstance(piece, PromptRead) for piece in pieces) == 1
    assert sum(choices for _, choices in server.sent) == 10
    assert max(choices for _, choices in server.sent) <= 4


async def test_cells_are_never_overdrawn() -> None:
    server = Server()
    groups = Groups(16, 75, server.send)  # room for the prompt and three samples
    await asyncio.gather(*(collect(groups, seed, 1) for seed in range(9)))
    assert server.most_cells <= 75
    assert sum(choices for _, choices in server.sent) == 9


async def test_unlike_prompts_and_broken_sequences_go_apart() -> None:
    server = Server()
    groups = Groups(8, 10_000, server.send)
    other = Work((1, 2), Settings(), 5)
    await asyncio.gather(
        collect(groups, 0, 1), collect(groups, 1, 1), collect(groups, 5, 1), collect(groups, 2, 1, other)
    )
    assert sorted(server.sent) == [(0, 2), (2, 1), (5, 1)]


async def test_a_group_stops_when_the_last_of_its_callers_is_gone() -> None:
    server = Server()
    server.gate.clear()
    groups = Groups(4, 10_000, server.send)
    first, second = (asyncio.create_task(collect(groups, seed, 1)) for seed in (0, 1))
    await server.asked.wait()
    first.cancel()
    await asyncio.sleep(0.05)
    assert server.cancelled == 0
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    await asyncio.sleep(0.05)
    assert server.cancelled == 1
    server.gate.set()
    assert await collect(groups, 9, 4)  # the slots are free again
    assert server.sent[-1] == (9, 4)


async def test_a_fault_reaches_every_caller_of_the_group() -> None:
    server = Server()
    server.fault = BackendError("crashed", "gone", retry=True)
    groups = Groups(4, 10_000, server.send)
    got = await asyncio.gather(*(collect(groups, seed, 1) for seed in (0, 1)), return_exceptions=True)
    assert [type(error) for error in got] == [BackendError, BackendError]
    server.fault = None
    assert len(await collect(groups, 2, 4)) == 9


async def test_closing_refuses_those_who_wait_and_those_who_run() -> None:
    server = Server()
    server.gate.clear()
    groups = Groups(2, 10_000, server.send)
    tasks = [asyncio.create_task(collect(groups, seed, 2)) for seed in (0, 2)]
    await server.asked.wait()
    await groups.close()
    for task in tasks:
        with pytest.raises(BackendError, match="closed"):
            await task
    assert server.cancelled == 1


async def test_a_new_group_waits_for_half_of_the_slots() -> None:
    server = Server()
    server.gate.clear()
    groups = Groups(4, 10_000, server.send)
    running = asyncio.create_task(collect(groups, 0, 3))
    await server.asked.wait()
    waiting = asyncio.create_task(collect(groups, 3, 1))
    await asyncio.sleep(0.1)
    assert server.sent == [(0, 3)]
    server.gate.set()
    await asyncio.gather(running, waiting)
    assert server.sent == [(0, 3), (3, 1)]


async def test_closing_one_caller_early_leaves_the_rest_whole() -> None:
    groups = Groups(4, 10_000, Server().send)

    async def first_piece(seed: int) -> Piece:
        async with aclosing(groups.sample(WORK, seed, 1)) as pieces:
            async for piece in pieces:
                return piece
        raise AssertionError("no piece came")

    one, rest = await asyncio.gather(first_piece(0), collect(groups, 1, 3))
    assert isinstance(one, PromptRead)
    assert sum(isinstance(piece, ChoiceDone) for piece in rest) == 3
