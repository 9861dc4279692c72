"""The candidate's side of a check: run its program, then answer calls of its function with plain values.

Nothing here knows a test. A candidate may tamper with all of it and gains nothing: it can only answer, and
answers are compared elsewhere.
"""

from __future__ import annotations

from typing import Any

from verifiers.sandbox.inside.link import Link
from verifiers.sandbox.inside.program import FILE_NAME, exit_status, new_main, open_streams

READ, WRITE = 3, 4


def serve(source: str, entry_point: str) -> int:
    """Run ``source``, then serve ``entry_point``. A program that fails or leaves ends here, with its
    traceback on standard error: the checker finds the line closed."""
    open_streams()
    names = new_main(source)

    def whole() -> None:
        link = Link(READ, WRITE)
        exec(compile(source, FILE_NAME, "exec"), names)  # noqa: S102
        link.keep(_entry(names, entry_point))
        link.serve_forever()

    return exit_status(whole)


def _entry(names: dict[str, Any], entry_point: str) -> Any:
    if entry_point not in names:
        raise NameError(f"the program defines no {entry_point}")
    return names[entry_point]
