"""``monkeys`` and ``monkeys tui``: the way into the TUI."""

from __future__ import annotations

import sys

from app.errors import BadInput


def open_tui(problem: str | None) -> int:
    """Open it with ``problem`` typed in. Raises ``BadInput`` where there is no terminal to open it on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput("The TUI needs a terminal.", "Without one, use: monkeys solve PROBLEM")
    from app.tui.opening import open_tui

    return open_tui(problem)
