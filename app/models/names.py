"""A model's name as people read it: shorter where it is a path."""

from __future__ import annotations

from verifiers.safe_text import one_line


def short_name(name: str, width: int = 36) -> str:
    """A model's name in at most ``width`` characters: of a path, the end says most. Safe to show, since the
    logs of other programs bring names of their own."""
    name = one_line(name, 500)
    if len(name) <= width:
        return name
    prefix, colon, rest = name.partition(":")
    if not colon or "/" in prefix or "." in prefix:  # a colon within a name says not where it comes from
        last = f"…/{name.rsplit('/', 1)[-1]}"
        return last if "/" in name and len(last) <= width else f"…{name[1 - width :]}"
    last = rest.rsplit("/", 1)[-1].removesuffix(".gguf")
    head = f"{prefix}:…/"
    room = max(4, width - len(head))
    return head + (last if len(last) <= room else last[: room - 1] + "…")
