"""Which samples the list shows, and in what order.

Newest first with nothing filtered is arithmetic and needs no memory. Every other view keeps its rows sorted
and moves only the samples that changed: sorting 100,000 samples anew ten times a second would be the slowest
thing on the screen. A view that has to look at every sample again (a new filter, another sort) does so in
slices of a few milliseconds, so that keys stay quick meanwhile.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import Final, Literal, TypeAlias

from app.runs.state import RunState, Sample

Filter = Literal["all", "right", "wrong", "undecided", "live"]
Sort = Literal["newest", "answer", "verdict", "tokens"]
FILTERS: Final[tuple[Filter, ...]] = ("all", "right", "wrong", "undecided", "live")
SORTS: Final[tuple[Sort, ...]] = ("newest", "answer", "verdict", "tokens")

_SLICE = 256
_BULK = 512
"""Above so many rows at once, sorting the list again is cheaper than inserting one by one."""
_VERDICT_RANK = {"right": 0, "wrong": 1, "undecided": 2, None: 3}
NO_ANSWER = ""

_Key: TypeAlias = tuple[int, str | int, int]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """The heading above the samples that gave one answer. ``key`` is "" for those that gave none."""

    key: str
    count: int
    first: int
    open: bool


Row: TypeAlias = int | GroupRow
"""A sample's index, or a heading."""


class SampleOrder:
    def __init__(self) -> None:
        self.filter: Filter = "all"
        self.needle = ""
        self.sort: Sort = "newest"
        self.grouped = False
        self.opened: set[str] = set()
        self._started = 0
        self._keys: dict[int, tuple[str, _Key]] = {}
        self._groups: dict[str, list[_Key]] = {}
        self._pending: deque[int] = deque()
        self._queued: set[int] = set()
        self._heads: list[str] = []
        self._starts: list[int] = []
        self._length = 0

    # -- what is asked -------------------------------------------------------------------------------------

    @property
    def is_plain(self) -> bool:
        """Every sample, newest first: no row is kept, all are computed."""
        return self.filter == "all" and not self.needle and self.sort == "newest" and not self.grouped

    @property
    def is_searching(self) -> bool:
        return bool(self._pending)

    def show(
        self,
        state: RunState,
        *,
        filter: Filter | None = None,  # noqa: A002
        needle: str | None = None,
        sort: Sort | None = None,
        grouped: bool | None = None,
    ) -> None:
        """Look at the samples in another way. The rows follow over the next calls of ``advance``."""
        self.filter = self.filter if filter is None else filter
        self.needle = self.needle if needle is None else needle.casefold()
        self.sort = self.sort if sort is None else sort
        self.grouped = self.grouped if grouped is None else grouped
        self.rebuild(state)

    def rebuild(self, state: RunState) -> None:
        """Forget every row and look at every sample again."""
        self._keys.clear()
        self._groups.clear()
        self._queued.clear()
        self._pending.clear()
        self._started = len(state.samples)
        if not self.is_plain:
            self._pending.extend(range(self._started - 1, -1, -1))
            self._queued.update(self._pending)
        self._lay_out()

    def touch(self, indices: Iterable[int]) -> None:
        """These samples began, ended or were judged."""
        if self.is_plain:
            return
        for index in indices:
            if index not in self._queued:
                self._queued.add(index)
                self._pending.append(index)

    def advance(self, state: RunState, seconds: float = 0.008) -> None:
        """Put changed samples into their places, for about so long."""
        self._started = len(state.samples)
        if self.is_plain or not self._pending:
            return
        until = perf_counter() + seconds
        while self._pending and perf_counter() < until:
            self._place(state, list(islice(self._taken(), _SLICE)))
        self._lay_out()

    # -- the rows ------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._started if self.is_plain else self._length

    def row(self, position: int) -> Row:
        if self.is_plain:
            return self._started - 1 - position
        if not self.grouped:
            return -self._groups[NO_ANSWER][position][2]
        at = bisect_right(self._starts, position) - 1
        key = self._heads[at]
        members = self._groups[key]
        inside = position - self._starts[at] - 1
        if inside < 0:
            return GroupRow(key, len(members), -members[-1][2], key in self.opened)
        return -members[inside][2]

    def position(self, index: int) -> int | None:
        """Where a sample stands, or ``None`` where it is not shown."""
        if self.is_plain:
            return self._started - 1 - index if 0 <= index < self._started else None
        placed = self._keys.get(index)
        if placed is None:
            return None
        group, key = placed
        inside = bisect_left(self._groups[group], key)
        if not self.grouped:
            return inside
        start = self._starts[self._heads.index(group)]
        return start + 1 + inside if group in self.opened else start

    def heading(self, key: str) -> int | None:
        """Where a group's heading stands."""
        return self._starts[self._heads.index(key)] if key in self._groups and key in self._heads else None

    def toggle(self, key: str) -> None:
        """Open or close a group."""
        self.opened.symmetric_difference_update((key,))
        self._lay_out()

    # -- how it is kept ------------------------------------------------------------------------------------

    def _taken(self) -> Iterable[int]:
        while self._pending:
            index = self._pending.popleft()
            self._queued.discard(index)
            yield index

    def _place(self, state: RunState, indices: list[int]) -> None:
        unsorted: set[str] = set()
        for index in indices:
            sample = state.samples[index]
            if sample is None:
                continue
            self._remove(index)
            if not self._wanted(sample):
                continue
            group = (sample.group or NO_ANSWER) if self.grouped else NO_ANSWER
            key = self._key(sample)
            self._keys[index] = (group, key)
            members = self._groups.setdefault(group, [])
            if members and len(self._pending) > _BULK:
                # Sorted in one go below: while a whole view is being built nothing is looked up in it.
                members.append(key)
                unsorted.add(group)
            elif group in unsorted:
                members.append(key)
            else:
                insort(members, key)
        for group in unsorted:
            self._groups[group].sort()

    def _remove(self, index: int) -> None:
        placed = self._keys.pop(index, None)
        if placed is None:
            return
        group, key = placed
        members = self._groups[group]
        at = bisect_left(members, key)
        if at < len(members) and members[at] == key:
            del members[at]
        else:
            members.remove(key)
        if not members:
            del self._groups[group]

    def _wanted(self, sample: Sample) -> bool:
        if self.filter == "live":
            if sample.status != "live":
                return False
        elif self.filter != "all" and sample.verdict != self.filter:
            return False
        if not self.needle:
            return True
        return self.needle in (sample.answer or "").casefold() or self.needle in sample.text.casefold()

    def _key(self, sample: Sample) -> _Key:
        live = 0 if sample.status == "live" else 1
        by: str | int = 0
        if live and self.sort == "answer":
            by = sample.group or "\U0010ffff"
        elif live and self.sort == "verdict":
            by = _VERDICT_RANK[sample.verdict]
        elif live and self.sort == "tokens":
            by = -sample.tokens
        elif self.sort == "newest":
            live = 0
        elif self.sort == "answer":
            by = ""
        return (live, by, -sample.index)

    def _lay_out(self) -> None:
        if self.is_plain:
            return
        if not self.grouped:
            self._groups.setdefault(NO_ANSWER, [])
            self._length = len(self._groups[NO_ANSWER])
            return
        self._heads = sorted(
            self._groups,
            key=lambda key: (key == NO_ANSWER, -len(self._groups[key]), -self._groups[key][-1][2]),
        )
        self._starts = []
        at = 0
        for key in self._heads:
            self._starts.append(at)
            at += 1 + (len(self._groups[key]) if key in self.opened else 0)
        self._length = at
