"""Running a program's text as Python itself would run a file: as ``__main__``, with its own standard streams,
an exit status, a traceback that begins at its own first line, and its threads waited for."""

from __future__ import annotations

import atexit
import contextlib
import io
import linecache
import os
import sys
import threading
import traceback
import types
from collections.abc import Callable, Sequence
from typing import Any, Final

FILE_NAME: Final = "program.py"
_LONGEST_LINE: Final = 500


def open_streams() -> None:
    """Standard streams on descriptors 0, 1 and 2, whatever the warm parent had there."""
    standard_input = io.BufferedReader(io.FileIO(0, "rb", closefd=False))
    standard_output = io.BufferedWriter(io.FileIO(1, "wb", closefd=False))
    standard_error = io.BufferedWriter(io.FileIO(2, "wb", closefd=False))
    sys.stdin = io.TextIOWrapper(standard_input, "utf-8", errors="surrogateescape")
    sys.stdout = io.TextIOWrapper(standard_output, "utf-8", errors="backslashreplace")
    sys.stderr = io.TextIOWrapper(standard_error, "utf-8", errors="backslashreplace", line_buffering=True)
    sys.__dict__.update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)


def first_that_compiles(sources: Sequence[str]) -> str:
    """Of several readings of a reply the first that is Python, else the first."""
    for source in sources:
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            compile(source, FILE_NAME, "exec", dont_inherit=True)
            return source
    return sources[0]


def new_module(source: str, name: str = "__main__", file_name: str = FILE_NAME) -> dict[str, Any]:
    """A fresh module for ``source``, whose lines tracebacks can show."""
    module = types.ModuleType(name)
    module.__dict__["__file__"] = file_name
    module.__dict__["__builtins__"] = __builtins__
    sys.modules[name] = module
    sys.argv = [file_name]
    linecache.cache[file_name] = (len(source), None, source.splitlines(keepends=True), file_name)
    return module.__dict__


def run_program(sources: Sequence[str]) -> int:
    """Run the first of ``sources`` that compiles to its end and return its exit status."""
    open_streams()
    source = first_that_compiles(sources)
    names = new_module(source)

    def whole() -> None:
        exec(compile(source, FILE_NAME, "exec", dont_inherit=True), names)  # noqa: S102

    return exit_status(whole)


def exit_status(body: Callable[[], None]) -> int:
    """What Python's own main loop would answer for ``body``: 0, the status of ``SystemExit``, or 1 with a
    traceback on standard error. Threads are waited for and exit handlers are run."""
    status = 0
    try:
        body()
        shutdown: Callable[[], None] = threading._shutdown  # type: ignore[attr-defined]
        shutdown()
    except SystemExit as leaving:
        status = _status_of(leaving)
    except BaseException as error:  # noqa: BLE001  a program may raise whatever it likes
        _show(error)
        status = 1
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001
        status = status or 120
    return status


def _status_of(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    os.write(2, f"{leaving.code}\n".encode(errors="backslashreplace"))
    return 1


def _show(error: BaseException) -> None:
    """The traceback without our own frames, and without trusting anything that the program may have
    replaced."""
    try:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != FILE_NAME:
            trace = trace.tb_next
        text = "".join(traceback.format_exception(type(error), error, trace, limit=20))
        # A syntax error shows its line, and a program may be one line of a megabyte.
        lines = [
            line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} …" for line in text.split("\n")
        ]
        os.write(2, "\n".join(lines).encode(errors="backslashreplace"))
    except BaseException:  # noqa: BLE001
        os.write(2, b"the program raised an error that cannot be shown\n")
