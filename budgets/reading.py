"""Amounts as people write them, read exactly or refused.

What can be read in two ways ("1.000 samples", "10m", a bare number among several limits) is refused, like
what no run can use; the message says in one line what to write instead.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal

from budgets.quantities import AmountError, BudgetField, Usd

_EXACT = Context(prec=120)
_MOST_USD = Decimal(10) ** 9
_MOST_FLOPS = 10**30
_MOST_COUNT = 10**15
_MOST_SECONDS = 10**9

_NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|\.(?!\d))?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_SPLIT = re.compile(r"([+-]?[0-9.,]+(?:[eE][+-]?[0-9]+)?)\s*(.*)", re.DOTALL)
_GROUPED_BY_DOTS = re.compile(r"\d{1,3}(?:\.\d{3})+", re.ASCII)


def _split(text: str, what: str, example: str) -> tuple[Decimal, str]:
    """The number that ``text`` begins with, exactly, and the rest as written."""
    stripped = text.strip()
    if re.fullmatch(r"[+-]?\s*(nan|inf|infinity)\b.*", stripped, re.IGNORECASE):
        raise AmountError(f"{_quoted(text)} is not a finite {what}; write for example {example}.")
    match = _SPLIT.fullmatch(stripped)
    if match is None:
        raise AmountError(f"{_quoted(text)} is not a {what}; write for example {example}.")
    number, rest = match.group(1), match.group(2).strip()
    if number.startswith("-"):
        raise AmountError(f"{_quoted(text)} is below zero; write a {what} such as {example}.")
    number = number.removeprefix("+")
    if not re.search(r"[0-9]", number) or _NUMBER.fullmatch(number) is None:
        raise AmountError(
            f"{_quoted(number)} is not a number; write decimals with a point, for example {example}."
        )
    return Decimal(number.replace(",", "")), rest


def _quoted(text: str) -> str:
    """What was written, in quotes and on one short line."""
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _believed(value: Decimal, most: Decimal | int, text: str, what: str) -> Decimal:
    if value > most:
        raise AmountError(f"{_quoted(text)} is more than any run can use; give a {what} of at most {most:,}.")
    return value


_MONEY = {
    **dict.fromkeys(("", "$", "usd", "dollar", "dollars"), Decimal(1)),
    **dict.fromkeys(("¢", "cent", "cents"), Decimal("0.01")),
    "k": Decimal(1000),
}


def parse_usd(text: str) -> Usd:
    """Dollars from ``$0.50``, ``0.5``, ``1,200 USD``, ``75 cents`` or ``$2k``. Raises ``AmountError``."""
    body = text.strip()
    example = "$0.50"
    value, unit = _split(body.removeprefix("$").lstrip(), "number of dollars", example)
    factor = _MONEY.get(unit.lower())
    if factor is None or (body.startswith("$") and unit.lower() not in ("", "k", "usd")):
        raise AmountError(
            f"{_quoted(unit)} is not a unit of money known here; write dollars, such as {example}."
        )
    return _believed(value * factor, _MOST_USD, text, "number of dollars")


_PREFIXES = {"": 0, "k": 3, "m": 6, "g": 9, "t": 12, "p": 15, "e": 18, "z": 21, "y": 24}
_FLOPS = re.compile(
    r"(?:(k|m|g|t|p|e|z|y|kilo|mega|giga|tera|peta|exa|zetta|yotta)?[ -]?flops?)?", re.IGNORECASE | re.ASCII
)
_LARGE = {"": 0, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}


def parse_flops(text: str) -> int:
    """A count of operations from ``2e15``, ``1.5 PFLOP`` or ``2 petaflops``. Raises ``AmountError``."""
    value, unit = _split(text, "number of FLOPs", "2e15 or 1.5 PFLOP")
    if re.search(r"/\s*s|per\s*s", unit, re.IGNORECASE):
        raise AmountError(
            f"{_quoted(text)} is a speed; a budget is a count of operations, for example 1.5 PFLOP."
        )
    match = _FLOPS.fullmatch(unit)
    if match is None:
        raise AmountError(f"{_quoted(unit)} is not a unit of FLOPs; write for example 1.5 PFLOP or 1.5e15.")
    scaled = value.scaleb(_PREFIXES[(match.group(1) or "")[:1].lower()], _EXACT)
    return _whole(_believed(scaled, _MOST_FLOPS, text, "number of FLOPs"), text)


def parse_count(text: str) -> int:
    """A whole number from ``200``, ``1,000``, ``20k``, ``1.5M`` or ``1e4``. Raises ``AmountError``."""
    value, unit = _split(text, "whole number", "200 or 20k")
    head = text.strip().removeprefix("+")
    if not unit and _GROUPED_BY_DOTS.fullmatch(head):
        raise AmountError(
            f"{_quoted(text)} can be read in two ways; write {head.replace('.', '')} or {value:.0f}."
        )
    power = {"k": 3, "m": 6, "b": 9, **_LARGE}.get(unit.lower())
    if power is None:
        raise AmountError(f"{_quoted(unit)} is not a unit of a count; write for example 200, 20k or 1.5M.")
    scaled = value.scaleb(power, _EXACT)
    return _whole(_believed(scaled, _MOST_COUNT, text, "number"), text)


def _whole(value: Decimal, text: str) -> int:
    if value != value.to_integral_value():
        nearest = max(1, round(value))
        raise AmountError(f"{_quoted(text)} is not a whole number; write for example {nearest}.")
    return int(value)


_SECONDS = {
    "ms": 0.001, "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400, "days": 86400,
}  # fmt: skip


def parse_seconds(text: str) -> float:
    """Seconds from ``90``, ``90 s``, ``10 min``, ``1h30m`` or ``1:30`` (minutes). Raises ``AmountError``."""
    example = "90 s or 10 min"
    body = text.strip()
    clock = re.fullmatch(r"(?:(\d+):)?(\d{1,2}):(\d{2})", body, re.ASCII)
    if clock is not None:
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        if (clock.group(1) is not None and minutes > 59) or seconds > 59:
            raise AmountError(
                f"{_quoted(text)} is not a time; minutes and seconds go up to 59, for example 1:30."
            )
        return _in_seconds(Decimal(hours * 3600 + minutes * 60 + seconds), "s", text)
    parts = re.findall(r"([+-]?[\d.,]+(?:e[+-]?\d+)?)\s*([a-z]*)\s*", body, re.IGNORECASE | re.ASCII)
    if len(parts) < 2:
        value, unit = _split(body, "length of time", example)
        return _in_seconds(value, unit or "s", text)
    if "".join(number + unit for number, unit in parts) != re.sub(r"\s+", "", body):
        raise AmountError(f"{_quoted(text)} is not a length of time; write for example {example}.")
    if any(unit == "" for _, unit in parts):
        raise AmountError(f"{_quoted(text)} has a number without its unit; write for example 1h30m.")
    return sum(
        _in_seconds(_split(number, "length of time", example)[0], unit, text) for number, unit in parts
    )


def _in_seconds(value: Decimal, unit: str, text: str) -> float:
    factor = _SECONDS.get(unit.lower())
    if factor is None:
        raise AmountError(f"{_quoted(unit)} is not a unit of time; write for example 90 s, 10 min or 2 h.")
    return float(_believed(value * Decimal(str(factor)), _MOST_SECONDS, text, "length of time in seconds"))


def parse_limit(text: str) -> tuple[BudgetField, Decimal | int | float]:
    """One limit with its unit: ``$0.50``, ``200 samples``, ``1.5 PFLOP``, ``10 min``, ``20k tokens``.

    Returns the field of ``Budget`` it belongs to and its value. Raises ``AmountError``, also for a bare
    number and for ``10m``, which could be minutes or millions.
    """
    body = text.strip()
    lower = body.lower()
    if "$" in body or re.search(r"(usd|dollars?|cents?|¢)$", lower):
        return "usd", parse_usd(body)
    counted = re.fullmatch(r"(.*?)(sample|token)s?", body, re.IGNORECASE | re.DOTALL)
    if counted is not None:
        count = parse_count(counted.group(1).strip())
        return ("samples", count) if counted.group(2).lower() == "sample" else ("tokens", count)
    if re.search(r"flops?\b", lower):
        return "flops", parse_flops(body)
    example = "$0.50, 200 samples, 20k tokens, 1.5 PFLOP or 10 min"
    if re.fullmatch(r"[+-]?[\d.,]+(e[+-]?\d+)?\s*([kmb])?", lower, re.ASCII):
        reading = " (10m could be minutes or millions)" if lower.endswith("m") else ""
        raise AmountError(f"{_quoted(text)} has no unit{reading}; write for example {example}.")
    if ":" in body:
        return "seconds", parse_seconds(body)
    try:
        return "seconds", parse_seconds(body)
    except AmountError as error:
        raise AmountError(f"{_quoted(text)} is not a limit; write for example {example}.") from error
