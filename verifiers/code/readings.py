"""How a reply can be read as a program, the likeliest reading first.

A base model goes on where the prompt's signature ends; a chat model writes a block, often without the imports
that stood in the prompt; either may lose the first line's indentation. Which of the readings is Python is
found out in the sandbox, since a hostile text can be too much for a parser.
"""

from __future__ import annotations

import re
import textwrap
from typing import Final

from verifiers.answers import extract_answer

_FENCE: Final = re.compile(r"^[ \t]{0,12}(?:```|~~~)", re.MULTILINE)
_CODE: Final = re.compile(r"[=:(\[]|\bimport\b|\breturn\b|\bpass\b")
"""Without any of these a reply is prose."""
_MARGIN: Final = re.compile(r"\n(?=\S)")


def readings(reply: str, *, prompt: str, entry_point: str | None, cut_off: bool = False) -> tuple[str, ...]:
    """Programs that ``reply`` may mean; none if it holds no program. ``prompt`` is what was asked, and is
    joined to the reply where it opens the function ``entry_point`` itself."""
    found: list[str] = []
    opens = entry_point is not None and _defines(prompt, entry_point)
    bare = None if _FENCE.search(reply) or not _CODE.search(reply) else reply
    if bare is not None and cut_off:
        # A base model that rambles on has finished the function once a line stands at the margin again.
        finished = _MARGIN.search(bare)
        bare = bare[: finished.start() + 1] if opens and finished is not None else None
    if opens and bare is not None:
        found += _continued(prompt, bare)
    program = extract_answer(reply, "code", cut_off=cut_off, entry_point=entry_point).answer
    for text in (bare, program):
        if text is None:
            continue
        if opens and entry_point is not None and not _defines(text, entry_point):
            found += _continued(prompt, text)
        elif opens:
            found.append(f"{prompt.rstrip()}\n    pass\n\n{textwrap.dedent(text)}")
        found.append(textwrap.dedent(text))
    return tuple(dict.fromkeys(found))


def _defines(text: str, name: str) -> bool:
    name = re.escape(name)
    return re.search(rf"^(?:async[ ]+)?def[ ]+{name}\b|^{name}[ ]*=", text, re.MULTILINE) is not None


def _continued(prompt: str, text: str) -> list[str]:
    whole = prompt if prompt.endswith("\n") else f"{prompt}\n"
    indented = textwrap.indent(textwrap.dedent(text), "    ")
    return [whole + text, f"{whole}    {text.lstrip()}", whole + indented]
