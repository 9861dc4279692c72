"""A repository's part of a prompt: the files, within what the model can read, and how to say a change.

Search/replace blocks are asked for because they are what models of every size get right most often: nothing
has to be counted, and a block holds exactly the lines that it is about.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from app.problems.problem import Problem, SourceFile
from app.problems.repository import excerpt, terms_of

INSTRUCTION: Final = """\
Repair the repository. Find the cause and change as little as needed. Reply with one or more blocks like this:

path/to/file.py
<<<<<<< SEARCH
lines of the file, exactly as they stand there
=======
the lines that take their place
>>>>>>> REPLACE

Name the file above every block. To make a new file, leave SEARCH empty. Do not change tests."""

_CHARACTERS_A_TOKEN: Final = 3
"""Of program text, on the low side."""
_SHARE: Final = 0.6
"""Of what a model reads, for the files; the rest is for the issue, examples and the reply."""
_UNKNOWN_CONTEXT: Final = 32_768
_LEAST: Final = 300
"""Characters below which a part of a file says nothing."""


def with_files(problem: Problem, context: int | None) -> str:
    """The issue and the files, as many as a model with ``context`` tokens can read."""
    asked = problem.prompt.strip("\n")
    room = int((context or _UNKNOWN_CONTEXT) * _SHARE * _CHARACTERS_A_TOKEN) - len(asked)
    parts = [asked]
    if problem.test_command:
        parts.append(f"These tests must pass: {problem.test_command}")
    terms = terms_of(problem.prompt)
    for source in problem.sources:
        if room < _LEAST:
            break
        whole = len(source.text) <= room
        text = source.text if whole else excerpt(source.text, terms, room)
        parts.append(_file(source, text, whole=whole))
        room -= len(text)
    return "\n\n".join(parts)


def _file(source: SourceFile, text: str, *, whole: bool) -> str:
    language = PurePosixPath(source.path).suffix.lstrip(".")
    language = {"py": "python", "js": "javascript", "ts": "typescript", "rs": "rust"}.get(language, language)
    fence = "````" if "```" in text else "```"
    note = "" if whole else " (in part)"
    return f"{source.path}{note}\n{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"
