"""What is left of a fault of ours: a log with the whole story, and one line for the user."""

from __future__ import annotations

import time
import traceback

from app import locations
from app.runs.redact import redact


def report(fault: BaseException, run_id: str | None) -> str:
    """Write the traceback to the log and return the line that says so."""
    line = f"monkeys met a fault of its own ({type(fault).__name__}) and closed."
    if run_id is not None:
        line += f" What was sampled is kept: monkeys runs resume {run_id}"
    path = locations.log_file("tui")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", errors="replace") as log:
            log.write(time.strftime("--- %Y-%m-%d %H:%M:%S\n"))
            log.write(redact("".join(traceback.format_exception(fault))))
    except OSError as unwritable:
        return f"{line}\nIts log could not be written to {path}: {unwritable.strerror or unwritable}"
    return f"{line}\nDetails: {path}"
