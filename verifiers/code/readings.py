"""How a reply can be read as a program, the likeliest reading first.

A base model goes on where the prompt's signature ends; a chat model writes a block, often without the imports
that stood in the prompt; either may lose the first line's indentation. Which of the readings is Python is
found out in the sandbox, since a hostile text can be too much for a parser.
"""

from __future__ import annotations

import re
import textwrap

from verifiers.answers import extract_answer

_FENCE = re.compile(r"^[ \t]{0,12}(?:```|~~~)", re.MULTILINE)


def readings(reply: str, *, prompt: str, entry_point: str | None, cut_off: bool = False) -> tuple[str, ...]:
    """Programs that ``reply`` may mean; none if it holds no program. ``prompt`` is what was asked, and is
    joined to the reply where it opens the function ``entry_point`` itself."""
    found: list[str] = []
    opens = entry_point is not None and _defines(prompt, entry_point)
    if opens and not _FENCE.search(reply) and reply.strip():
        found += _continued(prompt, reply)
    program = extract_answer(reply, "code", cut_off=cut_off, entry_point=entry_point).answer
    if program is not None:
        if opens and entry_point is not None and not _defines(program, entry_point):
            found += _continued(prompt, program)
        elif opens:
            found.append(f"{prompt.rstrip()}\n    pass\n\n{textwrap.dedent(program)}")
        found.append(textwrap.dedent(program))
    return tuple(dict.fromkeys(found))


def _defines(text: str, name: str) -> bool:
    name = re.escape(name)
    return re.search(rf"^(?:async[ ]+)?def[ ]+{name}\b|^{name}[ ]*=", text, re.MULTILINE) is not None


def _continued(prompt: str, text: str) -> list[str]:
    whole = prompt if prompt.endswith("\n") else f"{prompt}\n"
    indented = textwrap.indent(textwrap.dedent(text), "    ")
    return [whole + text, f"{whole}    {text.lstrip()}", whole + indented]
