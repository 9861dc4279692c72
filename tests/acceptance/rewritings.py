"""How people write an answer otherwise, and what they write when they miss it: by rule for numbers, from
``math_rewritings.toml`` for everything else."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

_FRACTION = re.compile(r"(-?)\\frac\{(\d+)\}\{(\d+)\}")


@dataclass(frozen=True, slots=True)
class Rewritten:
    known: str
    same: tuple[str, ...]
    wrong: tuple[str, ...]


def table() -> dict[str, Rewritten]:
    """The rows of the file, by the answer as the data set writes it."""
    text = Path(__file__).with_name("math_rewritings.toml").read_text(encoding="utf-8")
    return {
        row["known"]: Rewritten(row["known"], tuple(row["same"]), tuple(row["wrong"]))
        for row in tomllib.loads(text)["answer"]
    }


def rewritten(answer: str) -> Rewritten:
    """The rewritings and near misses of ``answer``. Raises ``KeyError`` for what no rule and no row has."""
    if re.fullmatch(r"-?\d+", answer):
        return _of_whole(int(answer))
    match = _FRACTION.fullmatch(answer)
    if match is not None:
        value = Fraction(int(match[1] + match[2]), int(match[3]))
        return _of_fraction(answer, value)
    return table()[answer]


def _of_whole(n: int) -> Rewritten:
    same = [
        f"{n}.0",
        f"{n}.",
        f"${n}$",
        f"\\boxed{{{n}}}",
        f"x = {n}",
        f"{n} units",
        f"\\({n}\\)",
        f"\\frac{{{2 * n}}}{{2}}",
        f"{n}/1",
        f"{n - 3} + 3",
        f"{n}\\%",
        f"{n} \\text{{ cm}}",
        f"the answer is {n}",
        f"**{n}**",
    ]
    if abs(n) >= 1000:
        same += [f"{n:,}", f"{n:,}".replace(",", "{,}")]
    if n > 3 and round(n**0.5) ** 2 == n:
        root = round(n**0.5)
        same += [f"{root}^2", f"\\sqrt{{{n * n}}}"]
    if n % 2 == 0:
        same.append(f"2 \\cdot {n // 2}" if n >= 0 else f"-2 \\cdot {-n // 2}")
    if n < 0:
        same.append(f"−{-n}")
    wrong = [
        str(n + 1),
        str(n - 1),
        f"{n}.5",
        f"{n}x+1",
        f"{10 * n + 1}",
        f"\\frac{{{n}}}{{7}}" if n else "7",
    ]
    if n:
        wrong += [str(-n), str(2 * n), f"{n}\\pi"]
    if n not in (0, 1):
        wrong += [f"({n})^2" if n != -1 else "2", f"1/{n}" if abs(n) > 1 else "2"]
    if n not in (0, 1, -1):
        wrong.append(f"({n}, 0)")
    return Rewritten(str(n), tuple(same), tuple(wrong))


def _of_fraction(written: str, value: Fraction) -> Rewritten:
    over, under = value.numerator, value.denominator
    sign = "-" if value < 0 else ""
    size = abs(value)
    same = [
        f"{over}/{under}",
        f"{sign}\\dfrac{{{abs(over)}}}{{{under}}}",
        f"{sign}\\tfrac{{{abs(over)}}}{{{under}}}",
        f"\\frac{{{over}}}{{{under}}}",
        f"\\frac{{{2 * over}}}{{{2 * under}}}",
        f"{3 * over}/{3 * under}",
        f"({over})/({under})",
        f"x = {written}",
        f"$\\displaystyle {written}$",
        f"{over} / {under}",
        f"{sign}{abs(over)} \\div {under}",
        f"{written} \\text{{ units}}",
        f"{over} \\cdot \\frac{{1}}{{{under}}}",
    ]
    if len(str(abs(over))) == len(str(under)) == 1:
        same.append(f"{sign}\\frac{abs(over)}{under}")
    if size > 1:
        whole, rest = divmod(abs(over), under)
        same += [f"{sign}{whole}\\frac{{{rest}}}{{{under}}}", f"{sign}{whole} {rest}/{under}"]
    if set(_primes(under)) <= {2, 5}:
        same.append(f"{float(value)}")
    else:
        same += [f"{float(value):.8f}", f"{float(value)}", _with_period(value)]
    wrong = [
        f"{under}/{over}",
        f"{-over}/{under}",
        f"{over + 1}/{under}",
        f"{over}/{under + 1}",
        f"{over}",
        f"{over}{under}" if over > 0 else f"{over}0",
        f"{float(value) + 0.01:.4f}",
        f"\\frac{{{over}}}{{{under}}}x",
        f"\\sqrt{{{written}}}",
    ]
    return Rewritten(written, tuple(same), tuple(each for each in wrong if abs(size) != 1))


def _primes(n: int) -> list[int]:
    found, divisor = [], 2
    while n > 1:
        while n % divisor == 0:
            found.append(divisor)
            n //= divisor
        divisor += 1
    return found


def _with_period(value: Fraction) -> str:
    """``0.1\\overline{6}``."""
    sign, size = ("-", -value) if value < 0 else ("", value)
    whole, rest = divmod(size.numerator, size.denominator)
    places: dict[int, int] = {}
    digits = ""
    while rest not in places:
        places[rest] = len(digits)
        digit, rest = divmod(rest * 10, size.denominator)
        digits += str(digit)
    start = places[rest]
    return f"{sign}{whole}.{digits[:start]}\\overline{{{digits[start:]}}}"
