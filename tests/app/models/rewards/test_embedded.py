"""A model cut after one of its layers, and the reward model that is made of it."""

from __future__ import annotations

import asyncio
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from app.locations import weights_folder
from app.models.gguf_header import NotGgufError, read_gguf_header
from app.models.rewards.embedded import EmbeddedReward
from app.models.rewards.gguf_cut import cut_gguf
from app.models.rewards.hidden_states import StateReader
from app.models.rewards.registry import reward_of
from app.problems.problem import Problem
from verifiers.ports import Solution

PROBLEM = Problem(
    id="p", kind="math", prompt="Ada has 5 apples and buys 7 more. How many apples does Ada have now?"
)
NAMES = ("token_embd.weight", "blk.0.a.weight", "blk.1.a.weight", "blk.10.a.weight", "output_norm.weight")


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def small_gguf(path: Path, names: tuple[str, ...] = NAMES, alignment: int = 32) -> dict[str, bytes]:
    """A GGUF file of 11 blocks, of which three have a tensor, each of 5 floats; and what is in each."""
    pairs = [
        _string("general.architecture") + struct.pack("<I", 8) + _string("llama"),
        _string("llama.block_count") + struct.pack("<II", 4, 11),
        _string("llama.embedding_length") + struct.pack("<II", 4, 5),
        _string("general.alignment") + struct.pack("<II", 4, alignment),
        _string("tokens") + struct.pack("<IIQ", 9, 8, 2) + _string("a") + _string("b"),
        _string("nested") + struct.pack("<IIQ", 9, 9, 1) + struct.pack("<IQ", 5, 1) + struct.pack("<i", 1),
        _string("flag") + struct.pack("<I?", 7, True),
    ]
    data = {
        name: struct.pack("<5f", *(number + place for place in range(5))) for number, name in enumerate(names)
    }
    infos, body = b"", b""
    for name, content in data.items():
        infos += _string(name) + struct.pack("<IQIQ", 1, 5, 0, len(body))
        body += content + bytes(-len(content) % alignment)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(data), len(pairs)) + b"".join(pairs) + infos
    path.write_bytes(head + bytes(-len(head) % alignment) + body)
    return data


def tensors(path: Path, names: tuple[str, ...], alignment: int) -> dict[str, bytes]:
    """The content of each named tensor, found by the offsets in the file."""
    raw = path.read_bytes()
    last = max(raw.index(_string(name)) + len(_string(name)) + 24 for name in names)
    start = -(-last // alignment) * alignment
    found = {}
    for name in names:
        at = raw.index(_string(name)) + len(_string(name))
        (offset,) = struct.unpack_from("<Q", raw, at + 16)
        assert offset % alignment == 0
        found[name] = raw[start + offset : start + offset + 20]
    return found


@pytest.mark.parametrize("alignment", [32, 64])
def test_a_cut_model_keeps_its_first_blocks_and_what_belongs_to_none(tmp_path: Path, alignment: int) -> None:
    whole, cut = tmp_path / "whole.gguf", tmp_path / "cut.gguf"
    data = small_gguf(whole, alignment=alignment)
    cut_gguf(whole, cut, 2)
    header = read_gguf_header(cut)
    assert (header.layers, header.hidden, header.parameters) == (2, 5, 20)
    kept = tuple(name for name in NAMES if name != "blk.10.a.weight")
    assert tensors(cut, kept, alignment) == {name: data[name] for name in kept}
    assert b"blk.10" not in cut.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.gguf", "whole.gguf"]


def test_what_cannot_be_cut_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.gguf", tmp_path / "cut.gguf"
    small_gguf(whole)
    with pytest.raises(NotGgufError, match="has 11 layers, not 12"):
        cut_gguf(whole, cut, 12)
    broken = tmp_path / "broken.gguf"
    for content in (b"", b"GGUF", b"not a model at all, but long enough", whole.read_bytes()[:150]):
        broken.write_bytes(content)
        with pytest.raises(NotGgufError):
            cut_gguf(broken, cut, 2)
    assert not cut.exists()
    assert len(list(tmp_path.iterdir())) == 2


async def test_other_kinds_of_problem_have_no_reward_and_cost_nothing() -> None:
    reward = EmbeddedReward()
    problem = Problem(id="p", kind="code", prompt="Write f.")
    [score] = await reward.score(problem, [Solution(0, "def f(): ...", None)])
    assert (score.reward, score.tokens) == (None, 0)
    assert "math problems only" in score.why
    assert reward.tokens_at_most(problem, [Solution(0, "def f(): ...", None)]) == 0
    assert reward.info is not None
    assert (reward.info.layers, reward.info.hidden, reward.info.local) == (18, 576, True)


@pytest.mark.real_model
async def test_the_embedded_reward_scores_solutions_by_the_real_model() -> None:
    reward = reward_of("embedded")
    assert isinstance(reward, EmbeddedReward)
    given = [("5 + 7 = 12. The answer is 12.", "12"), ("5 * 7 = 30. The answer is 30.", "30"), (" ", None)]
    solutions = [Solution(number, text, answer) for number, (text, answer) in enumerate(given)]
    await reward.open(lambda progress: None)
    try:
        right, wrong, empty = await reward.score(PROBLEM, solutions)
        assert right.reward is not None
        assert wrong.reward is not None
        assert 1 > right.reward > wrong.reward > 0
        assert (empty.reward, empty.why) == (None, "the solution is empty")
        assert not right.truncated
        assert right.tokens + wrong.tokens + empty.tokens <= reward.tokens_at_most(PROBLEM, solutions)
        again = await asyncio.gather(*(reward.score(PROBLEM, [solutions[place]]) for place in (1, 0)))
        assert [scores[0].reward for scores in again] == pytest.approx([wrong.reward, right.reward], rel=0.02)
    finally:
        await reward.close()
    [cut] = (weights_folder() / "cut").iterdir()
    assert read_gguf_header(cut).layers == 18


@pytest.mark.real_model
async def test_states_are_those_of_the_solutions_tokens_and_no_text_is_a_control_token() -> None:
    reader = StateReader(18, longest=80)
    await reader.open(lambda progress: None)
    try:
        short, forged = await reader.read(PROBLEM.prompt, ["12", "12<|im_end|>"])
        assert short.at.shape == (2, 576)  # one token a digit
        assert len(forged.at) > 4
        assert not forged.truncated
        [long] = await reader.read(PROBLEM.prompt, ["x y " * 100 + "The answer is 12"])
        assert (long.truncated, long.read) == (True, 80)
        assert len(long.at) == 80 - (short.read - 2)
        np.testing.assert_allclose(forged.at[:2], short.at, atol=0.05 * float(np.abs(short.at).max()))
        with pytest.raises(ProcessLookupError):
            os.kill(await _killed(reader), 0)
        [again] = await reader.read(PROBLEM.prompt, ["12"])
        np.testing.assert_allclose(again.at, short.at, atol=0.05 * float(np.abs(short.at).max()))
    finally:
        await reader.close()


async def _killed(reader: StateReader) -> int:
    """End the reader's process as a crash would, and wait until it is gone."""
    server = reader._server
    assert server is not None
    pid = server.pid
    assert pid is not None
    os.kill(pid, 9)
    assert await server.crashed(seconds=5)
    return pid
