"""What the tests of a run came to: each test's outcome, read from our plugin's report where pytest ran, and
otherwise from what the runner printed.

Text that a run printed proves little, because the patched code can print it too. It is read all the same for
runners that have no other way, and ``reported`` says which of the two it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

TestOutcome: TypeAlias = Literal["passed", "failed", "error", "skipped", "xfailed", "xpassed"]
Runner: TypeAlias = Literal["pytest", "unittest", "go", "cargo", "unknown"]

_OUTCOMES: Final[dict[str, TestOutcome]] = {
    "passed": "passed", "failed": "failed", "error": "error", "skipped": "skipped", "xfailed": "xfailed",
    "xpassed": "xpassed", "xfail": "xfailed", "xpass": "xpassed", "ok": "passed", "fail": "failed",
}  # fmt: skip
_PYTEST_LINE: Final = re.compile(
    r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)[ ]+(?:\[\d+\] )?(\S.*?)(?: - .*)?$", re.MULTILINE
)
_PYTEST_COUNTS: Final = re.compile(
    r"^(?:=+ )?((?:\d+ (?:failed|passed|skipped|deselected|xfailed|xpassed|warnings?|errors?|rerun),? ?)+)"
    r" in [\d.]+s",
    re.MULTILINE,
)
_UNITTEST_LINE: Final = re.compile(
    r"^(\w+) \(([\w.]+)\)(?:\n[^\n]{0,500}?)?(?: \.\.\. |\.\.\. )[^\n]{0,500}?\b"
    r"(ok|FAIL|ERROR|skipped|expected failure|unexpected success)\b",
    re.MULTILINE,
)
_UNITTEST_FAULT: Final = re.compile(r"^(FAIL|ERROR): (\w+) \(([\w.]+)\)", re.MULTILINE)
_UNITTEST_RAN: Final = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
_UNITTEST_END: Final = re.compile(r"^(OK|FAILED)(?: \((.*)\))?\s*$", re.MULTILINE)
_GO_LINE: Final = re.compile(r"^\s*--- (PASS|FAIL|SKIP): (\S+)", re.MULTILINE)
_GO_PACKAGE: Final = re.compile(r"^(ok|FAIL)\s+\S+\s+(?:[\d.]+s|\(cached\)|\[)", re.MULTILINE)
_CARGO_LINE: Final = re.compile(r"^test (\S+) \.\.\. (ok|FAILED|ignored)", re.MULTILINE)
_LONGEST_READ: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Outcomes:
    """``tests`` are the outcomes by name; ``passed`` counts the passed where only a number is known, too.
    ``complete`` is whether the runner came to its own end. ``why`` are first lines of failures by test."""

    runner: Runner
    reported: bool
    complete: bool
    tests: Mapping[str, TestOutcome] = field(default_factory=dict)
    passed: int = 0
    why: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> TestOutcome | None:
        """The outcome of a test as a list may name it: whole, cut at its first space as the lists of
        SWE-bench are, or with the method once more as newer unittest writes it."""
        if name in self.tests:
            return self.tests[name]
        plain = _unittest_name(name)
        cut = [outcome for known, outcome in self.tests.items() if known.split(" ")[0] == name]
        if cut:
            return next((one for one in cut if one not in PASSES), cut[0])
        return self.tests.get(plain)


PASSES: Final = frozenset(("passed", "xfailed"))
"""Outcomes that a list of tests to pass accepts."""


def read_outcomes(output: str, report: bytes, word: str) -> Outcomes:
    """``report`` is what came on our own channel, lines beginning with ``word``; ``output`` all that was
    printed. Linear in both."""
    reported = _from_report(report, word)
    if reported is not None:
        return reported
    text = output[-_LONGEST_READ:]
    for read in (_from_pytest, _from_unittest, _from_go, _from_cargo):
        found = read(text)
        if found is not None:
            return found
    return Outcomes("unknown", reported=False, complete=True)


def _from_report(report: bytes, word: str) -> Outcomes | None:
    tests: dict[str, TestOutcome] = {}
    why: dict[str, str] = {}
    started = finished = False
    for line in report.decode("utf-8", "replace").splitlines():
        if not line.startswith(word):
            continue
        try:
            event = json.loads(line[len(word) :])
        except ValueError:
            continue
        if not isinstance(event, dict):
            continue
        started |= event.get("event") == "start"
        finished |= event.get("event") == "finish"
        outcome = _OUTCOMES.get(str(event.get("outcome")))
        if event.get("event") == "test" and outcome is not None:
            name = str(event.get("name"))
            tests[name] = outcome
            if event.get("why"):
                why[name] = str(event["why"])
    if not started:
        return None
    passed = sum(outcome == "passed" for outcome in tests.values())
    return Outcomes("pytest", reported=True, complete=finished, tests=tests, passed=passed, why=why)


def _from_pytest(text: str) -> Outcomes | None:
    counts = _PYTEST_COUNTS.findall(text)
    tests = {
        name.split(" ", 1)[0] if "[" not in name else name: _OUTCOMES[outcome.lower()]
        for outcome, name in _PYTEST_LINE.findall(text)
        if "::" in name or name.endswith(".py")
    }
    if not counts and not tests:
        return None
    numbers = re.search(r"(\d+) passed", counts[-1]) if counts else None
    listed = sum(outcome == "passed" for outcome in tests.values())
    passed = int(numbers[1]) if numbers else listed
    return Outcomes("pytest", reported=False, complete=bool(counts), tests=tests, passed=passed)


def _from_unittest(text: str) -> Outcomes | None:
    ran = _UNITTEST_RAN.findall(text)
    if not ran:
        return None
    tests: dict[str, TestOutcome] = {}
    for method, place, said in _UNITTEST_LINE.findall(text):
        outcome = {"expected failure": "xfailed", "unexpected success": "xpassed"}.get(said, said.lower())
        tests[_unittest_name(f"{method} ({place})")] = _OUTCOMES[outcome]
    faults = _UNITTEST_FAULT.findall(text)
    for said, method, place in faults:
        tests[_unittest_name(f"{method} ({place})")] = _OUTCOMES[said.lower()]
    ends = _UNITTEST_END.findall(text)
    skipped = sum(int(number) for number in re.findall(r"skipped=(\d+)", ends[-1][1])) if ends else 0
    passed = max(0, sum(map(int, ran)) - len(faults) - skipped)
    return Outcomes("unittest", reported=False, complete=bool(ends), tests=tests, passed=passed)


def _unittest_name(name: str) -> str:
    """``test_a (m.T.test_a)``, as Python 3.11 and later write it, as ``test_a (m.T)``."""
    method, _, place = name.partition(" (")
    return f"{method} ({place.removesuffix(')').removesuffix(f'.{method}')})" if place else name


def _from_go(text: str) -> Outcomes | None:
    packages = _GO_PACKAGE.findall(text)
    if not packages:
        return None
    words: dict[str, TestOutcome] = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}
    tests = {name: words[said] for said, name in _GO_LINE.findall(text)}
    passed = sum(one == "passed" for one in tests.values()) or sum(said == "ok" for said in packages)
    return Outcomes("go", reported=False, complete=True, tests=tests, passed=passed)


def _from_cargo(text: str) -> Outcomes | None:
    words: dict[str, TestOutcome] = {"ok": "passed", "FAILED": "failed", "ignored": "skipped"}
    tests = {name: words[said] for name, said in _CARGO_LINE.findall(text)}
    if "test result: " not in text:
        return None
    passed = sum(one == "passed" for one in tests.values())
    return Outcomes("cargo", reported=False, complete=True, tests=tests, passed=passed)
