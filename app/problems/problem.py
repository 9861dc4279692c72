"""What is asked: one problem, as every other part of the program sees it.

A problem is data only. How its answer is extracted and judged is the verifiers' business, how it is put
to a model is ``app.models.prompts``'.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Kind = Literal["math", "code", "proof", "patch", "open"]
KINDS: tuple[Kind, ...] = ("math", "code", "proof", "patch", "open")


class SourceFile(msgspec.Struct, frozen=True):
    """A file of a repository, or the part of it that matters, as a model is shown it."""

    path: str
    text: str


class Worked(msgspec.Struct, frozen=True):
    """A question with its solution, as a model is shown one."""

    question: str
    answer: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One problem. Fields are those of the problem file format; unknown ones are ignored on reading.

    ``answer`` is the known answer, where there is one. ``tests`` holds the code kind's tests as they came:
    ``{"type": "python", "code": ...}`` or ``{"type": "stdio", "cases": [...], "seconds": ...}``.

    A patch's ``repo`` is a folder. ``base_commit`` is where to start from instead of the folder as it stands,
    ``test_patch`` a diff of tests to add first, ``files`` the paths that the user names, and ``sources`` what
    a model is shown of the repository (``app.problems.repository`` fills it in). ``test_seconds`` bound one
    run of the test command, ``repeat_tests`` is how often tests run, the majority deciding.
    """

    id: str
    kind: Kind
    prompt: str
    answer: str | None = None
    entry_point: str | None = None
    tests: dict[str, Any] | None = None
    language: str | None = None
    preamble: str | None = None
    statement: str | None = None
    repo: str | None = None
    test_command: str | None = None
    fail_to_pass: tuple[str, ...] = ()
    pass_to_pass: tuple[str, ...] = ()
    base_commit: str | None = None
    test_patch: str | None = None
    files: tuple[str, ...] = ()
    sources: tuple[SourceFile, ...] = ()
    test_seconds: float | None = None
    repeat_tests: int = 1
    title: str | None = None
