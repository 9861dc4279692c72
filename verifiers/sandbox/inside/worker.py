"""The warm parent: imports once what programs like to import, then clones itself for every program.

It speaks with the process outside over its standard input and output: frames of four bytes' length and a JSON
object. One job at a time. A job is one program, or a candidate and a checker with a pair of pipes between
them (see ``checker``).

A clone has its parent's memory, and a candidate may search its own. So no text of a program or a test ever
enters the parent: they follow the job's frame as raw bytes, which the clone that needs them reads itself, and
a checker's report, which may name expected values, goes out by ``splice``, from pipe to pipe.
"""

from __future__ import annotations

import array
import base64
import contextlib
import fcntl
import gc
import json
import os
import shutil
import struct
import sys
import termios
from collections.abc import Callable
from typing import Any, Final

from verifiers.sandbox.inside import child, kernel, program, supervise
from verifiers.sandbox.inside.candidate import serve
from verifiers.sandbox.inside.checker import check

_FIRST_IMPORTS: Final = (
    *("bisect", "collections", "copy", "datetime", "decimal", "fractions", "functools", "hashlib", "heapq"),
    *("itertools", "json", "math", "operator", "random", "re", "statistics", "string", "typing"),
)
_FIRST_PACKAGES: Final = ("numpy", "numpy.random", "sympy")
_FIRST_USES: Final = """
x, y = sympy.symbols("x y")
sympy.solve(x**2 - 5*x + 6, x)
sympy.solve([x + y - 3, x - y - 1], [x, y])
sympy.simplify(sympy.Rational(3, 4) * (x + 1) - x)
sympy.N(sympy.sqrt(2))
str(sympy.expand((x + y)**3))
sympy.factorint(360)
"""


_ONLY_HERE: Final = "/box/"
"""Where every wall shows this file. Elsewhere there is no wall, and ``/tmp`` is somebody's."""


class Gone(Exception):
    """The process outside has closed the line."""


def main() -> None:
    if not __file__.startswith(_ONLY_HERE):
        sys.exit("a worker runs inside a box only")
    line = os.dup(1)
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:
        control = os.dup(0)
        os.dup2(nothing.fileno(), 0)
    os.set_inheritable(line, False)
    names = _FIRST_IMPORTS + (_FIRST_PACKAGES if _receive(control)["packages"] else ())
    warm = _warm_up(names)
    child.prepare()
    child.measure_mapped()
    namespaces = _can_clone()
    if not namespaces:
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    gc.collect()
    gc.freeze()
    _send(line, {"ready": True, "namespaces": namespaces, "warm": warm, "python": sys.version.split()[0]})
    with contextlib.suppress(Gone):
        while True:
            job = _receive(control)
            if "programs" in job:
                _run(job, control, line, namespaces=namespaces)


def _warm_up(names: tuple[str, ...]) -> list[str]:
    loaded = []
    for name in names:
        with contextlib.suppress(ImportError):
            __import__(name)
            loaded.append(name)
    if "sympy" in sys.modules:
        with contextlib.suppress(Exception):
            exec(_FIRST_USES, {"sympy": sys.modules["sympy"]})  # noqa: S102  our own text
    return loaded


def _can_clone() -> bool:
    """Whether every program can have namespaces of its own here: tried, not guessed."""
    try:
        pid = _fork(namespaces=True)
    except OSError:
        return False
    if pid == 0:
        child.enter(child.Walls(True, 64, 5, (0, 1, 2)), lambda: 0)
    return os.waitpid(pid, 0)[1] == 0


def _fork(*, namespaces: bool) -> int:
    return kernel.clone_into_namespaces() if namespaces else os.fork()


def _run(job: dict[str, Any], control: int, line: int, *, namespaces: bool) -> None:
    asked: list[dict[str, Any]] = job["programs"]
    links = [_Pipe() for _ in range(2)] if len(asked) == 2 else []
    report = _Pipe() if links else None
    watched = [
        _start(wanted, place, links, report, control, namespaces=namespaces)
        for place, wanted in enumerate(asked)
    ]
    for pipe in links:
        pipe.close()

    def interrupted() -> bool:
        return "stop" in _receive(control)

    told = supervise.watch(watched, interrupted, control)
    if not namespaces:
        _empty_scratch()
    answer = {"id": job["id"], "stopped": not told, "programs": [_report(one) for one in watched]}
    if report is None:
        _send(line, answer)
        return
    os.close(report.write)
    answer["report_bytes"] = waiting = _bytes_waiting(report.read)
    _send(line, answer)
    while waiting:
        waiting -= os.splice(report.read, line, waiting)
    os.close(report.read)


def _bytes_waiting(pipe: int) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


class _Pipe:
    def __init__(self) -> None:
        self.read, self.write = os.pipe()

    def close(self) -> None:
        os.close(self.read)
        os.close(self.write)


def _start(
    wanted: dict[str, Any],
    place: int,
    links: list[_Pipe],
    report: _Pipe | None,
    control: int,
    *,
    namespaces: bool,
) -> supervise.Watched:
    """Clone, and in the child read the program's text, wall in and run. The candidate (place 0) reads the
    first link and writes the second; the checker the other way round, and has a pipe for its report besides.

    Raises ``OSError`` where no process can be made, ``Gone`` when the child could not read its text; the
    worker then ends, and is replaced from outside."""
    stdin, stdout, stderr, has_read = _Pipe(), _Pipe(), _Pipe(), _Pipe()
    mine = [stdin.read, stdout.write, stderr.write]
    if links:
        mine += [links[place].read, links[1 - place].write]
    if place == 1 and report is not None:
        mine.append(report.write)
    # The processor's clock alone must not be what stops a program that shares a busy machine.
    walls = child.Walls(namespaces, wanted["memory_mb"], int(wanted["seconds"] * 2) + 2, tuple(mine))
    pid = _fork(namespaces=namespaces)
    if pid == 0:
        try:
            body = _body(wanted, json.loads(_exactly(control, wanted["bytes"])))
            os.write(has_read.write, b".")
        except BaseException:  # noqa: BLE001  the parent learns it from the closed pipe
            os._exit(child.SETUP_FAILED)
        child.enter(walls, body)
    for descriptor in (stdin.read, stdout.write, stderr.write, has_read.write):
        os.close(descriptor)
    if os.read(has_read.read, 1) != b".":
        raise Gone
    os.close(has_read.read)
    return supervise.Watched(
        pid=pid,
        seconds=wanted["seconds"],
        stdin=stdin.write,
        feed=base64.b64decode(wanted.get("stdin", "")),
        outputs={stdout.read: bytearray(), stderr.read: bytearray()},
        room=wanted["output_bytes"],
    )


def _body(wanted: dict[str, Any], text: dict[str, Any]) -> Callable[[], int]:
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()
    role = wanted["role"]
    if role == "candidate":
        return lambda: serve(text["sources"], text["entry_point"])
    if role == "checker":
        return lambda: check(text["tests"], text["prelude"], text["entry_point"])
    return lambda: program.run_program(text["sources"])


def _report(one: supervise.Watched) -> dict[str, Any]:
    status, exit_code, signal_name = one.result()
    texts = [base64.b64encode(bytes(kept)).decode("ascii") for kept in one.outputs.values()]
    if exit_code == child.SETUP_FAILED and b"the box could not be closed" in bytes(
        list(one.outputs.values())[1]
    ):
        status = "box"
    return {
        "status": status,
        "exit_code": exit_code,
        "signal": signal_name,
        "stdout": texts[0],
        "stderr": texts[1],
        "seconds": one.ended - one.started,
        "memory_mb": one.peak_mb,
    }


def _empty_scratch() -> None:
    with os.scandir("/tmp") as entries:  # noqa: S108
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def _receive(control: int) -> dict[str, Any]:
    (length,) = struct.unpack(">I", _exactly(control, 4))
    message: dict[str, Any] = json.loads(_exactly(control, length))
    return message


def _exactly(descriptor: int, count: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < count:
        piece = os.read(descriptor, min(1 << 20, count - len(pieces)))
        if not piece:
            raise Gone
        pieces += piece
    return bytes(pieces)


def _send(line: int, message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    frame = memoryview(struct.pack(">I", len(body)) + body)
    while frame:
        frame = frame[os.write(line, frame) :]


if __name__ == "__main__":
    main()
