"""A model's name as people read it: shorter where it is a path."""

from __future__ import annotations


def short_name(name: str, width: int = 36) -> str:
    """A model's name in at most ``width`` characters: of a path, the end says most."""
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
