"""The rows of the list: what is shown, in what order, and that it is the same however it came about."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.runs.state import RunState
from app.tui.widgets.changes import Changes
from app.tui.widgets.order import FILTERS, SORTS, Filter, GroupRow, SampleOrder, Sort
from tests.tui.fixtures.made_up import made_up


def rows(order: SampleOrder) -> list[int]:
    return [row for place in range(len(order)) if isinstance(row := order.row(place), int)]


def finish(order: SampleOrder, state: RunState) -> None:
    order.advance(state)
    while order.is_searching:
        order.advance(state)


def grown(
    steps: list[int], *, show: Filter = "all", sort: Sort = "newest", grouped: bool = False, needle: str = ""
) -> tuple[SampleOrder, RunState]:
    """An order that has watched a run grow in these steps."""
    state, order, changes = RunState(), SampleOrder(), Changes()
    order.show(state, filter=show, sort=sort, grouped=grouped, needle=needle)
    events = made_up(40, live=5, at_once=6)
    for step in (*steps, 10_000):
        for event in islice(events, step):
            state.apply(event)
        order.touch(changes.take(state))
        finish(order, state)
    return order, state


@given(
    st.lists(st.integers(1, 60), max_size=12), st.sampled_from(FILTERS), st.sampled_from(SORTS), st.booleans()
)
@settings(deadline=None, max_examples=60)
def test_rows_kept_while_a_run_grows_are_those_of_looking_at_it_anew(
    steps: list[int], show: Filter, sort: Sort, grouped: bool
) -> None:
    watched, state = grown(steps, show=show, sort=sort, grouped=grouped)
    anew = SampleOrder()
    anew.show(state, filter=show, sort=sort, grouped=grouped)
    finish(anew, state)
    assert len(watched) == len(anew)
    assert [watched.row(place) for place in range(len(anew))] == [
        anew.row(place) for place in range(len(anew))
    ]
    for place, index in enumerate(rows(anew)):
        if not grouped:
            assert watched.position(index) == place


def test_newest_first_keeps_no_row() -> None:
    order, state = grown([])
    assert rows(order) == list(reversed(range(45)))
    assert order.position(0) == 44
    assert state.started == 45


@pytest.mark.parametrize("verdict", ["right", "wrong", "undecided"])
def test_a_filter_shows_its_verdict_only(verdict: Filter) -> None:
    order, state = grown([], show=verdict)
    expected = [sample.index for sample in state.every_sample() if sample.verdict == verdict]
    assert rows(order) == expected[::-1]
    assert expected


def test_live_shows_what_is_being_written() -> None:
    order, state = grown([], show="live")
    assert rows(order) == sorted(state.live, reverse=True)


def test_a_search_looks_into_answers_and_texts_in_any_case() -> None:
    order, state = grown([], needle="TOGETHER")
    found = [sample.index for sample in state.every_sample() if "together" in sample.text.casefold()]
    assert rows(order) == found[::-1]
    assert 0 < len(found) < 45


def test_sorted_by_tokens_the_longest_ended_sample_comes_first_behind_the_live_ones() -> None:
    order, state = grown([], sort="tokens")
    ended = [state.samples[index] for index in rows(order) if index not in state.live]
    lengths = [sample.tokens for sample in ended if sample is not None]
    assert lengths == sorted(lengths, reverse=True)
    assert set(rows(order)[:5]) == set(state.live)


def test_groups_come_with_counts_largest_first_and_open() -> None:
    order, state = grown([], grouped=True)
    heads = [order.row(place) for place in range(len(order))]
    assert all(isinstance(head, GroupRow) for head in heads)
    counts = [head.count for head in heads if isinstance(head, GroupRow) and head.key]
    assert counts == sorted(counts, reverse=True)
    first = heads[0]
    assert isinstance(first, GroupRow)
    order.toggle(first.key)
    assert len(order) == len(heads) + first.count
    assert order.row(1) == max(state.groups[first.key])
    assert order.position(max(state.groups[first.key])) == 1
    order.toggle(first.key)
    assert len(order) == len(heads)


def test_looking_anew_at_many_samples_is_done_in_slices() -> None:
    state = RunState()
    for event in made_up(3000, deltas=0):
        state.apply(event)
    order = SampleOrder()
    order.show(state, sort="answer")
    order.advance(state, seconds=0)
    assert order.is_searching
    finish(order, state)
    assert len(order) == 3000


def test_changes_are_found_without_hearing_an_event() -> None:
    state, changes = RunState(), Changes()
    events = made_up(4, at_once=2)
    for event in islice(events, 4):
        state.apply(event)
    assert changes.take(state) == {0, 1}
    assert changes.take(state) == set()
    for event in events:
        state.apply(event)
    assert changes.take(state) == {0, 1, 2, 3}
    assert changes.take(state) == set()
