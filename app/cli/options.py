"""The options that several commands share, each written once, and what their words mean.

Every value is checked here, before a model is looked up or a journal opened, so that a slip costs a line and
not a minute.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Annotated, TypeAlias, TypeVar

import typer

from app.cli.out import Output
from app.errors import BadInput

_T = TypeVar("_T")


def _use_cluster(address: str | None) -> str | None:
    """The option is the setting of the same name for this one program, and for what it starts."""
    if address is not None:
        os.environ["MONKEYS_CLUSTER"] = address
    return address


OutputOption: TypeAlias = Annotated[Output, typer.Option("--output", "-o", help="How to print the result.")]
PriceOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--price", metavar="IN,OUT", help="Dollars per million tokens, for a model without a known price."
    ),
]
RewardOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--reward", metavar="R", help="What scores the samples: embedded, likelihood, judge:M, ..."),
]
TranslatorOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--translator", metavar="M", help="The model that re-writes solutions as programs (CoTnPoT)."
    ),
]
ShareOption: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--translation-share", metavar="X", help="Of the budget, for --translator: 0 to 1, 0.5 by default."
    ),
]
BaseUrlOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="Where the model is served; several are used together. Never kept.",
    ),
]

ClusterOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="A Ray cluster that checks programs and proofs: auto, HOST:PORT or ray://HOST:PORT.",
        callback=_use_cluster,
    ),
]


def amount(option: str, text: str | None, parse: Callable[[str], _T]) -> _T | None:
    """The parsed value of a limit, or ``None`` where the option is not given. Raises ``BadInput``."""
    if text is None:
        return None
    from budgets.amounts import AmountError

    try:
        value = parse(text)
    except AmountError as error:
        raise BadInput(f"{option}: {error}", None) from None
    return value


def limit(option: str, text: str | None, parse: Callable[[str], _T]) -> _T | None:
    """As ``amount``, for limits, which must be above zero."""
    value = amount(option, text, parse)
    if value is not None and not value > 0:  # type: ignore[operator]
        raise BadInput(f"{option} {text} buys nothing.", "Give a limit above zero, or leave it out.")
    return value


def within(option: str, value: float | None, low: float, high: float, *, open_low: bool = False) -> None:
    """Raises ``BadInput`` unless the value is a number in the range."""
    if value is None:
        return
    if not math.isfinite(value) or not low <= value <= high or (open_low and value == low):
        where = f"above {low:,g} and up to {high:,}" if open_low else f"from {low:,} to {high:,}"
        raise BadInput(f"{option} {value:g} is out of range.", f"Give a number {where}.")


def helper(option: str, given: str | None, usual: str | None) -> str | None:
    """The name of a reward or a translator; ``none`` leaves out what the settings name. Raises
    ``BadInput``."""
    if given is not None and not given.strip():
        raise BadInput(f"{option} names nothing.", "Name one, or leave it out.")
    name = usual if given is None else given.strip()
    return None if name is None or name.lower() == "none" else name


def clean_text(option: str, text: str | None) -> str | None:
    """Text from the command line, which may hold bytes that are no text. Raises ``BadInput``."""
    if text is not None and any("\ud800" <= character <= "\udfff" for character in text):
        raise BadInput(f"{option} is not UTF-8 text.", "Put it into a file, and give it with --file.")
    return text


def refuse(option: str, given: object, instead: str) -> None:
    """Raises ``BadInput`` for an option whose part of the program is still to come."""
    if given:
        raise BadInput(f"{option} is not in this version yet.", instead)
