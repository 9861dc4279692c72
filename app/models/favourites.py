"""The models a user comes back to, kept by name in one small file. Losing it costs nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec


class Favourites:
    """A file that is missing or broken is an empty one, and one that cannot be written is not spoken of."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> tuple[str, ...]:
        """In the order in which they were chosen."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=tuple[str, ...])
        except (OSError, msgspec.MsgspecError):
            return ()

    def toggle(self, name: str) -> tuple[str, ...]:
        """Add a name, or take it out; those there are then."""
        names = self.names()
        names = tuple(other for other in names if other != name) if name in names else (*names, name)
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            aside = self._path.with_suffix(".new")
            aside.write_bytes(msgspec.json.encode(names))
            aside.replace(self._path)
        return names
