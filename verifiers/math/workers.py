"""math-verify at arm's length: processes that can be killed, questions that wait in a bounded line.

    with MathVerify() as workers:
        future = workers.key(r"\\int_0^1 x\\,dx")

A thread stands between the questions and each process, so that neither an event loop nor anybody else waits:
futures are answered when they can be. A process that takes longer than ``SECONDS`` for a question is killed
and replaced, and the question is answered with "undecided" (``None``). Processes start with the first
question, behind bubblewrap where that works (see ``sandbox.walls``), else as a plain child with an empty
environment and limits; where none starts, every question is undecided and ``trouble`` says why.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal

SECONDS: Final = 3.0
"""Of wall time for one question; the process itself gives up after one second of processor time."""
START_SECONDS: Final = 30.0
MOST_WAITING: Final = 2_000
"""Questions in line; further ones are undecided at once."""
LONGEST: Final = 1_000
DEEPEST: Final = 60
"""Brackets inside one another, beyond which nothing is asked."""
_STARTS: Final = 3
"""Failed starts in a row before no more are tried."""

Says = str | bool | None


@dataclass(frozen=True, slots=True)
class _Question:
    ask: Literal["key", "same"]
    texts: tuple[str, ...]
    answer: Future[Says]


class MathVerify:
    """A few processes, ``size`` at the most. Thread-safe; belongs to no event loop."""

    def __init__(
        self, size: int | None = None, find_commands: Callable[[], Iterator[Command]] | None = None
    ) -> None:
        self._size = size or max(1, min(2, (os.cpu_count() or 2) - 1))
        self._find_commands = find_commands or commands
        self._waiting: queue.Queue[_Question | None] = queue.Queue(MOST_WAITING)
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = False
        self.trouble = ""
        """Why nothing can be asked here; empty where all is well or nothing has been asked."""
        self.walls = ""
        """What the processes stand behind, once one has started."""
        self.replaced = 0
        """Processes killed because a question took too long."""

    def __enter__(self) -> MathVerify:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def behind(self) -> int:
        """Questions that wait."""
        return self._waiting.qsize()

    @property
    def warm(self) -> bool:
        """Whether a process has started."""
        return bool(self.walls)

    def key(self, answer: str) -> Future[Says]:
        """The key of a formula, ``None`` where math-verify cannot read it or not in time."""
        return self._ask("key", answer)

    def same(self, known: str, answer: str) -> Future[Says]:
        """Whether math-verify takes two answers for one; ``None`` where it cannot tell."""
        return self._ask("same", known, answer)

    def _ask(self, ask: Literal["key", "same"], *texts: str) -> Future[Says]:
        question = _Question(ask, texts, Future())
        if self._closed or self.trouble or not all(map(_can_be_asked, texts)):
            question.answer.set_result(None)
            return question.answer
        try:
            self._waiting.put_nowait(question)
        except queue.Full:
            question.answer.set_result(None)
            return question.answer
        with self._lock:
            if len(self._threads) < self._size and (not self._threads or self.behind > 1):
                thread = threading.Thread(target=self._serve, name="math-verify", daemon=True)
                self._threads.append(thread)
                thread.start()
        return question.answer

    def close(self) -> None:
        """End the processes. What waits is undecided."""
        self._closed = True
        self._drain()
        for _ in self._threads:
            with contextlib.suppress(queue.Full):
                self._waiting.put_nowait(None)
        for thread in self._threads:
            thread.join(SECONDS + 1)

    def _drain(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                question = self._waiting.get_nowait()
                if question is not None:
                    _tell(question, None)

    def _serve(self) -> None:
        process: _Process | None = None
        failed = 0
        try:
            while (question := self._waiting.get()) is not None:
                if question.answer.cancelled():
                    continue
                if process is None:
                    process = self._start()
                    failed = 0 if process is not None else failed + 1
                if process is None:
                    _tell(question, None)
                    if failed >= _STARTS or self.trouble:
                        self._drain()
                        return
                    continue
                says, alive = process.ask(question.ask, question.texts, SECONDS)
                if not alive:
                    self.replaced += 1
                    process.kill()
                    process = None
                _tell(question, says)
                if self._closed:
                    return
        finally:
            if process is not None:
                process.kill()

    def _start(self) -> _Process | None:
        complaints = []
        for command in self._find_commands():
            try:
                process = _Process(command)
            except (OSError, ValueError) as error:
                complaints.append(f"{command.name}: {error}")
                continue
            self.walls = command.name
            return process
        self.trouble = f"no process for math-verify starts here ({'; '.join(complaints) or 'none is known'})"
        return None


def _tell(question: _Question, says: Says) -> None:
    if question.answer.set_running_or_notify_cancel():
        question.answer.set_result(says)


def _can_be_asked(text: str) -> bool:
    if not 0 < len(text) <= LONGEST:
        return False
    depth = deepest = 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    return deepest <= DEEPEST


@dataclass(frozen=True, slots=True)
class Command:
    """How to start a process: ``name`` is what it stands behind."""

    name: str
    words: tuple[str, ...]
    environment: dict[str, str]


class _Process:
    """One process. Raises ``OSError`` where it does not start."""

    def __init__(self, command: Command) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own command line
            command.words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=command.environment,
            cwd="/",
            start_new_session=True,
        )
        self._rest = b""
        self._asked = 0
        greeting = self._line(START_SECONDS)
        if greeting is None or not greeting.get("ready"):
            self.kill()
            raise OSError("it did not start")

    def ask(self, ask: str, texts: tuple[str, ...], seconds: float) -> tuple[Says, bool]:
        """The answer, and whether the process can be asked again."""
        self._asked += 1
        question = json.dumps({"id": self._asked, "ask": ask, "texts": texts}).encode() + b"\n"
        assert self._process.stdin is not None  # noqa: S101  opened with a pipe
        try:
            self._process.stdin.write(question)
            self._process.stdin.flush()
        except OSError:
            return None, False
        answer = self._line(seconds)
        if answer is None or answer.get("id") != self._asked:
            return None, False
        says = answer.get("says")
        return (says if isinstance(says, str | bool) else None), True

    def _line(self, seconds: float) -> dict[str, Any] | None:
        assert self._process.stdout is not None  # noqa: S101  opened with a pipe
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._rest:
            ready, _, _ = select.select([descriptor], [], [], seconds)
            piece = os.read(descriptor, 65536) if ready else b""
            if not piece or len(self._rest) > 1 << 20:
                return None
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        try:
            found = json.loads(line)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def commands() -> Iterator[Command]:
    """The ways to start a process here, the safest first."""
    yield from _behind_walls()
    start = f"import sys; sys.path[:] = {sys.path!r}; from verifiers.math.inside import main; main()"
    single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    yield Command("limits alone", (sys.executable, "-I", "-B", "-c", start), {"LANG": "C.UTF-8", **single})


def _behind_walls() -> Iterator[Command]:
    from verifiers.sandbox.interpreter import INSIDE, warm_interpreter
    from verifiers.sandbox.walls import walls

    if not sys.platform.startswith("linux"):
        return
    interpreter = warm_interpreter()
    package = str(Path(__file__).resolve().parents[1])
    binds = tuple(bind for bind in interpreter.binds if not bind[1].startswith(f"{INSIDE}/verifiers"))
    start = interpreter.command[-1].replace("sandbox.inside.worker", "math.inside")
    inside = replace(
        interpreter,
        binds=(*binds, (package, f"{INSIDE}/verifiers")),
        command=(*interpreter.command[:-1], start),
    )
    for wall in walls(inside):
        if not wall.name.startswith("bubblewrap"):
            return
        yield Command(wall.name, wall.command, wall.environment)
