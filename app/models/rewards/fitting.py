"""A conversation in tokens, cut to a context from the left: the end of a solution says most about it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

TRUNCATED = "longer than the reward model's context: its beginning was left out"


class Conversation(msgspec.Struct, frozen=True):
    """Problem and solution as a model reads them: ``head`` ends where the solution begins."""

    head: tuple[int, ...]
    body: tuple[int, ...]
    truncated: bool

    @property
    def whole(self) -> list[int]:
        return [*self.head, *self.body]


def split_at(head: Sequence[int], whole: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """``whole`` in two where ``head`` ends, or all of it as the second part where it begins otherwise: some
    templates write a finished turn unlike one that is to be continued."""
    if list(whole[: len(head)]) != list(head):
        return (), tuple(whole)
    return tuple(head), tuple(whole[len(head) :])


def fitted(head: Sequence[int], body: Sequence[int], room: int) -> Conversation:
    """All of ``head`` and the end of ``body``, ``room`` tokens at most; of a head that would take more than
    half of them the end as well."""
    room = max(room, 1)
    head, body = tuple(head), tuple(body)
    if len(head) + len(body) <= room:
        return Conversation(head, body, truncated=False)
    if len(head) > room // 2:
        head = head[len(head) - max(room // 2, room - len(body)) :]
    return Conversation(head, body[max(0, len(body) - (room - len(head))) :], truncated=True)
