"""Programs, proofs and patches in a reply: which of its blocks is the one to run.

Models answer with a fenced block, several fenced blocks (a draft, the program, an example of its use), bare
code, or the rest of the function whose signature they were given. The text found is kept as it came: its
indentation is what joins it to the prompt.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from verifiers.stated import Span


class Block(NamedTuple):
    """Found text, how it was found, and where in the reply it stands."""

    text: str
    how: str
    span: Span


class _Fenced(NamedTuple):
    language: str
    body: Span
    closed: bool


_FENCE: Final = re.compile(r"^[ \t]{0,12}(?:```+|~~~+)[ \t]*([\w+#.-]*)[^\n`]*(?:\n|$)", re.MULTILINE)
_DEFINITION: Final = re.compile(r"^[ \t]*(?:async[ ]+)?(?:def|class)[ ]+(\w+)", re.MULTILINE)
_RUNS: Final = re.compile(r"\binput\s?\(|\bsys\.stdin\b|\bprint\s?\(|^(?:import|from)[ ]\w", re.MULTILINE)
_TESTS_ONLY: Final = re.compile(r"^(?:def[ ]+test_|import[ ]+(?:unittest|pytest))", re.MULTILINE)
_CODE_LINE: Final = re.compile(
    r"(?:async[ ]+)?(?:def|class)[ ]+\w+|import[ ]+\w+|from[ ]+[\w.]+[ ]+import|@\w|#"
    r"|(?:if|while|elif|with)[ ].+:\s*(?:#.*)?$|for[ ]\w.*:\s*$|(?:try|else|finally):|except\b.*:"
    r"|return\b|assert[ (]|print\(|[A-Za-z_][\w.,\[\] ]*[ ]?(?:[-+*/|&]|//|\*\*)?=[^=]"
    r"|[A-Za-z_][\w.]*\(.*\)\s*$|[)\]}]|\"\"\"|'''"
)
"""A line that stands at the margin and is Python rather than prose."""
_PYTHON: Final = frozenset(("python", "py", "python3", "python2", ""))


def _fenced(text: str) -> list[_Fenced]:
    blocks: list[_Fenced] = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        else:
            blocks.append(_Fenced(opened[1].lower(), Span(opened.end(), fence.start()), closed=True))
            # A fence with a language cannot close a block: the one before was left open.
            opened = fence if fence[1] else None
    if opened is not None:
        blocks.append(_Fenced(opened[1].lower(), Span(opened.end(), len(text)), closed=False))
    return blocks


def find_program(text: str, *, cut_off: bool, entry_point: str | None = None) -> Block | None:
    """The program of a reply: its best fenced block, else bare code, else the continuation of a function.

    The best block defines ``entry_point``; failing that it defines something, reads input, or is marked as
    Python; of equals the last, since models correct themselves downwards. A block that only tests is worse
    than one that does the work. A program that was cut off is no answer.
    """
    blocks = [block for block in _fenced(text) if text[block.body.start : block.body.end].strip()]
    if blocks:
        usable = [block for block in blocks if block.closed or not cut_off]
        if not usable:
            return None
        best = max(enumerate(usable), key=lambda item: (_program_rank(text, item[1], entry_point), item[0]))[
            1
        ]
        return _block(text, best.body, "code block")
    if cut_off:
        return None
    return _bare_program(text)


def _program_rank(text: str, block: _Fenced, entry_point: str | None) -> int:
    body = text[block.body.start : block.body.end]
    python = block.language in _PYTHON
    names = {match[1] for match in _DEFINITION.finditer(body)}
    if entry_point is not None and entry_point in names:
        return 6
    if names and python and not _TESTS_ONLY.search(body):
        return 5
    if python and block.language and _RUNS.search(body):
        return 4
    if names:
        return 3
    return 2 if python and (block.language or _RUNS.search(body)) else int(python)


def _bare_program(text: str) -> Block | None:
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)
    continued = lines[first][:1] in " \t" and not re.match(r"\s*(?:[-*•]|\d+[.)])\s", lines[first])
    if not continued:
        first = next((place for place, line in enumerate(lines) if _opens_program(line)), len(lines))
    if first == len(lines):
        return None
    last = first
    for place in range(first, len(lines)):
        line = lines[place]
        if not line.strip():
            continue
        if line[0] not in " \t" and not _CODE_LINE.match(line):
            break
        last = place
    span = Span(starts[first], min(starts[last + 1] - 1, len(text)))
    return _block(text, span, "continuation" if continued else "bare code")


def _opens_program(line: str) -> bool:
    """Whether a program may start here. Comments do not open one: in a reply they are headings."""
    if _CODE_LINE.match(line) is None or line.startswith("#"):
        return False
    return "=" in line or "(" in line or line.startswith(("class ", "import ", "from ", "@"))


# ---------------------------------------------------------------- proofs and patches

_PROOF_LANGUAGES: Final = frozenset(("lean", "lean4", "coq", "rocq", "v", "lean3"))
_PROOF_START: Final = re.compile(
    r"^(?:theorem|lemma|example|Theorem|Lemma|Example|Corollary|Proof|by\b|import|open|Require|From|:= by)",
    re.MULTILINE,
)


def find_proof(text: str, *, cut_off: bool) -> Block | None:
    """The proof of a reply: the last block in a prover's language, else the last block, else bare text from
    the first theorem on, else the whole reply as the continuation of a statement."""
    if any(text[block.body.start : block.body.end].strip() for block in _fenced(text)):
        blocks = proof_blocks(text, cut_off=cut_off)
        return blocks[-1] if blocks else None
    if cut_off:
        return None
    start = _PROOF_START.search(text)
    span = Span(start.start() if start is not None else 0, len(text))
    return _block(text, span, "bare proof" if start is not None else "continuation")


def proof_blocks(text: str, *, cut_off: bool) -> list[Block]:
    """All blocks in a prover's language, else all blocks; one that was cut off is no proof."""
    blocks = [block for block in _fenced(text) if text[block.body.start : block.body.end].strip()]
    usable = [block for block in blocks if block.closed or not cut_off]
    marked = [block for block in usable if block.language in _PROOF_LANGUAGES] or usable
    found = (_block(text, block.body, "proof block") for block in marked)
    return [block for block in found if block is not None]


_PATCH_START: Final = re.compile(r"^(?:diff --git |--- \S|Index: |<{5,9} SEARCH)", re.MULTILINE)


def find_patch(text: str, *, cut_off: bool) -> Block | None:
    """The change a reply makes: all its diff or search/replace blocks, in their order, else a bare diff."""
    blocks = _fenced(text)
    changes = [
        block
        for block in blocks
        if (block.closed or not cut_off)
        and (
            block.language in ("diff", "patch")
            or _PATCH_START.search(text, block.body.start, block.body.end) is not None
        )
    ]
    if changes:
        body = "".join(_with_newline(text[block.body.start : block.body.end]) for block in changes)
        return Block(body, "patch", Span(changes[0].body.start, changes[-1].body.end))
    start = _PATCH_START.search(text) if not cut_off and not blocks else None
    return _block(text, Span(start.start(), len(text)), "patch") if start is not None else None


def _with_newline(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def _block(text: str, span: Span, how: str) -> Block | None:
    body = text[span.start : span.end]
    return Block(body.rstrip() + "\n", how, span) if body.strip() else None
