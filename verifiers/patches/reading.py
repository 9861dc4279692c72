"""The change that a reply describes: search/replace blocks, unified diffs, whole files, or definitions.

Models mix formats and forget parts of them. Search/replace blocks are looked for first, because nothing else
looks like one; then diffs, fenced or bare; and only in a reply without either, blocks whose file is clearly
named right above them or in their first line, or at last a block of Python definitions.
"""

from __future__ import annotations

import re
from typing import Final

from verifiers.patches.diff_reading import read_diff
from verifiers.patches.edits import Change, Definitions, Replace, WholeFile

_HEAD: Final = re.compile(r"^[ \t]*<{5,9}[ \t]*(?:SEARCH|ORIGINAL|OLD)\b[^\n]*$", re.IGNORECASE)
_MIDDLE: Final = re.compile(r"^[ \t]*={5,9}[ \t]*$")
_TAIL: Final = re.compile(r"^[ \t]*>{5,9}[ \t]*(?:REPLACE|UPDATED|NEW)\b[^\n]*$", re.IGNORECASE)
_FENCE: Final = re.compile(r"^[ \t]{0,3}(`{3,}|~{3,})[ \t]*([^\n`]*)$")
_PATH: Final = re.compile(
    r"^(?!https?:)(?:[\w.+@~-]+/)*[\w.+@~-]*\w\.[A-Za-z]\w{0,9}$|^(?:[\w.+@~-]+/)+[\w.-]+$"
)
_DIFF_START: Final = re.compile(r"^(?:diff --git |--- \S|@@ |Index: )", re.MULTILINE)
_DEFINES: Final = re.compile(r"^[ \t]*(?:async[ ]+def|def|class)[ ]+\w", re.MULTILINE)
_LABEL: Final = re.compile(r"^(?:file(?:name)?|path|in|new file|modified|updated?)\s*:?\s+", re.IGNORECASE)
_ELISION: Final = re.compile(
    r"^[ \t]*(?:#|//|--|/\*|<!--)?[ \t]*(?:\.\.\.|…|rest of|existing code|\(?unchanged)",
    re.MULTILINE | re.IGNORECASE,
)


def read_change(reply: str, *, cut_off: bool = False) -> Change | None:
    """The change in ``reply``, ``None`` where it describes none. ``cut_off`` says that the reply ended at its
    token limit: what was not finished is not part of it. Never raises; linear in the reply's length."""
    text = _after_thoughts(reply.replace("\r\n", "\n"))
    return (
        _search_replace(text, cut_off)
        or _diffs(text, cut_off)
        or _whole_files(text, cut_off)
        or _definitions(text, cut_off)
    )


def _after_thoughts(text: str) -> str:
    """What follows a reasoning model's thoughts, which hold drafts."""
    _, mark, after = text.rpartition("</think>")
    return after if mark and after.strip() else text


def _search_replace(text: str, cut_off: bool) -> Change | None:
    lines = text.split("\n")
    edits: list[Replace] = []
    path: str | None = None
    first = last = at = 0
    while at < len(lines):
        if not _HEAD.match(lines[at]):
            at += 1
            continue
        named = _named_above(lines, at)
        path = named or path
        middle = _find(lines, at + 1, _MIDDLE)
        if middle is None:
            break
        tail = _find(lines, middle + 1, _TAIL)
        end = tail if tail is not None else _end_of_block(lines, middle + 1)
        if tail is None and (cut_off or end is None):
            break
        assert end is not None  # noqa: S101  left above
        first = first if edits else at
        edits.append(Replace(path, "\n".join(lines[at + 1 : middle]), "\n".join(lines[middle + 1 : end])))
        at = last = end + 1
    if not edits:
        return None
    return Change(tuple(edits), "\n".join(lines[first:last]), "search/replace")


def _find(lines: list[str], start: int, mark: re.Pattern[str]) -> int | None:
    """The next line with ``mark``, before the next block begins."""
    for at in range(start, len(lines)):
        if mark.match(lines[at]):
            return at
        if _HEAD.match(lines[at]):
            return None
    return None


def _end_of_block(lines: list[str], start: int) -> int | None:
    """Where a block ends that was never closed: at its fence, or before the next block."""
    for at in range(start, len(lines)):
        if _FENCE.match(lines[at]) or _HEAD.match(lines[at]):
            return at
    return len(lines)


def _named_above(lines: list[str], at: int) -> str | None:
    """The file named in one of the three lines above, fences and empty lines aside."""
    looked = 0
    for line in reversed(lines[max(0, at - 8) : at]):
        if _TAIL.match(line):
            return None
        fence = _FENCE.match(line)
        if fence:
            named = _named_in_fence(fence[2])
            if named:
                return named
            continue
        if not line.strip():
            continue
        named = path_in(line)
        if named:
            return named
        looked += 1
        if looked == 3:
            return None
    return None


def path_in(line: str) -> str | None:
    """The path that a line consists of, whatever it is decorated with."""
    bare = line.strip().strip("*`#:\"'<>()[] \t").strip()
    bare = bare.removeprefix("//").removeprefix("--").strip()
    bare = _LABEL.sub("", bare).strip("*`:\"' \t")
    if len(bare) <= 300 and _PATH.match(bare.lstrip("/")):
        return bare
    quoted = re.findall(r"[`*\"]([^`*\"\s]{1,300})[`*\"]", line)
    paths = [word for word in quoted if _PATH.match(word.lstrip("/"))]
    return paths[0] if len(paths) == 1 else None


def _named_in_fence(info: str) -> str | None:
    """The path in a fence's own line, after a language or a colon or as a ``title="a.py"``."""
    for word in re.split(r"[\s:=\"']+", info):
        if _PATH.match(word) and ("/" in word or "." in word):
            return word
    return None


def _diffs(text: str, cut_off: bool) -> Change | None:
    blocks = [
        body
        for info, body, closed, _ in _fenced(text)
        if (closed or not cut_off)
        and (info.split()[:1] in (["diff"], ["patch"]) or _DIFF_START.search(body) is not None)
    ]
    if blocks:
        whole = "\n".join(blocks)
        edits = [edit for body in blocks for edit in read_diff(body, fenced=True)]
    else:
        start = _DIFF_START.search(text)
        if start is None or cut_off:
            return None
        whole = text[start.start() :]
        edits = read_diff(whole, fenced=False)
    return Change(tuple(edits), whole, "diff") if edits else None


def _whole_files(text: str, cut_off: bool) -> Change | None:
    lines = text.split("\n")
    files: dict[str, WholeFile] = {}
    for info, body, closed, at in _fenced(text):
        if not closed and cut_off:
            continue
        first, _, rest = body.partition("\n")
        path = _named_in_fence(info) or _named_above(lines, at)
        comment = re.match(r"^\s*(?:#|//|--|/\*|<!--)\s*", first)
        if path is None and comment is not None:
            path, body = path_in(first[comment.end() :]), rest
        if path is not None and body.strip() and not _ELISION.search(body):
            files[path] = WholeFile(path, body)
    if not files:
        return None
    return Change(tuple(files.values()), "\n".join(file.text for file in files.values()), "whole files")


def _definitions(text: str, cut_off: bool) -> Change | None:
    """The first block with definitions; what follows it is a second thought or an example of its use."""
    for info, body, closed, _ in _fenced(text):
        is_python = info.split()[:1] in ([], ["python"], ["py"], ["python3"])
        if is_python and (closed or not cut_off) and _DEFINES.search(body) and not _ELISION.search(body):
            return Change((Definitions(body),), body, "definitions")
    return None


def _fenced(text: str) -> list[tuple[str, str, bool, int]]:
    """The fenced blocks: (what follows the fence, the text, whether it was closed, the fence's line)."""
    blocks: list[tuple[str, str, bool, int]] = []
    opened: tuple[str, str, int] | None = None
    body: list[str] = []
    for at, line in enumerate(text.split("\n")):
        fence = _FENCE.match(line)
        if opened is None:
            if fence:
                opened, body = (fence[1], fence[2].strip(), at), []
        elif fence and not fence[2].strip() and fence[1].startswith(opened[0]):
            blocks.append((opened[1], "".join(f"{one}\n" for one in body), True, opened[2]))
            opened = None
        else:
            body.append(line)
    if opened is not None:
        blocks.append((opened[1], "".join(f"{one}\n" for one in body), False, opened[2]))
    return blocks
