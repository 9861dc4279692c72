"""Why a run is over that has nothing in flight: no model left to ask, or no room left under a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.runs import events as ev
from app.runs.lanes import Lane
from app.runs.offers import Offers
from app.runs.rent import Rent
from app.runs.state import RunState
from budgets.amounts import Amounts
from budgets.ledger import Ledger

NoRoom = Callable[[Amounts, int], str | None]

_WORDS: dict[str, str] = {"usd": "dollars", "flops": "FLOPs"}


def why_over(
    state: RunState,
    lanes: Iterable[Lane],
    ledger: Ledger,
    offers: Offers,
    rent: Rent,
    no_room: NoRoom,
    now: float,
) -> tuple[ev.Status, str] | None:
    """The status and reason to end with; ``None`` while a model only rests. ``now`` is the clock's;
    ``no_room`` says which limit has none for what samples cost after they have come."""
    able = [lane for lane in lanes if not lane.set_aside]
    if not able:
        told = [status.detail for status in state.model_status.values() if status.detail]
        why = told[-1] if told else "No model is left to ask."
        if not state.finished:
            return "failed", why
        return "stopped", f"No model is left to ask after {state.finished:,} samples: {why}"
    if any(lane.rests_until > now for lane in able):
        return None
    if not rent.affords(able[0].name):
        return "budget", "The limit on dollars pays for no time of this machine: raise it."
    prompt, each = offers.worst(able[0])
    limit = ledger.binding(prompt, each, able[0].name)
    if limit is None and (helped := no_room(prompt + each, 1)):
        word = _WORDS.get(helped, helped)
        return (
            "budget",
            f"The limit on {word} leaves no room for one more sample, its program and its reward.",
        )
    if limit is None:
        return "completed", "Nothing is left to do."
    word = _WORDS.get(limit, limit)
    if not state.calls:
        return "budget", f"The limit on {word} does not pay for one sample: raise it or lower max tokens."
    return "budget", f"The limit on {word} leaves no room for one more sample."
