"""What the run screen costs: one tick of each part, the whole screen under events, and key to paint.

    python tests/benchmarks/bench_tui.py [--rows 10000 100000] [--rate 1000] [--seconds 8]

Headless, so that the figures are the program's own: no terminal reads what is written. CPU is this process's
(``process_time``), engine included where events flow. Key to paint is from the key's arrival at the app to
the end of the first frame that shows the cursor's next row.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from textual.pilot import Pilot

from app.runs import events as ev
from app.tui.app import MonkeysApp
from app.tui.prompt_history import PromptHistory
from app.tui.screens.run import RunScreen
from budgets.amounts import Amounts, Budget
from tests.tui.fixtures.made_up import MadeUpRun, made_up
from tests.tui.shell_ports import Scripted

SIZE = (120, 40)
_HELD = Amounts(tokens=600, samples=1)
_TEXT = "In April Natalia sold 48 clips and in May half as many, so together 72."
_WORDS = tuple(_TEXT.split(" "))


class Flow(MadeUpRun):
    """A loaded run that goes on: ``rate`` events a second, most of them text of sixteen live samples."""

    def __init__(self, rows: int, rate: float) -> None:
        super().__init__(made_up(rows, end=None, deltas=0, budget=Budget(samples=10 * rows)))
        self.play()
        self.rate = rate
        self.sent = 0
        self._over = False

    async def run(self) -> AsyncGenerator[ev.Event, None]:
        if self.rate <= 0:
            await asyncio.sleep(3600)
        begun, flow = perf_counter(), self._flow()
        while not self._over:
            due = int((perf_counter() - begun) * self.rate) - self.sent
            for event in itertools.islice(flow, max(0, due)):
                self.state.apply(event)
                self.sent += 1
                yield event
            await asyncio.sleep(0.002)

    def end(self) -> None:
        self._over = True

    def _flow(self) -> Iterator[ev.Event]:
        """Sixteen samples in flight; each ends after 64 pieces of text."""
        live: list[tuple[int, int]] = []
        index = len(self.state.samples)
        for turn in itertools.count():
            if len(live) < 16:
                at = self.state.at + 0.001
                yield ev.CallStarted(
                    at=at, call=index, model="smollm2", samples=(index,), seed=index, held=_HELD
                )
                live.append((index, turn))
                index += 1
            place = turn % len(live)
            sample, since = live[place]
            at = self.state.at + 0.001
            if turn - since < 64 * 16:
                yield ev.TextDelta(at=at, sample=sample, text=_WORDS[turn % len(_WORDS)] + " ", tokens=1)
                continue
            del live[place]
            text = " ".join(_WORDS * 4)
            yield ev.SampleFinished(
                at=at, sample=sample, call=sample, model="smollm2", text=text, finish_reason="stop",
                prompt_tokens=61, completion_tokens=64, estimated=False, seconds=1.0, answer="72", group="72",
            )  # fmt: skip
            known = Amounts(tokens=64, samples=1)
            yield ev.Charged(
                at=at, call=sample, model="smollm2", sample=sample, known=known, at_most=known, released=_HELD
            )
            yield ev.Judged(at=at, sample=sample, verdict="right", reason="", checker="known answer")
            tally = self.state.tallies["smollm2"]
            yield ev.CoverageChanged(
                at=at, model="smollm2", n=tally.n + 1, correct=tally.correct + 1, undecided=tally.undecided,
                answers=tally.answers + 1, once=tally.once, distinct=tally.distinct,
            )  # fmt: skip


def opened(source: MadeUpRun) -> MonkeysApp:
    return MonkeysApp(Scripted().ports, recording=source, history=PromptHistory(None))


async def settled(pilot: Pilot[None]) -> RunScreen:
    await pilot.pause(1.0)
    screen = pilot.app.screen
    assert isinstance(screen, RunScreen)
    return screen


def milliseconds(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        begun = process_time()
        work()
        taken.append(1000 * (process_time() - begun))
    return statistics.median(taken)


async def parts(rows: int) -> None:
    """One tick of the list, of the chart and of everything, with 16 live samples each one piece longer."""
    source = Flow(rows, 0)
    async with opened(source).run_test(size=SIZE) as pilot:
        screen = await settled(pilot)
        flow = source._flow()

        def step(events: int) -> None:
            for event in itertools.islice(flow, events):
                source.state.apply(event)

        async def cost(work: Callable[[], object], events: int, times: int = 40) -> tuple[float, float]:
            taken, painted = [], []
            for _ in range(times):
                step(events)
                begun = process_time()
                work()
                taken.append(1000 * (process_time() - begun))
                screen._on_timer_update()
                painted.append(1000 * (process_time() - begun))
                await asyncio.sleep(0)
            return statistics.median(taken), statistics.median(painted)

        def reformat() -> None:
            screen.view._shown, screen.view._formatted = (), 0.0
            screen.view.pull()

        step(3000)
        print(f"{rows:,} rows; milliseconds of CPU for a tick: to compute, and with its frame")
        for name, work, events in (
            ("nothing changed, all panes", screen.pull, 0),
            ("rows, 100 events", screen.samples.pull, 100),
            ("open sample, as if it had changed", reformat, 100),
            ("panes, 333 events", screen.pull_panes, 333),
        ):
            computed, painted = await cost(work, events)
            print(f"  {name:<34} {computed:6.2f} {painted:6.2f}")


async def whole(rows: int, rate: float, seconds: float) -> None:
    """CPU of the process and key to paint, while events flow."""
    source = Flow(rows, rate)
    app = opened(source)
    async with app.run_test(size=SIZE) as pilot:
        screen = await settled(pilot)
        await asyncio.sleep(1)
        cpu, wall, sent = process_time(), perf_counter(), source.sent
        await asyncio.sleep(seconds)
        share = (process_time() - cpu) / (perf_counter() - wall)
        got = (source.sent - sent) / (perf_counter() - wall)
        waits = [await key_to_paint(pilot, screen, "j" if turn % 40 < 20 else "k") for turn in range(120)]
        waits.sort()
        p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
        print(
            f"{rows:,} rows, {got:,.0f} events/s: {share:.1%} of a core; "
            f"key to paint {p50:.1f} ms, p99 {p99:.1f} ms, worst {waits[-1]:.1f} ms"
        )
        source.end()


async def key_to_paint(pilot: Pilot[None], screen: RunScreen, key: str) -> float:
    """Milliseconds until a frame is out that was composed after the cursor had moved."""
    from textual import events

    painted = asyncio.Event()
    row = screen.samples._cursor_row
    wanted = pilot.app._display

    def display(*args: object, **named: object) -> None:
        wanted(*args, **named)  # type: ignore[arg-type]
        if screen.samples._cursor_row != row:
            painted.set()

    pilot.app._display = display  # type: ignore[method-assign]
    begun = perf_counter()
    pilot.app.post_message(events.Key(key, key))
    await asyncio.wait_for(painted.wait(), 5)
    took = 1000 * (perf_counter() - begun)
    pilot.app._display = wanted  # type: ignore[method-assign]
    await asyncio.sleep(0.03)
    return took


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--seconds", type=float, default=8)
    asked = parser.parse_args()
    for rows in asked.rows:
        await parts(rows)
        await whole(rows, asked.rate, asked.seconds)


if __name__ == "__main__":
    asyncio.run(main())
