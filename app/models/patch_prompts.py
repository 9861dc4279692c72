"""A repository's part of a prompt: the files, within what the model can read, and how to say a change.

Search/replace blocks are asked for because nothing in them has to be counted, and a block holds exactly the
lines that it is about. Every model is shown one: a small one that is only told the form copies the words that
describe it.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from app.problems.problem import Problem, SourceFile
from app.problems.repository import excerpt, terms_of

INSTRUCTION: Final = """\
Repair the repository. Say in a sentence what is wrong, then change as little as needed, with SEARCH/REPLACE \
blocks: above each block the path of the file; between SEARCH and ======= lines copied from that file; \
between ======= and REPLACE the lines to put there instead. An empty SEARCH makes a new file. Do not change \
tests."""

_CHARACTERS_A_TOKEN: Final = 3
"""Of program text, on the low side."""
_SHARE: Final = 0.6
"""Of what a model reads, for the files; the rest is for the issue, examples and the reply."""
_UNKNOWN_CONTEXT: Final = 32_768
_LEAST: Final = 300
"""Characters below which a part of a file says nothing."""


def with_files(problem: Problem, context: int | None) -> str:
    """The files, as many as a model with ``context`` tokens can read, and the issue, which stands last: what
    a small model read last is what it answers."""
    asked = f"The issue: {problem.prompt.strip()}\n\nName the cause and give the SEARCH/REPLACE blocks."
    room = int((context or _UNKNOWN_CONTEXT) * _SHARE * _CHARACTERS_A_TOKEN) - len(asked)
    parts = []
    terms = terms_of(problem.prompt)
    for source in problem.sources:
        if room < _LEAST:
            break
        whole = len(source.text) <= room
        text = source.text if whole else excerpt(source.text, terms, room)
        parts.append(_file(source, text, whole=whole))
        room -= len(text)
    return "\n\n".join((*parts, asked))


def _file(source: SourceFile, text: str, *, whole: bool) -> str:
    language = PurePosixPath(source.path).suffix.lstrip(".")
    language = {"py": "python", "js": "javascript", "ts": "typescript", "rs": "rust"}.get(language, language)
    fence = "````" if "```" in text else "```"
    note = "" if whole else " (in part)"
    if "test" in PurePosixPath(source.path).name.lower():
        note += " (a test, not to be changed)"
    return f"{source.path}{note}\n{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"
