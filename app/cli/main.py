"""The command line: what there is to call, and how every call ends.

``run`` is the one way in. Whatever happens below it becomes an exit status and, at the most, one line: the
project's own errors by their table, slips of usage as bad input, and a fault of ours with the place where it
is written down. Commands import what they need when they are called; help loads none of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import Abort, Exit, TyperException

from app.cli import config, cost, doctor, models, out, replay, runs, solve
from app.errors import BadInput, MonkeysError

INTERRUPTED = 130

app = typer.Typer(
    name="monkeys",
    help="Ask a model many times, check every answer, and pick one, under a budget that holds.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        out.print_lines([f"monkeys {version('manymonkeys')}"])
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _without_command(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> int:
    """With no command, the TUI opens."""
    return _open_tui(None) if context.invoked_subcommand is None else 0


@app.command()
def tui(problem: Annotated[str | None, typer.Argument(help="Text to begin with.")] = None) -> int:
    """Open the TUI, with a problem filled in if one is given."""
    return _open_tui(problem)


def _open_tui(problem: str | None) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput("The TUI needs a terminal.", "Without one, use: monkeys solve PROBLEM")
    from app.tui.app import open_tui

    return open_tui(problem)


app.command("solve")(solve.solve)
app.add_typer(runs.app, name="runs")
app.command("replay")(replay.replay)
app.add_typer(models.app, name="models")
app.command("cost")(cost.cost)
app.command("config")(config.config)
app.command("doctor")(doctor.doctor)


def run(arguments: Sequence[str]) -> int:
    """Do what the command line says; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without ✓ shows ? instead of a fault
    try:
        status = _call(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        out.forget_stdout()
        return 0
    return status


def _call(arguments: Sequence[str]) -> int:
    try:
        status = typer.main.get_command(app).main(
            args=list(arguments), prog_name="monkeys", standalone_mode=False
        )
        return status if isinstance(status, int) else 0
    except Exit as ended:
        return ended.exit_code
    except (Abort, KeyboardInterrupt):
        out.warn("Interrupted.")
        return INTERRUPTED
    except TyperException as error:
        return _tell(_as_bad_input(error, arguments), arguments)
    except MonkeysError as error:
        return _tell(error, arguments)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 (the last stop: no traceback reaches a user)
        return _tell(_as_our_fault(error), arguments)


def _tell(error: MonkeysError, arguments: Sequence[str]) -> int:
    from verifiers.safe_text import one_line

    out.warn(one_line(error.message, 2000), error.fix and one_line(error.fix, 2000))
    if _wants_json(arguments):
        out.print_each([out.error_object(error)])
    return error.status


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether the output is JSON, asked of the words themselves: they may be what could not be parsed."""
    for place, word in enumerate(arguments):
        if word == "--":
            return False
        value = arguments[place + 1] if word in ("--output", "-o") and place + 1 < len(arguments) else word
        if value in ("json", "jsonl") and value is not word:
            return True
        if word in ("--output=json", "--output=jsonl", "-ojson", "-ojsonl"):
            return True
    return False


def _as_bad_input(error: TyperException, arguments: Sequence[str]) -> BadInput:
    message = getattr(error, "format_message", lambda: str(error))()
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "monkeys"
    return BadInput(" ".join(message.split()).rstrip(".") + ".", f"See: {command} --help")


def _as_our_fault(error: Exception) -> MonkeysError:
    if os.environ.get("MONKEYS_DEBUG"):
        raise error
    import traceback

    from app import locations

    log = locations.log_file("faults")
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8", errors="replace") as file:
            traceback.print_exception(error, file=file)
        where = f"What happened is in {log}"
    except OSError:
        where = "It could not be written down"
    return MonkeysError(
        f"A fault of monkeys itself ({type(error).__name__}).",
        f"{where}; MONKEYS_DEBUG=1 shows it here.",
    )
