"""Lines of JSON from files that people made by hand, in editors, on three systems.

One place knows about byte-order marks, CRLF, blank lines and broken encodings, and every fault names the
file and the line, because "invalid JSON" in a file of 10,000 lines helps nobody.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from app.errors import BadInput

T = TypeVar("T")


def read_bytes(path: Path) -> bytes:
    """The file's content. Raises ``BadInput`` when it is missing, a folder, or not ours to read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"There is no file {path}.", "Check the path.") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder, not a file.", "Name one file in it.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadInput(f"{path} cannot be read: {reason}.", "Check its permissions.") from None


def decode_text(data: bytes, source: str) -> str:
    """UTF-8 with or without a byte-order mark, or UTF-16 with one. Raises ``BadInput`` naming the line."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError:
            raise BadInput(f"{source} is broken UTF-16 text.", "Save it as UTF-8.") from None
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in data:
        raise BadInput(f"{source} is a binary file, not text.", "Give a text, JSON or JSONL file.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{source}, line {line}: this is not UTF-8 text.", "Save the file as UTF-8.") from None


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that hold something, with their numbers from 1. Only a newline ends a line: U+2028 and its
    kin are legal inside JSON strings."""
    for number, line in enumerate(text.split("\n"), start=1):
        if stripped := line.strip():
            yield number, stripped


def decode_line(line: str, decoder: msgspec.json.Decoder[T], where: str) -> T:
    """One JSON value. Raises ``BadInput`` that starts with ``where`` ("file, line 3")."""
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise BadInput(f"{where}: {explain(error)}.", "Correct that line.") from None


def explain(error: Exception) -> str:
    """A decoding error in the words of the file rather than the decoder's."""
    if isinstance(error, RecursionError):
        return "the JSON is nested too deeply"
    if isinstance(error, UnicodeError):
        return "the text holds half a character (a lone surrogate)"
    message = str(error).rstrip(".")
    if not isinstance(error, msgspec.ValidationError):
        return f"this is not JSON ({message})"
    wrong, _, place = message.partition(" - at ")
    field = place.strip("`").removeprefix("$").removeprefix(".")
    wrong = wrong[:1].lower() + wrong[1:]
    return f"`{field}`: {wrong}" if field else wrong
