"""One request on the books: what it holds, and how each part of that ends exactly once.

A request is one prompt and some choices. Each of these parts has a hold of its own, because each ends on its
own: a choice that stops early frees the rest of its hold while its siblings still stream.
"""

from __future__ import annotations

from collections.abc import Callable

from budgets.amounts import Amounts
from budgets.books import LIMITS, Account, Units, amounts_of, charge, quantity_of, units_of
from budgets.refusals import AlreadySettled, Surprise

_PROMPT = -1
"""The number of the prompt among the parts of a call; choices count from 0."""


class Call:
    """One request on the books: a hold for its prompt and one for each choice, each settled exactly once.

    Made by ``Ledger.reserve``. ``id`` counts the calls of the ledger from 1; ``worst`` is what was reserved.
    """

    def __init__(
        self,
        id_: int,
        model: str,
        accounts: tuple[Account, ...],
        prompt: Units,
        each: Units,
        choices: int,
        *,
        on_surprise: Callable[[Surprise], None],
        on_close: Callable[[Call], None],
    ) -> None:
        self.id = id_
        self.model = model
        self.choices = choices
        self._accounts = accounts
        self._on_surprise, self._on_close = on_surprise, on_close
        self._prompt, self._each = prompt, each
        self._pending = set(range(_PROMPT, choices))
        for books in self._accounts:
            books.hold(prompt, 1)
            books.hold(each, choices)

    @property
    def worst(self) -> Amounts:
        """All that was reserved."""
        return amounts_of(self._prompt) + amounts_of(self._each).times(self.choices)

    @property
    def held(self) -> Amounts:
        """What is still reserved."""
        parts = len(self._pending) - (_PROMPT in self._pending)
        choices = amounts_of(self._each).times(parts) if parts else Amounts()
        return choices + amounts_of(self._prompt) if _PROMPT in self._pending else choices

    @property
    def is_open(self) -> bool:
        return bool(self._pending)

    def settle_prompt(self, known: Amounts, at_most: Amounts | None = None) -> None:
        """The prompt was read and cost ``known``, or up to ``at_most`` where not all of it can be known.

        An amount that is None counts as its whole hold. Raises ``AlreadySettled``, ``ValueError``.
        """
        self._settle(_PROMPT, known, at_most)

    def settle_choice(self, i: int, known: Amounts, at_most: Amounts | None = None) -> None:
        """Choice ``i`` ended and cost ``known`` (with ``samples=1`` where it brought a sample).

        Where the server may bill on after an interruption, ``known`` is what was seen and ``at_most`` the
        whole hold. An amount that is None counts as its whole hold. Raises ``AlreadySettled``,
        ``ValueError``.
        """
        self._check_choice(i)
        self._settle(i, known, at_most)

    def release_choice(self, i: int) -> None:
        """Choice ``i`` cost nothing: give its hold back. Raises ``AlreadySettled``."""
        self._check_choice(i)
        self._take(i)
        self._unhold(self._each)
        self._close_if_done()

    def close(self, *, lost: bool) -> None:
        """End the call. What is unsettled is given back, or if ``lost`` becomes spend at most (its samples
        excepted). Closing again changes nothing."""
        for part in sorted(self._pending):
            hold = self._prompt if part == _PROMPT else self._each
            if lost:
                self._settle(part, Amounts(), amounts_of(hold))
            else:
                self._take(part)
                self._unhold(hold)
        self._close_if_done()

    def _check_choice(self, i: int) -> None:
        if not 0 <= i < self.choices:
            raise ValueError(f"The call has choices 0 to {self.choices - 1}, not {i}.")

    def _take(self, part: int) -> None:
        if part not in self._pending:
            raise AlreadySettled(f"{_part_name(part)} of call {self.id} of {self.model} was settled before.")
        self._pending.discard(part)

    def _settle(self, part: int, known: Amounts, at_most: Amounts | None) -> None:
        known_units = units_of(known)
        most_units = known_units if at_most is None else units_of(at_most)
        self._take(part)
        hold = self._prompt if part == _PROMPT else self._each
        self._unhold(hold)
        for i, limit in enumerate(LIMITS):
            spent, most = charge(limit, known_units[i], most_units[i], hold[i])
            for account in self._accounts:
                account.add(i, spent, most)
            above = 0 if most is None or hold[i] is None else most - (hold[i] or 0)
            if above > 0:
                by = quantity_of(limit, above)
                self._on_surprise(Surprise(self.model, _part_name(part), limit, by))
        self._close_if_done()

    def _unhold(self, hold: Units) -> None:
        for account in self._accounts:
            account.hold(hold, -1)

    def _close_if_done(self) -> None:
        if not self._pending:
            self._on_close(self)


def _part_name(part: int) -> str:
    return "the prompt" if part == _PROMPT else f"choice {part}"
