"""Making a model ready, told as it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.errors import MonkeysError
from app.models.base import ModelInfo, Progress
from app.runs.telling import Role, Telling

Open = Callable[[Callable[[Progress], None]], Awaitable[None]]


async def open_model(
    telling: Telling, name: str, open_: Open, info: Callable[[], ModelInfo | None], role: Role = "samples"
) -> MonkeysError | None:
    """Open it, and say how that went. What it lacks is returned; a fault of the program is raised."""

    def report(progress: Progress) -> None:
        telling.status(name, "preparing", progress.step, progress.fraction, role=role)

    try:
        await open_(report)
    except MonkeysError as error:
        telling.status(name, "failed", f"{error.message} {error.fix or ''}".strip(), role=role)
        return error
    telling.status(name, "ready", info=info(), role=role)
    return None
