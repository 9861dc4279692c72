"""``monkeys replay``: a recorded run again, in the TUI, or as JSONL where there is no terminal."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import out
from app.cli.out import Output
from app.errors import BadInput

if TYPE_CHECKING:
    from app.runs.recording import Recording
    from app.runs.replay import Player


def replay(
    recording: Annotated[
        str,
        typer.Argument(metavar="RUN|FILE", help="A run's id or `last`, or a file of events; - for stdin."),
    ] = "last",
    speed: Annotated[str, typer.Option(help="A factor such as 4, or max.")] = "1",
    output: Annotated[
        Output | None, typer.Option("--output", "-o", help="Print instead of opening the TUI.")
    ] = None,
) -> int:
    """Play a recorded run."""
    factor = _factor(speed)
    from app.runs.replay import Player

    player = Player(_recording(recording), speed=factor)
    if output is None and sys.stdout.isatty() and sys.stdin.isatty():
        from app.tui.opening import open_replay

        return open_replay(player)
    return _print(player, output or Output.jsonl)


def _factor(text: str) -> float:
    if text.strip().lower() in ("max", "inf"):
        return math.inf
    try:
        factor = float(text.strip().lower().removesuffix("x"))
    except ValueError:
        factor = math.nan
    if not (0 < factor < math.inf):
        raise BadInput(f"--speed {text} is no speed.", "Give a factor above zero, such as 4, or max.")
    return factor


def _recording(name: str) -> Recording:
    from app.runs.recording import parse_recording, read_recording, recording_of

    if name == "-":
        return parse_recording(sys.stdin.buffer.read(), "standard input")
    path = Path(name).expanduser()
    if path.is_file() or path.suffix or "/" in name:
        return read_recording(path)
    from app import locations
    from app.runs.journal import Journal

    with Journal.open(locations.journal_file(), write=False) as journal:
        run_id = journal.resolve(name)
        return recording_of(journal.load(run_id), f"Run {run_id}")


def _print(player: Player, output: Output) -> int:
    import asyncio

    from app.runs.events import to_json
    from app.runs.result import result
    from app.runs.result_text import summary_lines

    async def play() -> None:
        async for event in player.run():
            if output is Output.jsonl:
                out.print_bytes(to_json(event), flush=math.isfinite(player.speed))

    asyncio.run(play())
    if output is Output.text:
        out.print_lines(summary_lines(player.state))
    elif output is Output.json:
        out.print_json(result(player.state))
    else:
        out.print_each([{"type": "result", "at": player.state.at} | result(player.state)])
    return 0
