"""Calls across the pair of pipes between a candidate and its checker.

Both sides are alike: each can call functions of the other by number, and while it waits for an answer it
serves the calls that come back, so that tests may pass functions and candidates may return them. One JSON
message a line:

    {"call": n, "args": [...], "named": {...}}    {"value": v, "args": [...]}    {"raised": name, "message":
    text}

``args`` comes back only where the call changed its arguments: a test that sorts a list in place must see it.
"""

from __future__ import annotations

import builtins
import json
import os
from collections.abc import Callable
from typing import Any, Final

from verifiers.sandbox.inside.values import NotPlain, read_back, written

LINE_BYTES: Final = 16 << 20
_CHANGEABLE: Final = (list, dict, set, bytearray)


class Ended(Exception):
    """The other side is gone."""


class RaisedThere(Exception):
    """The other side raised an exception that has no counterpart here."""


class Link:
    """One end. ``functions[0]`` of the candidate's end is the function under test."""

    def __init__(self, read: int, write: int) -> None:
        self._read = read
        self._write = write
        self._rest = b""
        self._kept: list[Any] = []
        self.functions_crossed = False
        self.before_answer: Callable[[], None] = lambda: None

    def keep(self, function: Any) -> int:
        self._kept.append(function)
        self.functions_crossed = True
        return len(self._kept) - 1

    def fetch(self, number: int) -> Callable[..., Any]:
        self.functions_crossed = True

        def remote(*args: Any, **named: Any) -> Any:
            return self.call(number, args, named)

        return remote

    def call(self, number: int, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call function ``number`` of the other side. Raises what it raised, ``NotPlain``, ``Ended``, or
        ``ValueError`` where the answer is no message."""
        sent = [written(argument, self.keep) for argument in args]
        self._send(
            {"call": number, "args": sent, "named": {k: written(v, self.keep) for k, v in named.items()}}
        )
        while True:
            message = self._receive()
            if "call" in message:
                self._serve(message)
                continue
            if "raised" in message:
                raise _exception(str(message["raised"]), str(message.get("message", "")))
            for argument, changed in zip(args, message.get("args") or (), strict=False):
                _update(argument, read_back(changed, self.fetch))
            return read_back(message.get("value"), self.fetch)

    def serve_forever(self) -> None:
        while True:
            try:
                message = self._receive()
            except Ended:
                return
            self._serve(message)

    def _serve(self, message: dict[str, Any]) -> None:
        try:
            args = [read_back(argument, self.fetch) for argument in message["args"]]
            named = {key: read_back(value, self.fetch) for key, value in message["named"].items()}
            value = self._kept[message["call"]](*args, **named)
            answer = {"value": written(value, self.keep)}
            if any(isinstance(argument, _CHANGEABLE) for argument in args):
                now = [
                    written(argument, self.keep) if isinstance(argument, _CHANGEABLE) else sent
                    for argument, sent in zip(args, message["args"], strict=True)
                ]
                if now != message["args"]:
                    answer["args"] = now
        except Ended:
            raise
        except NotPlain as error:
            answer = {"raised": "NotPlain", "message": f"the value has {error}"}
        except BaseException as error:  # noqa: BLE001  everything a candidate raises is an answer
            answer = {"raised": type(error).__name__, "message": _message(error)}
        self.before_answer()
        self._send(answer)

    def _send(self, message: dict[str, Any]) -> None:
        frame = memoryview(json.dumps(message).encode() + b"\n")
        try:
            while frame:
                frame = frame[os.write(self._write, frame) :]
        except OSError:
            raise Ended from None

    def _receive(self) -> dict[str, Any]:
        pieces = [self._rest]
        size = len(self._rest)
        while b"\n" not in pieces[-1]:
            piece = os.read(self._read, 65536)
            size += len(piece)
            if not piece or size > LINE_BYTES:
                raise Ended
            pieces.append(piece)
        line, _newline, self._rest = b"".join(pieces).partition(b"\n")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            raise ValueError("the answer is no message") from None
        if not isinstance(message, dict):
            raise ValueError("the answer is no message")
        return message


def _update(argument: Any, changed: Any) -> None:
    """Make a changeable argument what the call made of it, in place."""
    if type(argument) is not type(changed):
        return
    if isinstance(argument, list | bytearray):
        argument[:] = changed
    elif isinstance(argument, dict | set):
        argument.clear()
        argument.update(changed)


def _exception(name: str, message: str) -> Exception:
    """The builtin exception of that name, as tests may expect it; never one that would end the checker."""
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, UnicodeError):
        return kind(message)
    return RaisedThere(f"{name}: {message}" if message else name)


def _message(error: BaseException) -> str:
    try:
        return str(error)[:500]
    except BaseException:  # noqa: BLE001  a hostile __str__
        return ""
