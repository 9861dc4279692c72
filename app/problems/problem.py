"""What is asked: one problem, as every other part of the program sees it.

A problem is data only. How its answer is extracted and judged is the verifiers' business, how it is put
to a model is ``app.models.prompts``'.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Kind = Literal["math", "code", "proof", "patch", "open"]
KINDS: tuple[Kind, ...] = ("math", "code", "proof", "patch", "open")


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One problem. Fields are those of the problem file format; unknown ones are ignored on reading.

    ``answer`` is the known answer, where there is one. ``tests`` holds the code kind's tests as they came:
    ``{"type": "python", "code": ...}`` or ``{"type": "stdio", "cases": [...], "seconds": ...}``.
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
    title: str | None = None
