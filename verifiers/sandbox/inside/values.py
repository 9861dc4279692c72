"""Plain values, written as text and read back: all that may pass between a candidate and its tests.

What arrives is rebuilt from JSON out of Python's own types, exactly those, so that no object of the
candidate's, with an ``__eq__`` of its own, ever meets an expected value. Subclasses of plain types lose what
makes them special; numpy scalars become numbers; iterators are run; functions become handles that call back
to where they live; anything else becomes a ``Foreign``, which equals nothing.

Written form: ``None``, booleans, strings and small integers as they are; everything else a one-key object.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import fractions
import itertools
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

MOST_ITEMS: Final = 200_000
DEEPEST: Final = 150

Keep = Callable[[Any], int]
"""Remembers a function and gives the number it is called by from the other side."""
Fetch = Callable[[int], Callable[..., Any]]


class NotPlain(Exception):
    """A value that is too large or too deep to pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Foreign:
    """An object that could not pass; it equals nothing and can only be looked at."""

    type_name: str
    shown: str

    def __repr__(self) -> str:
        return self.shown


def written(value: Any, keep: Keep) -> Any:
    """``value`` in its written form. Raises ``NotPlain``."""
    return _Writer(keep).write(value, 0)


class _Writer:
    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._items = 0

    def write(self, value: Any, depth: int) -> Any:
        self._items += 1
        if self._items > MOST_ITEMS or depth > DEEPEST:
            raise NotPlain(f"more than {MOST_ITEMS:,} values or {DEEPEST} levels")
        kind = type(value)
        if value is None or kind is bool or kind is str:
            return value if kind is not str else _text(value)
        for base, write in self._WRITERS:
            if kind is base or issubclass(kind, base):
                return write(self, value, depth)
        return self._unusual(value, depth)

    def _int(self, value: int, depth: int) -> Any:
        number = int.__add__(value, 0)
        return number if -(2**53) < number < 2**53 else {"int": hex(number)}

    def _float(self, value: float, depth: int) -> Any:
        number = float.__add__(value, 0.0) if value else float(value)
        return {"float": float.hex(number) if math.isfinite(number) else repr(number)}

    def _complex(self, value: complex, depth: int) -> Any:
        return {"complex": [repr(value.real), repr(value.imag)]}

    def _str(self, value: str, depth: int) -> Any:
        return _text(str.__str__(value))

    def _bytes(self, value: bytes, depth: int) -> Any:
        return {"bytes": base64.b64encode(value).decode()}

    def _list(self, value: list[Any], depth: int) -> Any:
        return {"list": [self.write(item, depth + 1) for item in list.__iter__(value)]}

    def _tuple(self, value: tuple[Any, ...], depth: int) -> Any:
        return {"tuple": [self.write(item, depth + 1) for item in tuple.__iter__(value)]}

    def _set(self, value: set[Any], depth: int) -> Any:
        return {"set": [self.write(item, depth + 1) for item in set.__iter__(value)]}

    def _frozenset(self, value: frozenset[Any], depth: int) -> Any:
        return {"frozenset": [self.write(item, depth + 1) for item in frozenset.__iter__(value)]}

    def _dict(self, value: dict[Any, Any], depth: int) -> Any:
        pairs = dict.items(value)
        return {"dict": [[self.write(key, depth + 1), self.write(item, depth + 1)] for key, item in pairs]}

    def _range(self, value: range, depth: int) -> Any:
        return {"range": [self.write(part, depth) for part in (value.start, value.stop, value.step)]}

    def _fraction(self, value: fractions.Fraction, depth: int) -> Any:
        return {"fraction": [self.write(value.numerator, depth), self.write(value.denominator, depth)]}

    def _decimal(self, value: decimal.Decimal, depth: int) -> Any:
        return {"decimal": decimal.Decimal.__str__(value)}

    def _datetime(self, value: datetime.datetime, depth: int) -> Any:
        return {"datetime": datetime.datetime.isoformat(value)}

    def _date(self, value: datetime.date, depth: int) -> Any:
        return {"date": datetime.date.isoformat(value)}

    _WRITERS: Final[tuple[tuple[type, Callable[[_Writer, Any, int], Any]], ...]] = (
        (int, _int),
        (float, _float),
        (str, _str),
        (list, _list),
        (tuple, _tuple),
        (dict, _dict),
        (set, _set),
        (frozenset, _frozenset),
        (bytes, _bytes),
        (complex, _complex),
        (range, _range),
        (fractions.Fraction, _fraction),
        (decimal.Decimal, _decimal),
        (datetime.datetime, _datetime),
        (datetime.date, _date),
    )

    def _unusual(self, value: Any, depth: int) -> Any:
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            if isinstance(value, numpy.generic):
                return self.write(value.item(), depth + 1)
            if isinstance(value, numpy.ndarray):
                return {"array": self.write(value.tolist(), depth + 1)}
        if isinstance(value, bytearray):
            return {"bytearray": base64.b64encode(value).decode()}
        if isinstance(value, type({}.keys()) | type({}.values()) | type({}.items())):
            return self.write(list(value), depth + 1)
        if isinstance(value, Iterator):
            room = MOST_ITEMS - self._items
            return {"iterator": [self.write(item, depth + 1) for item in itertools.islice(value, room)]}
        if callable(value) and not isinstance(value, type):
            return {"function": self._keep(value)}
        return {"foreign": [_text(type(value).__qualname__), _text(_shown(value))]}


def read_back(form: Any, fetch: Fetch) -> Any:
    """The value of a written form. Whatever is malformed raises ``ValueError``: the other side may be
    hostile."""
    try:
        return _read(form, fetch)
    except ValueError:
        raise
    except Exception as error:  # noqa: BLE001  the other side may send anything
        raise ValueError(f"no value: {type(error).__name__}") from None


def _read(form: Any, fetch: Fetch) -> Any:
    if form is None or isinstance(form, bool | int | str):
        return form
    if not isinstance(form, dict) or len(form) != 1:
        raise ValueError("no value")
    ((kind, body),) = form.items()
    if kind in _SEQUENCES:
        return _SEQUENCES[kind]([_read(item, fetch) for item in body])
    if kind == "dict":
        return {_read(key, fetch): _read(item, fetch) for key, item in body}
    if kind == "function":
        return fetch(int(body))
    if kind == "array":
        import numpy as np

        return np.array(_read(body, fetch))
    return _SCALARS[kind](body)


_SEQUENCES: Final[dict[str, Callable[[list[Any]], Any]]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "iterator": iter,
    "range": lambda parts: range(*parts),
    "fraction": lambda parts: fractions.Fraction(*parts),
}
_SCALARS: Final[dict[str, Callable[[Any], Any]]] = {
    "int": lambda body: int(body, 16),
    "float": lambda body: float(body) if body in ("inf", "-inf", "nan") else float.fromhex(body),
    "complex": lambda body: complex(float(body[0]), float(body[1])),
    "text": lambda body: base64.b64decode(body).decode("utf-8", "surrogatepass"),
    "bytes": base64.b64decode,
    "bytearray": lambda body: bytearray(base64.b64decode(body)),
    "decimal": decimal.Decimal,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "foreign": lambda body: Foreign(str(body[0]), str(body[1])),
}


def _text(value: str) -> Any:
    """JSON cannot hold half of a surrogate pair for certain, so such text travels as bytes."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return {"text": base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()}
    return value


def _shown(value: Any) -> str:
    try:
        return repr(value)[:200]
    except BaseException:  # noqa: BLE001  a hostile __repr__
        return f"<{type(value).__qualname__}>"
