"""The servers that are up: their cards, and whether whoever keeps them answers.

Each running server has a card in the data folder, and a card is believed only when the process that wrote it
answers on its private socket. One left by a crash is cleaned away, with the server it speaks of.
"""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from app.locations import servers_folder
from app.models.vllm_card import SECONDS_TO_STOP, About, Card, Started
from app.models.vllm_process import born, end_group

_SECONDS_TO_ANSWER = 2.0


def running_servers() -> list[About]:
    """The servers that are up now."""
    found = []
    for card, line in answering(patience=0.0):
        line.close()
        found.append(card.about)
    return found


def answering(patience: float) -> Iterator[tuple[Card, socket.socket]]:
    """Every server whose keeper answers, with a connection to it. ``patience``: seconds to wait for one that
    is on its way out. Cards of dead servers are cleaned away."""
    for path in sorted(servers_folder().glob("*.json")):
        until = time.monotonic() + patience
        while (card := _read_card(path)) is not None:
            line = connect(card.socket, card.pid)
            if line is not None:
                yield card, line
                break
            if not _is_leaving(card):
                _clean_away(path, card)
                break
            if time.monotonic() >= until:
                break
            time.sleep(0.1)


def _read_card(path: Path) -> Card | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Card)
    except (OSError, msgspec.DecodeError):
        return None


def connect(address: str, pid: int) -> socket.socket | None:
    """A connection to the keeper of process ``pid``, ``None`` where it is gone or about to go."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.settimeout(_SECONDS_TO_ANSWER)
        line.connect(address)
        greeting = line.recv(4096)
        if greeting and msgspec.json.decode(greeting, type=Started).pid == pid:
            line.setblocking(False)
            return line
    except (OSError, msgspec.DecodeError):
        pass
    line.close()
    return None


def _is_leaving(card: Card) -> bool:
    """A keeper that is ending its server answers nobody, and removes its card and its folder at the end."""
    return Path(card.socket).exists() and _accepts(card.socket)


def _accepts(address: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_SECONDS_TO_ANSWER)
        return probe.connect_ex(address) == 0


def _clean_away(path: Path, card: Card) -> None:
    """Remove a dead server's card, and end the server if it has outlived its keeper."""
    if card.born and born(card.pid) == card.born:
        end_group(card.pid, SECONDS_TO_STOP[1:])
    path.unlink(missing_ok=True)
    shutil.rmtree(Path(card.socket).parent, ignore_errors=True)
