"""Model text, made fit to be shown.

A model writes what it likes: escape sequences that would repaint or retitle the terminal, right-to-left
overrides that reverse a table, zero-width characters that hide in an answer, half of a surrogate pair that no
file accepts. Everything that leaves the program for a terminal, a file name or a comparison goes through here
first. What could act is removed; what is merely odd is shown as a visible sign, so that nothing is hidden
that a reader might want to know of.

All functions are linear in the length of their text and never raise.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SUSPECT: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
"""One pass of this decides for nearly every text that there is nothing to do."""

# A string that is never ended must not swallow the text behind it, and must not make the search quadratic:
# hence the bodies below stop at any escape or C1 character.
_ESCAPE_SEQUENCE: Final = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, screen
    "|(?:\x1b\\]|\x9d)[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\\\|\x9c)"  # OSC: title, clipboard, links
    "|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x07\x1b\x80-\x9f]*(?:\x1b\\\\|\x9c)"  # DCS, SOS, PM, APC
    "|\x1b[ -/]+[0-~]"  # character sets
    "|\x1b[0-OQ-WYZ\\\\`-~]"  # single functions, among them "reset"
)


def _replacements() -> dict[int, str | None]:
    table: dict[int, str | None] = {code: chr(0x2400 + code) for code in range(0x20)}
    table |= dict.fromkeys((*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "\ufffd")
    table |= dict.fromkeys((0x115F, 0x1160, 0x3164, 0xFFA0), " ")  # letters that are blank
    invisible = (0xAD, 0x34F, 0x61C, 0x17B4, 0x17B5, 0xFEFF, *range(0x180B, 0x1810), *range(0x200B, 0x2010))
    invisible += (*range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10))
    invisible += (*range(0xFFF0, 0xFFFC), *range(0xE0000, 0xE1000))
    table |= dict.fromkeys(invisible, None)
    table |= {0x7F: "\u2421", ord("\n"): "\n", ord("\t"): "\t", ord("\r"): "\n", 0x0B: "\n", 0x0C: "\n"}
    table |= dict.fromkeys((0x85, 0x2028, 0x2029), "\n")
    return table


_REPLACEMENTS: Final = _replacements()


def clean(text: str) -> str:
    """``text`` without escape sequences, control and bidi characters, zero-width ones and lone surrogates.

    Newlines and tabs stay; every other kind of line end becomes a newline. Escape sequences and invisible
    characters are dropped, stray control characters appear as their control picture (``␇``), and what is
    not a character at all as ``U+FFFD``. ``clean(clean(t)) == clean(t)``.
    """
    if _SUSPECT.search(text) is None:
        return text
    text = _ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n")
    return text.translate(_REPLACEMENTS)


def escaped(text: str) -> str:
    """``text`` with the characters that ``clean`` would not leave alone as ``\\uXXXX``: nothing is lost, and
    where the text is JSON it stays the same value. Newlines and tabs stay."""
    return _SUSPECT.sub(_as_json_escape, text)


def _as_json_escape(found: re.Match[str]) -> str:
    units = found.group().encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def cell_width(text: str) -> int:
    """Terminal cells that cleaned ``text`` takes: two for wide East Asian characters and emoji, none for
    combining marks. By the Unicode database of this Python; a terminal may differ on new emoji."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def one_line(text: str, width: int, *, end: bool = False) -> str:
    """``text`` on one line of at most ``width`` cells, white space collapsed, cut with an ellipsis.

    With ``end`` the last part is kept instead of the first: what a model is writing just now. Only as much
    of the text is read as could be shown, so a row costs the same whatever the length of its sample.
    """
    if width <= 0:
        return ""
    reach = 16 * width + 256
    part = text[-reach:] if end else text[:reach]
    line = " ".join(clean(part).split())
    if len(part) == len(text) and cell_width(line) <= width:
        return line
    if len(part) < len(text) and cell_width(line) < width:
        return f"…{line}" if end else f"{line}…"
    kept: list[str] = []
    room = width - 1
    for character in reversed(line) if end else line:
        room -= _cells(character)
        if room < 0:
            break
        kept.append(character)
    return "…" + "".join(reversed(kept)).lstrip() if end else "".join(kept).rstrip() + "…"


def file_name(text: str, *, longest: int = 80) -> str:
    """A plain file name of at most ``longest`` characters made from ``text``: letters, digits, ``.``, ``_``
    and ``-`` of ASCII only, never empty, never hidden, and no device name of Windows."""
    plain = unicodedata.normalize("NFKD", clean(text[: 8 * longest])).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain)
    name = re.sub(r"\.{2,}", ".", name)[:longest].strip("-.")
    if re.fullmatch(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", name):
        name = f"_{name}"[:longest]
    return name or "unnamed"


def _cells(character: str) -> int:
    if character < "\u0300":
        return 1
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
