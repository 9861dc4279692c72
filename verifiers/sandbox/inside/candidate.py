"""The candidate's side of a check: run its program, then answer calls of its function with plain values.

Nothing here knows a test. A candidate may tamper with all of it and gains nothing: it can only answer, and
answers are compared elsewhere.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import Any

from verifiers.sandbox.inside.link import Link
from verifiers.sandbox.inside.program import (
    FILE_NAME,
    exit_status,
    first_that_compiles,
    new_module,
    open_streams,
)

READ, WRITE = 3, 4


def serve(sources: Sequence[str], entry_point: str) -> int:
    """Run the first of ``sources`` that compiles, then serve ``entry_point`` (several with commas between
    them). A program that fails or leaves ends here, with its traceback on standard error: the checker finds
    the line closed."""
    open_streams()
    source = first_that_compiles(sources)
    names = new_module(source, "candidate")

    def whole() -> None:
        link = Link(READ, WRITE)
        link.before_answer = _flush
        exec(compile(source, FILE_NAME, "exec", dont_inherit=True), names)  # noqa: S102
        for name in entry_point.split(","):
            link.keep(_entry(names, name))
        link.serve_forever()

    return exit_status(whole)


def _flush() -> None:
    """After its last answer a candidate may be stopped at once; what it printed is then in the pipe."""
    with contextlib.suppress(Exception):
        sys.stdout.flush()


def _entry(names: dict[str, Any], entry_point: str) -> Any:
    if entry_point not in names:
        raise NameError(f"the program defines no {entry_point}")
    return names[entry_point]
