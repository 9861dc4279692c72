"""Runs the search for a model's file, which may be a long download, so that it never holds up the program.

The thread is a daemon: leaving the program in the middle of a download does not wait for it. What was
fetched stays and is continued the next time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from app.models.base import Progress

Finder: TypeAlias = Callable[[Callable[[Progress], None]], Path]
"""Finds a model's file, fetching it if need be. Blocks, and raises MonkeysError with the fix. An exception
raised by the report that it is given ends it."""


class _StoppedError(Exception):
    """The one who asked is gone."""


async def find_in_thread(find: Finder, report: Callable[[Progress], None]) -> Path:
    """What ``find`` returns or raises. ``report`` is called in this loop. Cancelling it stops the search at
    its next report."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Path] = loop.create_future()
    stopped = threading.Event()

    def pass_on(progress: Progress) -> None:
        if stopped.is_set():
            raise _StoppedError
        loop.call_soon_threadsafe(report, progress)  # a closed loop raises, which ends the search too

    def settle(path: Path | None, error: BaseException | None) -> None:
        if found.done():
            return
        if path is not None:
            found.set_result(path)
        elif error is not None:
            found.set_exception(error)

    def work() -> None:
        path, fault = None, None
        try:
            path = find(pass_on)
        except BaseException as error:  # noqa: BLE001 (handed to the one who waits)
            fault = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(settle, path, fault)

    threading.Thread(target=work, name="find-model", daemon=True).start()
    try:
        return await found
    finally:
        stopped.set()
