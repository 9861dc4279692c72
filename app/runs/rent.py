"""Dollars of a machine that is paid by the hour, for the seconds that models on it are at work.

Nobody bills these seconds one by one, so they are bought ahead like everything else: while a model has
anything in flight it holds the rent of a slice of time to come. Shortly before the slice is over it is
settled at the time that truly passed, and the next one reserved in the same turn; where the cap on dollars
pays for no more time, the work has to end while there is still some left to end it in. So the time that
passes is always paid for, the cap is never passed, and what a crash leaves open is spent at most.

Every model pays for its own seconds. Two that work at once on one machine pay twice: the books would rather
say too much than too little.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Final

from app.runs import events as ev
from budgets.amounts import Amounts, Usd
from budgets.ledger import Call, Ledger, LedgerError
from budgets.rates import gpu_cost

SLICE: Final = 10.0
"""Seconds bought at once, where the cap allows."""
LEAST: Final = 0.05
"""Seconds that must be left to buy, or none are bought."""
_AHEAD: Final = 0.25
"""Seconds before a slice is over at which the next one is bought, or the work is ended; a quarter of a
slice that is shorter than four of them."""
_NOTHING: Final = Amounts()
_EXACT: Final = Context(prec=120)
_FEMTO: Final = Decimal("1e-15")


@dataclass(frozen=True, slots=True)
class _Slice:
    """Time bought for one model: ``seconds`` from ``begin``, in seconds of the run."""

    begin: float
    seconds: float
    held: Usd
    call: Call

    @property
    def renew_at(self) -> float:
        return self.begin + self.seconds - min(_AHEAD, self.seconds / 4)


class Rent:
    """The slices of one run, bought for ``models`` alone, which are those that work on the machine.
    ``usd_per_hour`` is ``None`` or zero where it costs nothing.

    ``used_up`` turns true where the cap pays for no more time: what is in flight then has to be cut short.
    """

    def __init__(self, usd_per_hour: Usd | None, ledger: Ledger, models: Container[str]) -> None:
        self._rate = usd_per_hour or Decimal(0)
        self._ledger = ledger
        self._models = models
        self._slices: dict[str, _Slice] = {}
        self.used_up = False

    def affords(self, model: str) -> bool:
        """Whether the model may start to work, or work on."""
        return not self._must_buy(model) or self._seconds() >= LEAST

    def begin(self, model: str, at: float) -> list[ev.Event]:
        """The model starts on a request: buy its first slice, unless it has one."""
        return [self._buy(model, at)] if self._must_buy(model) else []

    def keep(self, at: float, busy: Container[str]) -> list[ev.Event]:
        """Settle what is over, and buy what comes next for the models that are ``busy``."""
        found: list[ev.Event] = []
        for model, slice_ in list(self._slices.items()):
            if model not in busy:
                found.append(self._settle(model, at))
            elif at >= slice_.renew_at:
                found += self._renew(model, slice_, at)
        return found

    def end(self, at: float) -> list[ev.Event]:
        """Nothing is in flight any more: settle everything."""
        self.used_up = False
        return [self._settle(model, at) for model in list(self._slices)]

    @property
    def wakes_at(self) -> float | None:
        """When ``keep`` has to be asked next, in seconds of the run."""
        return min((slice_.renew_at for slice_ in self._slices.values()), default=None)

    def _must_buy(self, model: str) -> bool:
        return bool(self._rate) and model in self._models and model not in self._slices

    def _renew(self, model: str, slice_: _Slice, at: float) -> list[ev.Event]:
        left = max(0.0, slice_.begin + slice_.seconds - at)
        unspent = slice_.held - min(slice_.held, gpu_cost(self._rate, _busy(slice_, at)))
        if self._seconds(unspent) - left < LEAST:
            self.used_up = True
            return []
        found = [self._settle(model, at)]
        try:
            found.append(self._buy(model, at))
        except LedgerError:  # time ran on past what was left, or dollars can no longer be counted
            self.used_up = True
        return found

    def _buy(self, model: str, at: float) -> ev.Event:
        seconds = self._seconds()
        held = gpu_cost(self._rate, seconds)
        self._slices[model] = _Slice(at, seconds, held, self._reserve(model, held))
        return ev.CallStarted(
            at=at, call=ev.RENT, model=model, samples=(), seed=0, held=Amounts(held), purpose="time"
        )

    def _settle(self, model: str, at: float) -> ev.Event:
        slice_ = self._slices.pop(model)
        usd = gpu_cost(self._rate, _busy(slice_, at))
        over = usd - slice_.held
        room = self._room()
        if over > 0 and not self._ledger.stopped and (room is None or over <= room):
            # the program stood still past the slice's end, which the cap can still pay for
            self._reserve(model, over).settle_prompt(Amounts(over))
            slice_.call.settle_prompt(Amounts(slice_.held))
        else:
            slice_.call.settle_prompt(Amounts(usd))
        cost = Amounts(usd)
        return ev.Charged(
            at=at,
            call=ev.RENT,
            model=model,
            sample=None,
            known=cost,
            at_most=cost,
            released=Amounts(slice_.held),
            purpose="time",
        )

    def _reserve(self, model: str, usd: Usd) -> Call:
        call = self._ledger.reserve(model, prompt=Amounts(usd), each=_NOTHING, choices=1)
        call.release_choice(0)
        return call

    def _seconds(self, more: Usd = Decimal(0)) -> float:
        """The length of the longest slice that the cap has room for, ``more`` dollars being given back.

        Whole microseconds, so that what they cost is never above the room.
        """
        room = self._room()
        if room is None:
            return SLICE
        micro = _EXACT.divide(_EXACT.multiply(room + more, Decimal(3_600_000_000)), self._rate)
        return min(SLICE, max(0, int(micro.to_integral_value(ROUND_FLOOR))) / 1e6)

    def _room(self) -> Usd | None:
        """What is left of the cap on dollars, below zero where it was lowered; ``None`` without a cap."""
        cap, books = self._ledger.budget.usd, self._ledger.books
        if cap is None:
            return None
        spent = (books.at_most.usd or Decimal(0)) + (books.reserved.usd or Decimal(0))
        return cap.quantize(_FEMTO, ROUND_FLOOR, _EXACT) - spent


def _busy(slice_: _Slice, at: float) -> float:
    """Seconds of the slice that have passed, to the microsecond."""
    return max(0.0, round(at - slice_.begin, 6))
