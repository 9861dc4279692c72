"""What leaves the program: results on stdout, everything else on stderr.

JSON goes out as UTF-8 bytes whatever the terminal speaks. To a terminal its characters that could act or hide
there are written as JSON's own backslash-u escapes, which are the same value. A reader that has gone away
(``monkeys … | head``) is no fault: it is raised as ``ReaderGone``, and the program ends in order. (A
``BrokenPipeError`` would be taken for a fault by the parser on its way up.)
"""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final

import msgspec

from app.errors import MonkeysError

PLAIN: Final = "monkeys-plain"
"""An error handler for streams: signs that an encoding lacks are written in plain letters, else as ``?``."""
_PLAIN_SIGNS: Final = {
    "✓": "+", "✗": "x", "●": "*", "…": "...", "–": "-", "—": "-", "·": "-", "×": "x", "≤": "<=", "≥": ">=",
}  # fmt: skip


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_PLAIN_SIGNS.get(character, "?") for character in lost), error.end


codecs.register_error(PLAIN, _plainly)


class Output(StrEnum):
    text = "text"
    json = "json"
    jsonl = "jsonl"


class ReaderGone(Exception):
    """Nobody reads stdout any more."""


@contextmanager
def _to_a_reader() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise ReaderGone from None


def print_lines(lines: Iterable[str]) -> None:
    """Text for people. Whatever a model wrote must have been cleaned before."""
    with _to_a_reader():
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()


def print_json(value: Any) -> None:
    """One object: indented for a person at a terminal, one line for a program."""
    data = msgspec.json.encode(value)
    print_bytes(msgspec.json.format(data, indent=2) if sys.stdout.isatty() else data)


def print_each(values: Iterable[Any]) -> None:
    """One object a line."""
    print_bytes(b"\n".join(msgspec.json.encode(value) for value in values))


def print_bytes(data: bytes, *, flush: bool = True) -> None:
    """Bytes and a newline, after whatever text was printed before."""
    if data:
        write_bytes(data + b"\n", flush=flush)


def write_bytes(data: bytes, *, flush: bool = True) -> None:
    """Bytes of UTF-8 text as they are, after whatever text was printed before. To a terminal they go
    harmless."""
    with _to_a_reader():
        sys.stdout.flush()
        sys.stdout.buffer.write(_harmless(data) if sys.stdout.isatty() else data)
        if flush:
            sys.stdout.buffer.flush()


def _harmless(data: bytes) -> bytes:
    """Model text in JSON or CSV, on its way to a terminal: JSON escapes the first 32 characters by itself and
    leaves the rest of those that act, CSV escapes none."""
    from verifiers.safe_text import escaped

    return escaped(data.decode("utf-8", "replace")).encode()


def print_list(output: Output, rows: list[Any], lines: Iterable[str]) -> None:
    """A listing: an array, one object a line, or lines for people."""
    if output is Output.json:
        print_json(rows)
    elif output is Output.jsonl:
        print_each(rows)
    else:
        print_lines(lines)


def print_one(output: Output, value: Any, lines: Iterable[str]) -> None:
    """One result: an object, or lines for people."""
    if output is Output.text:
        print_lines(lines)
    elif output is Output.json:
        print_json(value)
    else:
        print_each([value])


def warn(message: str, fix: str | None = None) -> None:
    """One line on stderr, cleaned: messages quote what servers and models wrote. Silent if that is closed."""
    from verifiers.safe_text import one_line

    gap = " " if message.endswith((".", "?", "]", "…")) else ". "
    line = one_line(f"{message}{gap + fix if fix else ''}", 2000)
    try:
        sys.stderr.write(f"monkeys: {line}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return


def error_object(error: MonkeysError) -> dict[str, Any]:
    return {"error": {"kind": error.kind, "message": error.message, "fix": error.fix}}


def forget_stdout() -> None:
    """After the reader went away: nothing may try to flush to it again, not even the interpreter's end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return
