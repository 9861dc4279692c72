"""The process that runs math-verify on what our own reader does not know: integrals, sums, limits, unusual
commands.

math-verify parses LaTeX with a grammar and computes with sympy; neither was made for hostile text, and both
can take for ever. So this runs behind the sandbox's walls where there are some, always with limits on memory
and open files and, on Linux, with no way to start a program or open a connection. It is stopped from outside
when it takes too long; the alarm here is only the cheaper way to the same end.

One question a line, as JSON: ``{"id": 1, "ask": "key", "texts": ["\\\\int_0^1 x\\\\,dx"]}``, answered by
``{"id": 1, "says": "1/2"}``; or ``"ask": "same"`` with two texts, answered by ``true``, ``false`` or null.
Only LaTeX is parsed: the part of math-verify that hands plain text to Python's ``eval`` is never used.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

CPU_SECONDS: Final = 1.0
MEMORY_BYTES: Final = 2 << 30
_TOWER: Final = re.compile(r"\^\s*(?:\{[\w.]+\}|[\w.]+)\s*\^")
_FIRST: Final = (r"\int_0^1 x^2\,dx", r"\frac{1}{2}+\sqrt{2}", r"\sum_{n=1}^{3} n", "2x^2+1")


class _Slow(BaseException):
    """Not an ``Exception``: sympy catches those."""


def main() -> None:
    line = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    logging.disable(logging.CRITICAL)
    _limit()
    for text in _FIRST:
        _key(text)
    _close_off()
    signal.signal(signal.SIGPROF, _stop)
    print(json.dumps({"ready": True}), file=line, flush=True)
    for question in sys.stdin:
        asked = json.loads(question)
        print(json.dumps({"id": asked["id"], **_answer(asked)}), file=line, flush=True)


def _limit() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    # Digits of a number of a million places would be computed in one long step.
    sys.set_int_max_str_digits(10_000)


def _close_off() -> None:
    """No new programs, no connections, from here on: the sandbox's list of system calls, on Linux."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(ImportError, OSError):
        from verifiers.sandbox.inside import kernel
        from verifiers.sandbox.inside.seccomp import strict_filter

        kernel.install_filter(strict_filter(only_pid=os.getpid()))


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Slow


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        with _bounded():
            says = _key(asked["texts"][0]) if asked["ask"] == "key" else _same(*asked["texts"])
    except _Slow:
        return {"says": None, "why": "time"}
    except MemoryError:
        return {"says": None, "why": "memory"}
    except Exception as error:  # noqa: BLE001  whatever a stranger's text does to sympy
        return {"says": None, "why": type(error).__name__}
    return {"says": says}


def _parsed(text: str) -> list[Any]:
    """What math-verify makes of a formula: expressions, and last the text itself."""
    from math_verify import LatexExtractionConfig, parse  # type: ignore[import-untyped]

    formula = text.replace("**", "^")
    if _TOWER.search(formula) is not None:
        raise ValueError("a power of a power without brackets")  # read from the left there, and wrongly
    found: list[Any] = parse(
        f"${formula}$", extraction_config=[LatexExtractionConfig()], parsing_timeout=None, raise_on_error=True
    )
    return found


def _key(text: str) -> str | None:
    from sympy import Basic  # type: ignore[import-untyped]

    for found in _parsed(text):
        if isinstance(found, Basic):
            return _key_of(found.doit())
    return None


def _key_of(found: Any) -> str | None:
    """The key as our own reader would give it, by the values at its points."""
    from sympy import Eq, Expr, FiniteSet, Symbol

    if isinstance(found, FiniteSet):
        keys = [_key_of(element) for element in found.args]
        whole = sorted({key for key in keys if key is not None})
        return (
            None if None in keys or not whole else whole[0] if len(whole) == 1 else f"{{{';'.join(whole)}}}"
        )
    if isinstance(found, Eq) and isinstance(found.lhs, Symbol):
        return _key_of(found.rhs)
    return _formula_key(found) if isinstance(found, Expr) else None


def _formula_key(found: Any) -> str:
    from sympy import I, N, Rational

    from verifiers.math.signature import function_key, number_key
    from verifiers.math.values import DIGITS, Undefined, complex_value

    names = {str(symbol): symbol for symbol in found.free_symbols}

    def worth(at: Any) -> Any:
        given = {names[name]: Rational(value.numerator, value.denominator) for name, value in at.items()}
        value = N(found.subs(given), DIGITS)
        if not value.is_number or not value.is_finite:
            raise Undefined("no number")
        real, imaginary = value.as_real_imag()
        return complex_value(str(real), str(imaginary))

    if not names:
        return number_key(worth({})).text
    return function_key(worth, names, complex_numbers=found.has(I)).text


def _same(known: str, answer: str) -> bool | None:
    from math_verify import verify

    one, other = _parsed(known), _parsed(answer)
    if not one or not other:
        return None
    equal: bool = verify(one, other, timeout_seconds=None, raise_on_error=True)
    return equal


if __name__ == "__main__":
    main()
