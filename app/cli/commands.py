"""Everything there is to call. A command imports what it needs when it is called; help loads none of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import Abort, Exit, TyperException

from app.cli import compare, config, cost, coverage, doctor, models, out, pick, replay, runs, solve, verify
from app.cli.tui import open_tui
from app.errors import BadInput

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
    return open_tui(None) if context.invoked_subcommand is None else 0


@app.command()
def tui(problem: Annotated[str | None, typer.Argument(help="Text to begin with.")] = None) -> int:
    """Open the TUI, with a problem filled in if one is given."""
    return open_tui(problem)


app.command("solve")(solve.solve)
app.command("compare")(compare.compare)
app.add_typer(runs.app, name="runs")
app.command("replay")(replay.replay)
app.add_typer(models.app, name="models")
app.command("verify")(verify.verify)
app.command("pick")(pick.pick)
app.command("cost")(cost.cost)
app.command("coverage")(coverage.coverage)
app.command("config")(config.config)
app.command("doctor")(doctor.doctor)


def call(arguments: Sequence[str]) -> int:
    """Parse and do; the exit status. Raises ``BadInput`` for slips of usage, ``KeyboardInterrupt``, and
    whatever a command raises."""
    try:
        status = typer.main.get_command(app).main(
            args=list(arguments), prog_name="monkeys", standalone_mode=False
        )
    except Exit as ended:
        return ended.exit_code
    except Abort:
        raise KeyboardInterrupt from None
    except TyperException as error:
        raise _as_bad_input(error) from None
    return status if isinstance(status, int) else 0


def _as_bad_input(error: TyperException) -> BadInput:
    message = getattr(error, "format_message", lambda: str(error))()
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "monkeys"
    said = " ".join(message.split()).rstrip(".") or f"{command} needs a command after it"
    return BadInput(f"{said}.", f"See: {command} --help")
