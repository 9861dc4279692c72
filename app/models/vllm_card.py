"""What programs tell each other of a running vLLM server: its keeper, its users, and who looks for one."""

from __future__ import annotations

import msgspec

SECONDS_TO_STOP = (8.0, 4.0, 4.0)
"""A server is asked to end, told to, and killed; after each it has so many seconds to leave."""
KEEPERS_MARK = "monkeys: "
"""Begins a line of the server's log that is not its own."""
SOCKET = "s.sock"
"""The socket's name in the job's folder."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a server is: ``name`` as the user gave it, ``model`` as vLLM was given it, ``served_as`` as
    requests name it. ``gpus`` share its work; ``concurrency`` is how many samples it works on well."""

    name: str
    model: str
    served_as: str
    port: int
    log: str
    device: str = "cuda"
    pooling: bool = False
    flags: tuple[str, ...] = ()
    gpus: int = 1
    concurrency: int = 256


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to run. ``card`` is the file that tells other programs of it, ``folder`` a private one for the
    socket."""

    command: tuple[str, ...]
    environment: dict[str, str]
    card: str
    folder: str
    about: About
    seconds_to_stop: tuple[float, float, float] = SECONDS_TO_STOP


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A running server, as other programs of the same user find it. ``born`` is the start of process ``pid``
    in the system's own ticks, so that a number used again is not taken for it; 0 where nobody tells."""

    about: About
    pid: int
    born: int
    socket: str


class Started(msgspec.Struct, frozen=True):
    """``failed`` is empty where the server's process ``pid`` runs, else one line."""

    pid: int = 0
    failed: str = ""
