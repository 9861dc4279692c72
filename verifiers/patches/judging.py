"""What a run of the test command shows about a change, held against the run without it. Pure: two results in,
one judgement out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from verifiers.patches.outcomes import PASSES, Outcomes
from verifiers.safe_text import clean, one_line
from verifiers.sandbox import CommandLimits, CommandResult
from verifiers.verdicts import Judgement, Verdict

CHECKER: Final = "test command"
_REASON_CHARACTERS: Final = 400
_UNUSABLE: Final = {126: "cannot be run", 127: "is not found here"}
_PYTEST_UNUSABLE: Final = {
    3: "failed inside pytest",
    4: "finds no such tests, or pytest does not know its options",
    5: "finds no tests",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The command, and the tests that decide where the problem lists any."""

    command: str
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]


@dataclass(slots=True)
class Tried:
    """One run of the command."""

    result: CommandResult
    outcomes: Outcomes


@dataclass(slots=True)
class Before:
    """What the command says without any change; ``fault`` is why that makes every verdict undecided."""

    fault: str | None = None
    plugin: bool = True
    reported: bool = False
    passing: frozenset[str] = field(default_factory=frozenset)


def useless(tried: Tried, rules: Rules, missing: tuple[str, ...]) -> str | None:
    """Why the command cannot tell a good change from none."""
    result, outcomes = tried.result, tried.outcomes
    line = one_line(rules.command, 60)
    if result.status == "exited" and result.exit_code in _UNUSABLE:
        names = f" ({', '.join(missing)})" if missing else ""
        return f"the test command “{line}” {_UNUSABLE[result.exit_code]}{names}"
    if outcomes.runner == "pytest" and result.exit_code in _PYTEST_UNUSABLE and not outcomes.tests:
        return f"the test command “{line}” {_PYTEST_UNUSABLE[result.exit_code]}"
    if rules.fail_to_pass:
        if all(outcomes.of(name) == "passed" for name in rules.fail_to_pass):
            return "the tests that should fail at first pass without any change, so they show nothing"
    elif result.status == "exited" and result.exit_code == 0:
        return "the tests pass without any change, so they show nothing"
    return None


def judged(tried: Tried, before: Before, rules: Rules, limits: CommandLimits) -> Judgement:
    """The verdict on a run with the change made, held against the run without it."""
    result, outcomes = tried.result, tried.outcomes
    stopped = _stopped(result, limits)
    if stopped is not None:
        return judgement("wrong", stopped)
    if before.reported and not outcomes.reported:
        return judgement("wrong", "pytest no longer runs: the tests never started")
    if not outcomes.complete:
        return judgement("wrong", "the test run was ended before its end, by the patched code itself")
    listed = (*rules.fail_to_pass, *rules.pass_to_pass)
    if listed:
        return _by_lists(listed, outcomes)
    failed = [name for name, one in outcomes.tests.items() if one in ("failed", "error")]
    if failed:
        return judgement("wrong", _failures(failed, outcomes, before))
    if result.exit_code != 0:
        return judgement("wrong", f"the test command ends with status {result.exit_code}{_last(result)}")
    if outcomes.runner == "unknown":
        return judgement("right", "the test command succeeds, and failed before (it names no tests)")
    if not outcomes.passed:
        return judgement("wrong", "no test passes: they were skipped or are gone")
    passing = {name for name, one in outcomes.tests.items() if one == "passed"}
    if outcomes.tests and not passing - before.passing:
        return judgement("wrong", "no test passes that did not before")
    gone = {name for name in before.passing - outcomes.tests.keys() if "[" not in name}
    if gone and outcomes.reported:
        return judgement("wrong", f"{one_line(min(gone), 120)} passed before and does not run any more")
    how = "" if outcomes.reported else f", as {outcomes.runner} printed"
    count = f"{outcomes.passed} {'test passes' if outcomes.passed == 1 else 'tests pass'}"
    return judgement("right", f"{count}{how}, and the command failed before")


def _by_lists(listed: tuple[str, ...], outcomes: Outcomes) -> Judgement:
    """SWE-bench's rule: every listed test passes."""
    if outcomes.runner == "unknown":
        return judgement("undecided", "the output names no tests, so the listed ones cannot be looked up")
    bad = [name for name in listed if outcomes.of(name) not in PASSES]
    if not bad:
        how = "" if outcomes.reported else f", as {outcomes.runner} printed"
        return judgement("right", f"all {len(listed)} listed tests pass{how}")
    said = outcomes.of(bad[0])
    first = f"{one_line(bad[0], 120)} {'is not run' if said is None else f'{said}'}"
    return judgement("wrong", f"{first}{_why(bad[0], outcomes)}{_more(bad)}")


def _failures(failed: list[str], outcomes: Outcomes, before: Before) -> str:
    broken = [name for name in failed if name in before.passing]
    first = (broken or failed)[0]
    note = ", which passed before" if broken else ""
    return f"{one_line(first, 120)} fails{note}{_why(first, outcomes)}{_more(failed)}"


def _why(name: str, outcomes: Outcomes) -> str:
    said = one_line(outcomes.why.get(name, ""), 160)
    return f": {said}" if said else ""


def _more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""


def _last(result: CommandResult) -> str:
    lines = [line for line in result.output_text.splitlines() if line.strip()]
    return f": {one_line(lines[-1], 160)}" if lines else ""


def _stopped(result: CommandResult, limits: CommandLimits) -> str | None:
    """At which limit the command was stopped."""
    reasons = {
        "time": f"the test command ran out of its {limits.seconds:g} s",
        "output": f"the test command printed more than {limits.output_bytes >> 20} MB",
        "memory": f"the test command ran out of its {limits.memory_mb} MB",
        "processes": f"the test command started more than {limits.processes} processes",
    }
    return reasons.get(result.status)


def judgement(verdict: Verdict, reason: str) -> Judgement:
    line = " ".join(clean(reason).split())
    return Judgement(
        verdict, line if len(line) <= _REASON_CHARACTERS else f"{line[:_REASON_CHARACTERS]} …", CHECKER
    )
