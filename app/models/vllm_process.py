"""Keeps one vLLM server alive for as long as somebody uses it, and not a moment longer.

It stands between the programs that use a server and the server itself, because a program can be killed at any
moment and a server left behind holds a whole graphics card. Every user keeps a connection to this process's
private socket; the operating system closes it when the user is gone, however it went. With the last user the
server is asked to end, then told, then killed, with all that it started. Should this process itself be
killed, a second one, which does nothing but wait for that, ends the server in its place.

    stdin    one line, a ``Job`` as JSON; held open by the first user until it has its connection
    stdout   one line, a ``Started`` as JSON
    socket   to each user one line, ``Started``, and another when the server has ended by itself; the end of
             the connection comes when nothing is left of it

Started as ``python -m app.models.vllm_process``.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

import msgspec

from app.models.vllm_card import KEEPERS_MARK, SECONDS_TO_STOP, SOCKET, Card, Job, Started

_SIGNALS = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM))
_LOOK_EVERY = 0.5
_SUBREAPER, _BACKLOG = 36, 16


def born(pid: int) -> int:
    """When a process started, in ticks since boot; 0 where the system does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return int(stat.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def end_group(group: int, seconds_to_stop: tuple[float, ...] = SECONDS_TO_STOP) -> bool:
    """End all processes of a group, kindly first; without the first of the three waits it is not asked.
    Whether they are gone."""
    for number, seconds in zip(_SIGNALS[-len(seconds_to_stop) :], seconds_to_stop, strict=True):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not _lives(group):
                return True
            time.sleep(0.05)
    return not _lives(group)


def _lives(group: int) -> bool:
    """Whether the group has a process that is not dead. Dead children of ours are laid to rest here."""
    with suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Keeper:
    """The server's process, its users, and the end of both."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._users: dict[int, socket.socket] = {}
        self._last_user: socket.socket | None = None
        self._first_user_waits = True
        self._told_to_stop = False
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._address = str(Path(job.folder) / SOCKET)
        self.group = 0

    def start(self) -> Started:
        """Run the server and write its card. Everything after it is ``keep``."""
        job = self._job
        try:
            self._door.bind(self._address)
            self._door.listen(_BACKLOG)
            self._door.setblocking(False)
            log = os.open(job.about.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
            child = subprocess.Popen(  # noqa: S603
                job.command,
                env=job.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
            os.close(log)
        except OSError as error:
            return Started(failed=f"{job.command[0]}: {error.strerror or error}")
        self.group = child.pid
        child.returncode = 0  # it is waited for here, with the rest of its group
        self._write_card()
        return Started(child.pid)

    def keep(self) -> None:
        """Wait until the server ends or nobody uses it, and clean up."""
        signal.signal(signal.SIGTERM, self._stop_when_told)
        try:
            while self.group and not self._told_to_stop and self._somebody_is_here():
                if not self._server_lives():
                    self._tell_of_its_end()
                    end_group(self.group, self._job.seconds_to_stop[1:])
                    break
                self._wait_for_news()
        finally:
            if self.group:
                end_group(self.group, self._job.seconds_to_stop)
            Path(self._job.card).unlink(missing_ok=True)
            shutil.rmtree(self._job.folder, ignore_errors=True)

    def _stop_when_told(self, _number: int, _frame: FrameType | None) -> None:
        self._told_to_stop = True

    def _somebody_is_here(self) -> bool:
        return self._first_user_waits or bool(self._users)

    def _server_lives(self) -> bool:
        """The group goes with its leader: what is left of it is of no use to anybody."""
        try:
            ended, status = os.waitpid(self.group, os.WNOHANG)
        except ChildProcessError:
            return False
        if ended and os.WIFSIGNALED(status):
            self._note(f"its process was killed by {signal.Signals(os.WTERMSIG(status)).name}")
        return not ended

    def _tell_of_its_end(self) -> None:
        for user in self._users.values():
            with suppress(OSError):
                user.send(b"\n")

    def _note(self, words: str) -> None:
        """A last line in the server's log, for what it cannot say itself."""
        with suppress(OSError), open(self._job.about.log, "a", encoding="utf-8") as log:
            log.write(f"\n{KEEPERS_MARK}{words}\n")

    def _wait_for_news(self) -> None:
        watched: list[int | socket.socket] = [self._door, *self._users.values()]
        if self._first_user_waits:
            watched.append(0)
        ready, _, _ = select.select(watched, [], [], _LOOK_EVERY)
        for source in ready:
            if source == 0:
                self._first_user_waits = os.read(0, 4096) != b""
            elif source is self._door:
                self._welcome()
            elif isinstance(source, socket.socket):
                self._hear(source)
        for user in list(self._users.values()):
            if not _is_there(user):
                self._part_from(user)

    def _welcome(self) -> None:
        with suppress(OSError):
            user, _ = self._door.accept()
            user.setblocking(False)
            user.send(msgspec.json.encode(Started(self.group)) + b"\n")
            self._users[user.fileno()] = user

    def _hear(self, user: socket.socket) -> None:
        try:
            gone = user.recv(4096) == b""
        except BlockingIOError:
            return
        except OSError:
            gone = True
        if gone:
            self._part_from(user)

    def _part_from(self, user: socket.socket) -> None:
        """The last one's connection stays open until the server has ended: its end is the sign of that."""
        if self._users.pop(user.fileno(), None) is None:
            return
        if self._somebody_is_here():
            user.close()
        else:
            self._last_user = user

    def _write_card(self) -> None:
        job, card = self._job, Path(self._job.card)
        text = Card(about=job.about, pid=self.group, born=born(self.group), socket=self._address)
        half = card.with_suffix(".part")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(text))
        half.replace(card)


def _is_there(user: socket.socket) -> bool:
    """Whether the process that made the connection lives: a child of it may hold the connection open."""
    if not sys.platform.startswith("linux"):
        return True
    pid = int(struct.unpack("3i", user.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])
    return pid == 0 or Path(f"/proc/{pid}").exists()


def _adopt_orphans() -> None:
    """Become the parent of what the server leaves behind (Linux), so that it can be laid to rest."""
    if sys.platform.startswith("linux"):
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)


def _stand_guard(news: int, seconds_to_stop: tuple[float, float, float]) -> None:
    """What the second process does: wait for the keeper's word that all is done, or for its sudden end."""
    with os.fdopen(news, "rb") as pipe:
        words = pipe.read().split()
    if words and words[-1] != b"done":
        end_group(int(words[0]), seconds_to_stop[1:])
    os._exit(0)


def _read_job() -> Job:
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 65536)
        if not piece:
            os._exit(2)
        line += piece
    return msgspec.json.decode(line, type=Job)


def _become_nobodys_child() -> None:
    """Let the one who started this forget it: users are known by their connections alone."""
    if os.fork():
        os._exit(0)
    for number in (signal.SIGINT, signal.SIGHUP):  # with SIG_IGN the server would inherit the deafness
        signal.signal(number, lambda *_: None)


def main() -> None:
    job = _read_job()
    _become_nobodys_child()
    _adopt_orphans()
    news, tell = os.pipe()
    if os.fork() == 0:
        os.close(tell)
        os.close(0)
        os.close(1)
        signal.signal(signal.SIGTERM, lambda *_: None)
        _stand_guard(news, job.seconds_to_stop)
    os.close(news)
    keeper = Keeper(job)
    started = keeper.start()
    os.write(tell, b"%d\n" % started.pid)
    os.write(1, msgspec.json.encode(started) + b"\n")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    keeper.keep()
    os.write(tell, b"done\n")


if __name__ == "__main__":
    main()
