"""How the program is opened: on its form, or on a recording, with the user's settings and the real ports."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from app.tui.app import MonkeysApp
from app.tui.draft import draft_from

if TYPE_CHECKING:
    from app.runs.source import RunSource
    from app.tui.ports import Compared


def calm_collector() -> None:
    """A full collection over many thousand samples would hold up a key for a third of a second; ours are
    freed by counting references, so the search for cycles may be rare."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def open_tui(problem_text: str | None = None) -> int:
    """Open the program on its form, with ``problem_text`` typed in. Returns the exit status.

    Raises ``BadInput`` for settings that cannot be used.
    """
    return _run(problem_text, None)


def open_replay(source: RunSource) -> int:
    """Open the program on a recording. Returns the exit status. Raises as ``open_tui`` does."""
    return _run(None, source)


def open_comparison(found: Compared) -> int:
    """Open the program on a kept comparison. Returns the exit status. Raises as ``open_tui`` does."""
    return _run(None, None, found)


def _run(problem_text: str | None, recording: RunSource | None, found: Compared | None = None) -> int:
    from app import settings
    from app.tui.wiring import real_ports

    mine = settings.load().settings
    calm_collector()
    app = MonkeysApp(
        real_ports(mine),
        draft=draft_from(mine).asking(problem_text or ""),
        recording=recording,
        comparison=found,
        theme=mine.theme,
        keys=mine.keys,
    )
    app.run()
    return app.return_code or 0
