"""Verdicts that take running something: beside the sampling, each once, none lost."""

from __future__ import annotations

import asyncio

import pytest

from app.errors import PartMissing
from app.models.script_file import Header
from app.models.scripted import ScriptedBackend
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.checking import LiveChecks
from app.runs.engine import Engine
from app.runs.grading import Measured
from app.runs.launch import Launcher
from app.runs.state import RunState
from tests.app.runs.rigs import HEADER, ListStore, collect, plan
from verifiers.verdicts import Judgement

DOUBLE = Problem(
    id="double",
    kind="code",
    prompt="Write a Python function double(x).",
    entry_point="double",
    tests={"type": "python", "code": "def check(candidate):\n    assert candidate(2) == 4\n"},
)
GOOD = "```python\ndef double(x):\n    return 2 * x\n```"
BAD = "```python\ndef double(x):\n    return x\n```"


class SlowChecker:
    """Says yes to ``GOOD``, after a while."""

    def __init__(self, seconds: float = 0.0, fault: Exception | None = None) -> None:
        self.seconds, self.fault = seconds, fault
        self.asked: list[str] = []
        self.patience: float | None = None

    async def judge(self, problem: Problem, text: str, *, cut_off: bool) -> tuple[Judgement, Measured | None]:
        self.asked.append(text)
        await asyncio.sleep(self.seconds)
        if self.fault is not None:
            raise self.fault
        return Judgement("right" if text == GOOD else "wrong", "as it should be", "tests"), None


def engine_with(
    checker: SlowChecker, *, prior: RunState | None = None, store: ListStore | None = None
) -> Engine:
    launcher = Launcher(
        make=lambda _: ScriptedBackend([GOOD, BAD, GOOD, GOOD], HEADER), checker_for=lambda _: checker
    )
    return launcher.open_run(DOUBLE, plan(samples=12), run_id="r", prior=prior, store=store)


@pytest.mark.parametrize(("patience", "judged"), [(None, 0), (0.5, 3)])
async def test_a_checker_that_takes_long_is_waited_for_as_long_as_verdicts_come(
    patience: float | None, judged: int
) -> None:
    checker = SlowChecker(0.2)
    checker.patience = patience
    found: list[int] = []
    checks = LiveChecks(
        DOUBLE, checker, judged=lambda sample, _: found.append(sample), missing=lambda _: None
    )
    for sample in range(3):
        checks.submit(sample, f"reply {sample}", cut_off=False)
    await checks.finish(0.01)

    assert len(found) == judged


async def test_verdicts_come_while_sampling_goes_on_and_equal_replies_are_run_once() -> None:
    checker = SlowChecker(0.01)
    engine = engine_with(checker)
    await collect(engine)
    assert (engine.state.right, engine.state.wrong) == (9, 3)
    assert sorted(checker.asked) == sorted([GOOD, BAD])
    tally = engine.state.tallies["scripted"]
    assert (tally.n, tally.correct) == (12, 9)
    assert engine.state.status == "completed"


async def test_a_slow_checker_does_not_hold_up_the_samples() -> None:
    engine = engine_with(SlowChecker(0.3))
    order = [
        type(event) for event in await collect(engine) if isinstance(event, ev.SampleFinished | ev.Judged)
    ]
    assert order[:12] == [ev.SampleFinished] * 12
    assert engine.state.right == 9


async def test_a_machine_without_a_sandbox_says_so_once_and_samples_all_the_same() -> None:
    engine = engine_with(SlowChecker(fault=PartMissing("There is no sandbox.", "Install bubblewrap.")))
    await collect(engine)
    notices = [notice.text for notice in engine.state.notices]
    assert notices == ["Nothing is checked: There is no sandbox. Install bubblewrap."]
    assert engine.state.finished == 12
    assert not engine.state.verified


async def test_a_checker_that_breaks_leaves_its_sample_undecided() -> None:
    engine = engine_with(SlowChecker(fault=RuntimeError("worker gone")))
    await collect(engine)
    assert engine.state.undecided == 12
    assert engine.state.samples[0] is not None
    assert engine.state.samples[0].reason == "the checker failed: RuntimeError"


async def test_a_resumed_run_judges_what_was_left_unjudged() -> None:
    store = ListStore()
    await collect(engine_with(SlowChecker(), store=store))
    state = RunState()
    for event in store.events:
        if not isinstance(event, ev.Judged | ev.CoverageChanged):
            state.apply(event)
    assert not state.verified
    engine = engine_with(SlowChecker(), prior=state)
    await collect(engine)
    assert (engine.state.right, engine.state.wrong) == (9, 3)


async def test_tests_that_nothing_passes_are_doubted_once() -> None:
    launcher = Launcher(make=lambda _: ScriptedBackend([BAD], HEADER), checker_for=lambda _: SlowChecker())
    events = await collect(launcher.open_run(DOUBLE, plan(samples=12), run_id="r"))
    told = [event.text for event in events if isinstance(event, ev.Notice)]
    assert [text for text in told if "tests may be wrong" in text] == [
        "All 8 programs fail the tests, 8 of them alike (as it should be). The tests may be wrong."
    ]


async def test_only_code_with_tests_is_run() -> None:
    launcher = Launcher(make=lambda _: ScriptedBackend(["The answer is 4."], Header()))
    problem = Problem(id="m", kind="math", prompt="2 + 2?", tests=DOUBLE.tests)
    engine = launcher.open_run(problem, plan(samples=2), run_id="r")
    await collect(engine)
    assert not engine.state.verified
    await launcher.close()


async def test_the_real_sandbox_judges_a_live_run() -> None:
    from verifiers.sandbox import NoSandbox, Sandbox

    async with Sandbox(workers=1) as sandbox:
        try:
            await sandbox.probe()
        except NoSandbox as error:
            pytest.skip(f"no sandbox on this machine: {error.message}")
    launcher = Launcher(make=lambda _: ScriptedBackend([GOOD, BAD], HEADER))
    engine = launcher.open_run(DOUBLE, plan(samples=4), run_id="r")
    await collect(engine)
    await launcher.close()
    assert (engine.state.right, engine.state.wrong) == (2, 2)
    wrong = engine.state.samples[1]
    assert wrong is not None
    assert wrong.reason
    assert wrong.checker


async def test_a_stop_waits_for_pending_verdicts_and_a_second_one_does_not() -> None:
    engine = engine_with(SlowChecker(5.0))
    began = asyncio.get_running_loop().time()
    pending: list[int] = []

    async def stop_twice() -> None:
        engine.stop()
        await asyncio.sleep(0.1)
        pending.append(engine.verdicts_pending)
        engine.stop()

    hand: asyncio.Task[None] | None = None
    async for _ in engine.run():
        if hand is None and engine.state.finished == 12:
            hand = asyncio.create_task(stop_twice())
    assert pending == [12]
    assert asyncio.get_running_loop().time() - began < 4
    assert engine.state.status == "stopped"
    assert engine.state.phase == "ended"
    assert not engine.state.verified
    assert engine.verdicts_pending == 0


async def test_a_stop_keeps_the_verdicts_that_come_while_it_waits() -> None:
    engine = engine_with(SlowChecker(0.2))
    async for event in engine.run():
        if isinstance(event, ev.SampleFinished) and engine.state.finished == 12:
            engine.stop()
    assert (engine.state.right, engine.state.wrong) == (9, 3)
