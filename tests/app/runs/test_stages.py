"""Translating and scoring beside the sampling: what is told, what is paid, what goes wrong, and what a
resumed run does again."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal
from operator import itemgetter

import msgspec
import pytest

from app.errors import PartMissing
from app.models.base import BackendError, ModelInfo
from app.models.script_file import Fault, Header, Line
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.engine import Engine
from app.runs.journal import fold
from app.runs.state import RunState, Sample
from tests.app.runs.helping import (
    ADDS,
    LIAR,
    OTHER,
    RIGHT,
    RIGHT_TOO,
    SLIP,
    TIMES,
    LengthReward,
    LocalBox,
    helped,
)
from tests.app.runs.rigs import HurriedClock, ListStore, collect, scripted
from verifiers.candidates import Candidate
from verifiers.rules import RULES

FOUR = (RIGHT, SLIP, OTHER, RIGHT_TOO)
PROGRAMS = (ADDS, ADDS, TIMES, ADDS)
PAID = Header(price=(Decimal(1), Decimal(2)), parameters=1000, layers=2, hidden=8)


def sample(state: RunState, index: int) -> Sample:
    found = state.samples[index]
    assert found is not None
    return found


def statuses(state: RunState) -> list[str | None]:
    return [each.program_status for each in state.every_sample()]


# ---------------------------------------------------------------- programs


async def test_programs_are_written_run_and_compared_while_samples_come() -> None:
    engine = helped(FOUR, translator=PROGRAMS)
    events = await collect(engine)
    state = engine.state
    assert state.status == "completed"
    assert statuses(state) == ["agrees", "differs", "agrees", "agrees"]
    assert sample(state, 1).program_answer == "43"
    assert sample(state, 0).program == "print(17 + 26)\n"
    assert (state.filter.kept, state.filter.dropped) == (3, 1)
    assert state.filter.precision == pytest.approx(2 / 3)
    assert state.filter.recall == 1.0
    deltas = [event for event in events if isinstance(event, ev.TranslationDelta)]
    assert {event.sample for event in deltas} >= {0, 1, 2}
    assert isinstance(events[-1], ev.RunEnded)


async def test_equal_answers_by_equal_steps_are_translated_once() -> None:
    coder = scripted(*PROGRAMS, name="coder")
    engine = helped((RIGHT, RIGHT_TOO, RIGHT, RIGHT_TOO), translator=coder)
    await collect(engine)
    assert coder.requests == 1
    assert [each.shared_with for each in engine.state.every_sample()].count(None) == 1
    assert {each.program for each in engine.state.every_sample()} == {"print(17 + 26)\n"}


async def test_the_filter_falls_back_when_it_drops_everything_and_says_so() -> None:
    engine = helped((SLIP, SLIP, RIGHT), translator=(ADDS, ADDS, LIAR))
    await collect(engine)
    pick = engine.state.picks["cotnpot_vote"]
    assert pick.fallback
    assert (pick.answer, pick.kept, pick.dropped, pick.failed) == ("33", 0, 2, 1)


async def test_a_sample_without_an_answer_is_not_translated() -> None:
    coder = scripted(*PROGRAMS, name="coder")
    engine = helped(("I cannot say.", RIGHT), translator=coder)
    await collect(engine)
    assert statuses(engine.state) == ["not-run", "agrees"]
    assert coder.requests == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "wrote nothing"),
        ("Certainly! The solution adds the two numbers.", "no program"),
        (LIAR, "constant"),
        ("```python\nprint(17 / 0)\n```", "ZeroDivisionError"),
        ("```python\n" + "x = 17 + 26\n" * 300, "cut off"),
    ],
)
async def test_what_a_translator_does_wrong_is_the_samples_reason(reply: str, reason: str) -> None:
    engine = helped((SLIP,), translator=(Line(text=reply or " "),), max_tokens=64)
    await collect(engine)
    assert engine.state.status == "completed"
    assert sample(engine.state, 0).program_status == "failed"
    assert reason in sample(engine.state, 0).program_reason


async def test_the_translator_never_sees_the_answer() -> None:
    seen: list[str] = []

    class Spy(type(scripted())):  # type: ignore[misc]
        async def sample(self, request):  # type: ignore[no-untyped-def]
            seen.append("\n".join(message.content for message in request.prompt.messages))
            async for piece in super().sample(request):
                yield piece

    coder = Spy((ADDS,), Header(concurrency=2), name="coder", tick=0.001)
    await collect(helped((RIGHT,), translator=coder))
    assert len(seen) == 1
    assert "17 + 26" in seen[0]
    assert "43" not in seen[0]


async def test_a_translator_that_keeps_failing_is_asked_no_more_and_the_run_goes_on() -> None:
    texts = [f"17 + 26 + {n} makes {43 + n}. The answer is {43 + n}." for n in range(6)]
    fault = Fault(kind="auth", message="The key is wrong.", retry=False)
    engine = helped(texts, translator=[Line(text=ADDS, error=fault)] * 6)
    await collect(engine)
    state = engine.state
    assert (state.status, state.finished) == ("completed", 6)
    assert [status for status in statuses(state) if status] == ["not-run"] * 2
    assert any("No more programs are written" in notice.text for notice in state.notices)
    assert "cotnpot_vote" not in state.picks


async def test_a_fault_that_passes_is_tried_again_and_paid_once() -> None:
    fault = Fault(kind="server", message="busy", retry=True, times=2)
    coder = scripted(Line(text=ADDS, error=fault), name="coder")
    engine = helped((RIGHT,), translator=coder, clock=HurriedClock())
    await collect(engine)
    assert statuses(engine.state) == ["agrees"]
    assert coder.requests == 3


async def test_without_a_sandbox_nothing_is_translated_and_the_run_says_why() -> None:
    class NoBox(LocalBox):
        async def run(self, program: str, *, seconds: float) -> object:  # type: ignore[override]
            raise PartMissing("No sandbox works on this machine.", "Install bubblewrap.")

    engine = helped(FOUR, translator=PROGRAMS, box=NoBox())
    await collect(engine)
    assert engine.state.status == "completed"
    assert statuses(engine.state) == [None] * 4
    assert any("Install bubblewrap" in notice.text for notice in engine.state.notices)


async def test_code_is_described_by_its_own_model_and_scored_with_the_words() -> None:
    problem = Problem(id="f", kind="code", prompt="Write f.", entry_point="f")
    texts = ("```python\ndef f(): return 1\n```",)
    reward = LengthReward()
    engine = helped(texts, translator=("It returns one.",), reward=reward, problem=problem, max_tokens=200)
    await collect(engine)
    described = sample(engine.state, 0)
    assert described.program_status == "not-run"
    assert "def f" in reward.texts[0]
    assert reward.texts[0].endswith(described.program)


# ---------------------------------------------------------------- rewards


async def test_rewards_come_in_batches_and_every_rule_picks() -> None:
    reward = LengthReward(of=lambda text: 2.0 if "442" in text else -1.0)
    engine = helped(FOUR, translator=PROGRAMS, reward=reward)
    await collect(engine)
    picks = engine.state.picks
    assert set(picks) == {
        "majority",
        "reward",
        "reward_weighted",
        "cotnpot",
        "cotnpot_vote",
        "cotnpot_weighted",
        "first_verified",
    }
    assert (picks["reward"].answer, picks["reward"].sample, picks["reward"].score) == ("442", 2, 2.0)
    assert picks["cotnpot_vote"].answer == "43"
    assert picks["first_verified"].answer == "43"
    assert [each.reward for each in engine.state.every_sample()] == [-1.0, -1.0, 2.0, -1.0]
    assert reward.opened == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
async def test_a_reward_that_is_no_number_has_a_reason(value: float | None) -> None:
    engine = helped((RIGHT, SLIP), reward=LengthReward(of=lambda text: value))
    await collect(engine)
    assert all(each.reward is None for each in engine.state.every_sample())
    assert all(each.reward_model == "length" for each in engine.state.every_sample())
    assert engine.state.status == "completed"


async def test_a_server_that_gives_too_few_rewards_is_given_up_with_a_notice() -> None:
    reward = LengthReward()
    reward.drop = 1
    engine = helped(FOUR, reward=reward, clock=HurriedClock())
    await collect(engine)
    assert len(reward.asked) >= 3
    assert engine.state.status == "completed"
    assert any("No more rewards are given: length failed" in note.text for note in engine.state.notices)


async def test_a_reward_model_that_fails_for_a_while_is_asked_again() -> None:
    reward = LengthReward()
    reward.fault, reward.faults = BackendError("server", "busy", retry=True), 2
    engine = helped(FOUR, reward=reward, clock=HurriedClock())
    await collect(engine)
    assert engine.state.rewarded == 4


async def test_a_reward_model_that_cannot_be_had_leaves_the_other_rules() -> None:
    class Missing(LengthReward):
        async def open(self, report: object) -> None:
            raise PartMissing("The weights are not here.", "Run: monkeys models pull length")

    engine = helped(FOUR, translator=PROGRAMS, reward=Missing())
    await collect(engine)
    assert engine.state.status == "completed"
    assert engine.state.picks["cotnpot_vote"].answer == "43"
    assert "reward" not in engine.state.picks
    assert any("monkeys models pull length" in notice.text for notice in engine.state.notices)


async def test_too_long_solutions_are_told_once() -> None:
    reward = LengthReward()
    reward.truncated = True
    engine = helped(FOUR, reward=reward)
    await collect(engine)
    assert sum("without their beginning" in notice.text for notice in engine.state.notices) == 1
    assert all(each.reward_truncated for each in engine.state.every_sample())


# ---------------------------------------------------------------- what it costs

SERVER = ModelInfo(
    name="rm", kind="vllm", local=True, stops_when_told=True, parameters=1000, layers=2, hidden=8
)


async def test_every_helpers_call_is_reserved_charged_and_told_apart() -> None:
    store = ListStore()
    coder = scripted(*PROGRAMS, header=PAID, name="coder")
    engine = helped(FOUR, translator=coder, reward=LengthReward(info=SERVER), store=store, header=PAID)
    await collect(engine)
    spent = engine.state.books_by_purpose
    for purpose in ("samples", "translation"):
        assert (spent[purpose].known.usd or 0) > 0
    assert spent["reward"].known.tokens == 40 - 10 * (4 - len(set(FOUR)))
    total = [spent[purpose].known for purpose in ("samples", "time", "translation", "reward")]
    assert sum(part.tokens for part in total) == engine.state.books.known.tokens
    assert engine.state.books.held.tokens == 0
    assert fold(store.events).books_by_purpose["translation"].known == spent["translation"].known
    opened = [e for e in store.events if isinstance(e, ev.CallStarted) and e.purpose == "translation"]
    closed = [e for e in store.events if isinstance(e, ev.Charged) and e.purpose == "translation"]
    assert [e.call for e in opened]
    assert {e.call for e in opened} == {e.call for e in closed}


@pytest.mark.parametrize("tokens", [300, 700, 1_500, 4_000])
async def test_no_cap_is_ever_passed_with_helpers(tokens: int) -> None:
    texts = [f"17 + 26 + {n} makes {43 + n}. The answer is {43 + n}." for n in range(40)]
    engine = helped(
        texts, translator=[ADDS] * 40, samples=None, tokens=tokens, reward=LengthReward(info=SERVER)
    )
    highest = 0
    async for _ in engine.run():
        books = engine.state.books
        highest = max(highest, (books.at_most + books.held).tokens)
    assert highest <= tokens
    assert engine.state.status == "budget"


async def test_sampling_leaves_translations_their_share() -> None:
    texts = [f"17 + 26 + {n} makes {43 + n}. The answer is {43 + n}." for n in range(200)]
    engine = helped(texts, translator=[ADDS] * 200, samples=None, tokens=20_000)
    await collect(engine)
    state = engine.state
    assert state.finished > 50
    share = state.books_by_purpose["translation"].at_most.tokens / 20_000
    assert 0.3 < share <= 0.5
    assert any("its share of the budget, 50%" in notice.text for notice in state.notices)


async def test_a_share_of_nothing_buys_no_program_and_says_so() -> None:
    from tests.app.runs.rigs import plan

    the_plan = msgspec.structs.replace(plan(tokens=20_000, samples=4), translation_share=0.0)
    engine = helped(FOUR, translator=PROGRAMS, the_plan=the_plan)
    await collect(engine)
    assert engine.state.finished == 4
    assert statuses(engine.state) == [None] * 4
    assert any("its share of the budget, 0%" in notice.text for notice in engine.state.notices)


# ---------------------------------------------------------------- stopping, pausing, going on


async def test_a_stop_cancels_translations_and_charges_what_came() -> None:
    slow = scripted("```python\n" + "x = 17 + 26\n" * 2000, name="coder", tick=0.02)
    store = ListStore()
    engine = helped((RIGHT,), translator=slow, store=store, max_tokens=64)
    async for event in engine.run():
        if isinstance(event, ev.TranslationDelta):
            engine.stop()
    state = engine.state
    assert state.status == "stopped"
    assert statuses(state) == [None]
    assert state.books.held.tokens == 0
    assert state.books_by_purpose["translation"].known.tokens > 0


async def test_a_resumed_run_redoes_only_what_is_missing() -> None:
    store = ListStore()
    first = helped(FOUR, translator=PROGRAMS, reward=LengthReward(), store=store)
    await collect(first)
    kept = [
        event
        for event in store.events
        if not isinstance(event, ev.RunEnded)
        and not (isinstance(event, ev.PickChanged) and event.rule != "majority")
        and not (isinstance(event, ev.ProgramChecked | ev.Rewarded) and event.sample == 2)
    ]
    coder, reward = scripted(*PROGRAMS, name="coder"), LengthReward()
    again = helped(FOUR, translator=coder, reward=reward, prior=fold(kept))
    await collect(again)
    assert coder.requests == 1
    assert reward.asked == [[2]]
    assert statuses(again.state) == ["agrees", "differs", "agrees", "agrees"]
    for rule, pick in first.state.picks.items():
        assert again.state.picks[rule].answer == pick.answer, rule


async def test_a_finished_run_can_be_given_a_translator_and_a_reward_later() -> None:
    store = ListStore()
    first = helped(FOUR, store=store)
    await collect(first)
    later = helped(FOUR, translator=PROGRAMS, reward=LengthReward(), prior=fold(store.events), store=store)
    await collect(later)
    assert later.state.status == "completed"
    assert later.state.finished == 4
    assert "cotnpot" in later.state.picks
    plan = fold(store.events).plan
    assert plan is not None
    assert (plan.translator, plan.reward) == ("coder", "length")


async def test_a_call_that_was_in_the_air_when_the_program_died_is_spent_at_most() -> None:
    store = ListStore()
    await collect(helped(FOUR, translator=PROGRAMS, store=store))
    opened = next(e for e in store.events if isinstance(e, ev.CallStarted) and e.purpose == "translation")
    cut = store.events[: store.events.index(opened) + 1]
    prior = fold(cut)
    assert prior.books_by_purpose["translation"].held == opened.held
    again = helped(FOUR, translator=PROGRAMS, prior=prior)
    await collect(again)
    spent = again.state.books_by_purpose["translation"]
    assert spent.at_most.tokens - spent.known.tokens == opened.held.tokens
    assert again.state.books.held.tokens == 0
    assert again.state.status == "completed"


async def test_a_pause_starts_no_new_translation() -> None:
    coder = scripted(*PROGRAMS, name="coder")
    engine = helped(FOUR, translator=coder)

    async def watch(engine: Engine) -> None:
        async for event in engine.run():
            if isinstance(event, ev.SampleFinished) and event.sample == 0:
                engine.pause()

    running = asyncio.create_task(watch(engine))
    await asyncio.sleep(0.3)
    asked = coder.requests
    await asyncio.sleep(0.2)
    assert coder.requests == asked
    engine.resume()
    await running
    assert statuses(engine.state) == ["agrees", "differs", "agrees", "agrees"]


async def test_a_translator_that_also_samples_leaves_most_places_to_sampling() -> None:
    """One model under both names: its places are shared, and every sample gets its program."""
    from app.runs.hiring import Hiring
    from app.runs.launch import Launcher
    from tests.app.runs.rigs import SUM, plan

    both = scripted(RIGHT, SLIP, OTHER, RIGHT_TOO, header=Header(concurrency=8))
    launcher = Launcher(make=lambda name: both)
    launcher._hiring = Hiring(launcher.connection, None, LocalBox)
    the_plan = msgspec.structs.replace(plan("scripted", samples=40), translator="scripted")
    engine = launcher.open_run(SUM, the_plan, run_id="r1")
    await collect(engine)
    assert engine.state.finished == 40
    assert all(status is not None for status in statuses(engine.state))
    assert both.most_open <= 8


async def test_the_picks_of_a_run_are_those_of_the_rules_over_all_its_samples() -> None:
    """However programs and rewards came in: rules look at samples in the order in which these were ready."""
    chance = random.Random(7)
    texts = [f"17 + {n} makes {17 + n}. The answer is {17 + n}." for n in chance.choices(range(4, 12), k=60)]
    programs = [
        chance.choice((ADDS, LIAR, f"```python\nprint(17 + {chance.randrange(4, 12)})\n```")) for _ in texts
    ]
    reward = LengthReward(of=lambda text: random.Random(text).uniform(-1, 1), batch=3)
    engine = helped(texts, translator=programs, reward=reward)
    await collect(engine)
    state = engine.state
    when = {"rewards": "rewarded", "programs": "checked", "verdicts": "judged"}
    for rule in RULES:
        if not rule.needs:
            continue
        places = [
            (max(getattr(each, when[need]) for need in rule.needs), each) for each in state.every_sample()
        ]
        ready = [each for _, each in sorted(places, key=itemgetter(0))]
        seen = [
            Candidate(each.index, each.answer, each.group, each.reward, each.program_status, each.verdict)
            for each in ready
        ]
        expected, told = rule.pick(seen), state.picks[rule.name]
        assert expected is not None
        assert (told.answer, told.sample, told.support) == (
            expected.answer,
            expected.sample,
            expected.support,
        )
        assert told.share == pytest.approx(expected.share)


async def test_a_stopped_run_that_goes_on_tells_no_program_and_no_reward_twice() -> None:
    store = ListStore()
    coder = scripted(*PROGRAMS, name="coder", tick=0.05)
    engine = helped(FOUR, translator=coder, reward=LengthReward(), store=store)
    async for event in engine.run():
        if isinstance(event, ev.SampleFinished):
            engine.stop()
    engine.more(4)
    await collect(engine)
    assert engine.state.status == "completed"
    for kind in (ev.ProgramChecked, ev.Rewarded):
        told = [event.sample for event in store.events if isinstance(event, kind)]
        assert sorted(told) == sorted(set(told)), kind
    finished = [each for each in engine.state.every_sample() if each.status == "finished"]
    assert all(each.program_status is not None for each in finished)
    assert all(each.reward is not None for each in finished)


async def test_raising_the_budget_does_not_wait_for_a_helper_that_cannot_be_had() -> None:
    class Missing(LengthReward):
        async def open(self, report: object) -> None:
            raise PartMissing("The weights are not here.", "Run: monkeys models pull length")

    engine = helped((RIGHT,) * 8, reward=Missing())
    async for event in engine.run():
        if isinstance(event, ev.SampleFinished) and event.sample == 2:
            engine.set_budget(engine.state.budget.raised(samples=12))
    assert (engine.state.status, engine.state.finished) == ("completed", 12)


async def test_a_reward_server_that_refuses_owes_nothing() -> None:
    reward = LengthReward(info=SERVER)
    reward.fault, reward.faults = BackendError("refused", "nobody there", retry=False), 9
    engine = helped(FOUR, reward=reward)
    await collect(engine)
    assert engine.state.books_by_purpose["reward"].at_most.tokens == 0
    assert engine.state.status == "completed"
