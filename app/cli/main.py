"""How every call of the program begins and ends.

``run`` is the one way in. Whatever happens below it becomes an exit status and, at the most, one line: the
project's own errors by their table, slips of usage as bad input, and a fault of ours with the place where it
is written down. The bare ``monkeys`` goes straight to the TUI, without the time that a parser would take.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from app.cli import out
from app.errors import MonkeysError

INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Do what the command line says; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=out.PLAIN)  # a terminal without ✓ shows + instead of a fault
    try:
        status = _call(arguments)
        sys.stdout.flush()
    except (out.ReaderGone, BrokenPipeError):
        out.forget_stdout()
        return 0
    return status


def _call(arguments: Sequence[str]) -> int:
    try:
        if not arguments:
            from app.cli.tui import open_tui

            return open_tui(None)
        from app.cli.commands import call

        return call(arguments)
    except KeyboardInterrupt:
        out.warn("Interrupted.")
        return INTERRUPTED
    except MonkeysError as error:
        return _tell(error, arguments)
    except (out.ReaderGone, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 (the last stop: no traceback reaches a user)
        return _tell(_as_our_fault(error), arguments)


def _tell(error: MonkeysError, arguments: Sequence[str]) -> int:
    out.warn(error.message, error.fix)
    if _wants_json(arguments):
        out.print_each([out.error_object(error)])
    return error.status


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether the output is JSON, asked of the words themselves: they may be what could not be parsed."""
    for place, word in enumerate(arguments):
        if word == "--":
            return False
        value = arguments[place + 1] if word in ("--output", "-o") and place + 1 < len(arguments) else word
        if value in ("json", "jsonl") and value is not word:
            return True
        if word in ("--output=json", "--output=jsonl", "-ojson", "-ojsonl"):
            return True
    return False


def _as_our_fault(error: Exception) -> MonkeysError:
    if os.environ.get("MONKEYS_DEBUG"):
        raise error
    import traceback

    from app import locations
    from app.runs.redact import redact

    log = locations.log_file("faults")
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8", errors="replace") as file:
            file.write(redact("".join(traceback.format_exception(error))))
        where = f"What happened is in {log}"
    except OSError:
        where = "It could not be written down"
    return MonkeysError(
        f"A fault of monkeys itself ({type(error).__name__}).",
        f"{where}; MONKEYS_DEBUG=1 shows it here.",
    )
