"""Test files written for pytest, run without it.

The tests' box may have another pytest than the user, or none, and pytest's own machinery (plugins, caches,
assertion rewriting) has no place there. What test files of single functions use is here: ``parametrize``,
``raises``, ``approx``, ``skip``, plain fixtures, test classes, ``unittest.TestCase``. Anything else is
refused by name, so that no test is left out in silence.
"""

from __future__ import annotations

import inspect
import itertools
import math
import re
import types
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

_KEY: Final = "_pytest_alike"


class Unsupported(Exception):
    """The file uses a part of pytest that is not here."""


class Skipped(Exception):
    """A test that is not to be run."""


class _Approximate:
    """What ``pytest.approx`` makes: equal to what lies within the tolerance."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, expected: Any, rel: float | None, absolute: float | None) -> None:
        self.expected = expected
        self.rel = rel
        self.absolute = absolute

    def __repr__(self) -> str:
        return f"approx({self.expected!r})"

    def __eq__(self, got: object) -> bool:
        expected = self.expected
        if isinstance(expected, dict):
            return (
                isinstance(got, dict)
                and got.keys() == expected.keys()
                and all(self._near(got[key], expected[key]) for key in expected)
            )
        if isinstance(expected, list | tuple):
            return (
                isinstance(got, list | tuple)
                and len(got) == len(expected)
                and all(map(self._near, got, expected))
            )
        return self._near(got, expected)

    def _near(self, got: Any, expected: Any) -> bool:
        if got == expected:
            return True
        if isinstance(got, bool) or not isinstance(got, int | float) or not isinstance(expected, int | float):
            return False
        absolute = 1e-12 if self.absolute is None else self.absolute
        rel = self.rel if self.rel is not None else 0.0 if self.absolute is not None else 1e-6
        return math.isfinite(got) and abs(got - expected) <= max(absolute, rel * abs(expected))


def _approx(expected: Any, rel: float | None = None, abs: float | None = None, **_more: Any) -> _Approximate:  # noqa: A002  pytest's name
    return _Approximate(expected, rel, abs)


class _Caught:
    """What ``with raises(...) as caught`` gives: ``caught.value``."""

    value: BaseException | None = None


@contextmanager
def _raises(expected: Any, match: str | None = None) -> Iterator[_Caught]:
    caught = _Caught()
    try:
        yield caught
    except expected as error:
        if match is not None and re.search(match, str(error)) is None:
            raise AssertionError(f"{match!r} does not match {str(error)!r}") from None
        caught.value = error
    else:
        names = getattr(expected, "__name__", str(expected))
        raise AssertionError(f"did not raise {names}")


def _stop(kind: type[Exception]) -> Callable[..., None]:
    def stop(reason: str = "", **_more: Any) -> None:
        raise kind(reason)

    return stop


def _marked(name: str, value: Any) -> Callable[[Any], Any]:
    def mark(test: Any) -> Any:
        marks = dict(getattr(test, _KEY, {}))
        marks[name] = [*marks.get(name, []), value]
        setattr(test, _KEY, marks)
        return test

    return mark


class _Marks:
    """``pytest.mark``. Marks of the user's own say nothing here."""

    def parametrize(self, names: str | list[str], values: Any, **more: Any) -> Callable[[Any], Any]:
        wanted = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
        return _marked("parametrize", (wanted, [_parameters(value, len(wanted)) for value in values]))

    def skip(self, reason: Any = "") -> Any:
        return _marked("skip", True)(reason) if callable(reason) else _marked("skip", True)

    def skipif(self, condition: Any, **_more: Any) -> Callable[[Any], Any]:
        return _marked("skip", True) if condition else lambda test: test

    def xfail(self, *args: Any, **_more: Any) -> Any:
        plain = len(args) == 1 and callable(args[0])
        return _marked("skip", True)(args[0]) if plain else _marked("skip", True)

    def usefixtures(self, *_names: str) -> Any:
        raise Unsupported("pytest.mark.usefixtures")

    def __getattr__(self, name: str) -> Any:
        def plain(*args: Any, **_more: Any) -> Any:
            return args[0] if len(args) == 1 and callable(args[0]) else lambda test: test

        return plain


def _parameters(value: Any, count: int) -> tuple[Any, ...]:
    value = value.args if isinstance(value, _Parameter) else value
    return tuple(value) if count > 1 or isinstance(value, _Several) else (value,)


class _Several(tuple[Any, ...]):
    __slots__ = ()


class _Parameter:
    def __init__(self, *args: Any, **_more: Any) -> None:
        self.args = _Several(args)


def _fixture(*args: Any, **more: Any) -> Any:
    if more.get("params") is not None:
        raise Unsupported("pytest.fixture(params=...)")
    return _marked("fixture", True)(args[0]) if args else _marked("fixture", True)


def module() -> types.ModuleType:
    """What the tests import as ``pytest``."""
    made = types.ModuleType("pytest")

    def refuse(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise Unsupported(f"pytest.{name}")

    made.__dict__.update(
        approx=_approx,
        raises=_raises,
        mark=_Marks(),
        param=_Parameter,
        fixture=_fixture,
        skip=_stop(Skipped),
        xfail=_stop(Skipped),
        fail=_stop(AssertionError),
        main=lambda *_args, **_more: 0,
        __getattr__=refuse,
    )
    return made


def collected(names: dict[str, Any]) -> list[tuple[str, Callable[[], None]]]:
    """The tests that a module defines, in order, each case of a parametrized one by itself."""
    fixtures = {name: each for name, each in names.items() if _marks(each).get("fixture")}
    found: list[tuple[str, Callable[[], None]]] = []
    for name, each in list(names.items()):
        if inspect.isfunction(each) and name.startswith("test"):
            found += _cases(name, each, fixtures, lambda function: function)
        elif inspect.isclass(each) and issubclass(each, unittest.TestCase):
            found += _of_test_case(name, each)
        elif inspect.isclass(each) and name.startswith("Test"):
            found += _of_class(name, each, fixtures)
    return found


def _marks(test: Any) -> dict[str, Any]:
    found = getattr(test, _KEY, None) if callable(test) else None
    return found if isinstance(found, dict) else {}


def _cases(
    name: str, test: Any, fixtures: dict[str, Any], bound: Callable[[Any], Any]
) -> Iterator[tuple[str, Callable[[], None]]]:
    marks = _marks(test)
    if marks.get("skip"):
        return
    if inspect.iscoroutinefunction(test):
        raise Unsupported(f"the asynchronous test {name}")
    tables = marks.get("parametrize", [])
    for place, chosen in enumerate(itertools.product(*(rows for _, rows in tables))):
        given = {
            key: value
            for (keys, _), row in zip(tables, chosen, strict=True)
            for key, value in zip(keys, row, strict=True)
        }
        shown = f"{name}[{place}]" if tables else name
        yield shown, lambda given=given: _run(test, given, fixtures, bound)  # type: ignore[misc]


def _run(test: Any, given: dict[str, Any], fixtures: dict[str, Any], bound: Callable[[Any], Any]) -> None:
    opened: list[Iterator[Any]] = []
    function = bound(test)
    wanted = {
        name: given[name] if name in given else _made(name, fixtures, opened)
        for name, parameter in inspect.signature(function).parameters.items()
        if name in given or parameter.default is inspect.Parameter.empty
    }
    try:
        function(**wanted)
    finally:
        for each in reversed(opened):
            next(each, None)


def _made(name: str, fixtures: dict[str, Any], opened: list[Iterator[Any]]) -> Any:
    if name not in fixtures:
        raise Unsupported(f"the fixture {name}")
    fixture = fixtures[name]
    value = fixture(**{each: _made(each, fixtures, opened) for each in inspect.signature(fixture).parameters})
    if inspect.isgenerator(value):
        opened.append(value)
        return next(value)
    return value


def _of_class(
    name: str, kind: type[Any], fixtures: dict[str, Any]
) -> Iterator[tuple[str, Callable[[], None]]]:
    for key, method in list(vars(kind).items()):
        if key.startswith("test") and inspect.isfunction(method):

            def bound(function: Any) -> Any:
                instance = kind()
                getattr(instance, "setup_method", lambda *_: None)()
                return types.MethodType(function, instance)

            yield from _cases(f"{name}.{key}", method, fixtures, bound)


def _of_test_case(name: str, kind: type[unittest.TestCase]) -> Iterator[tuple[str, Callable[[], None]]]:
    for key in unittest.TestLoader().getTestCaseNames(kind):

        def run(key: str = key) -> None:
            case = kind(key)
            case.setUp()
            try:
                getattr(case, key)()
            except unittest.SkipTest as skipped:
                raise Skipped from skipped
            finally:
                case.tearDown()

        yield f"{name}.{key}", run
