"""A plugin that tells the outcome of every test as it comes, on a channel of its own.

It runs inside the box, beside the patched code, in whatever Python 3 and pytest the user has. What tests
print can be anything; what comes here was said by pytest. The word at the start of each line was drawn for
this run: it keeps strays out, not a program that goes looking for it.
"""

import contextlib
import json
import os
from typing import Any

_given = os.environ.pop("MONKEYS_REPORT", "")
_channel, _, _word = _given.partition(":")
_told: dict = {}  # type: ignore[type-arg]  # a subscript that older Pythons do not know
if _channel:
    with contextlib.suppress(OSError):
        os.set_inheritable(int(_channel), False)


def _tell(**event: object) -> None:
    if _channel:
        with contextlib.suppress(OSError):
            os.write(int(_channel), (_word + json.dumps(event) + "\n").encode("utf-8"))


def pytest_sessionstart(session: Any) -> None:
    _tell(event="start")


def pytest_collectreport(report: Any) -> None:
    if report.failed:
        _tell(event="test", name=report.nodeid, outcome="error", why=_why(report))


def pytest_runtest_logreport(report: Any) -> None:
    outcome = report.outcome
    if hasattr(report, "wasxfail"):
        outcome = "xpassed" if outcome == "passed" else "xfailed"
    if report.when != "call":
        if outcome == "passed":
            return
        if outcome == "failed":
            outcome = "error"
    if _told.get(report.nodeid) in ("failed", "error"):
        return
    _told[report.nodeid] = outcome
    _tell(event="test", name=report.nodeid, outcome=outcome, why=_why(report) if report.failed else "")


def pytest_sessionfinish(session: Any, exitstatus: int) -> None:
    _tell(event="finish", status=int(exitstatus))


def _why(report: Any) -> str:
    """The first line of the failure, or the last of an error that has no place."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(report.longrepr) if crash is None else crash.message
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return ""
    return str(lines[-1 if crash is None else 0])[:300]
