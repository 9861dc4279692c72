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
    from app.runs.events import Event
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
    if (kept := _comparison(recording)) is not None:
        return _replay_comparison(kept, factor, output)
    from app.runs.replay import Player

    player = Player(_recording(recording), speed=factor)
    if output is None and sys.stdout.isatty() and sys.stdin.isatty():
        from app.tui.opening import open_replay

        return open_replay(player)
    return _print(player, output or Output.jsonl)


def _comparison(name: str) -> list[Event] | None:
    """The events of a comparison of the journal; ``None`` for a file, or for a run of one problem."""
    if name == "-" or Path(name).expanduser().is_file() or Path(name).suffix or "/" in name:
        return None
    from app import locations
    from app.runs.events import ComparisonStarted
    from app.runs.journal import Journal

    with Journal.open(locations.journal_file(), write=False) as journal:
        run_id = journal.resolve(name)
        if not isinstance(journal.first(run_id), ComparisonStarted):
            return None
        return journal.load(run_id)


def _replay_comparison(events: list[Event], factor: float, output: Output | None) -> int:
    import asyncio

    from app.runs.compare.replay import ComparisonPlayer
    from app.runs.compare.result import comparison_lines, comparison_result
    from app.runs.events import to_json

    player = ComparisonPlayer(events, speed=factor)
    if output is None and sys.stdout.isatty() and sys.stdin.isatty():
        from app.runs.compare.samples import comparison_rows
        from app.tui.opening import open_comparison
        from app.tui.ports import Compared

        return open_comparison(
            Compared(
                player,
                lambda problem, model: list(comparison_rows(events, problem=problem, model=model)),
            )
        )

    async def play() -> None:
        async for event in player.run():
            if output in (None, Output.jsonl):
                out.print_bytes(to_json(event), flush=math.isfinite(factor))

    asyncio.run(play())
    if output is Output.text:
        out.print_lines(comparison_lines(player.state))
    elif output is Output.json:
        out.print_json(comparison_result(player.state))
    else:
        out.print_each([{"type": "result", "at": player.state.at} | comparison_result(player.state)])
    return 0


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
