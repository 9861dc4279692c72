"""``monkeys models``: what can be asked, what it costs, and how to get it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import serve
from app.cli.options import OutputOption
from app.cli.out import Output, print_list, print_one, warn

if TYPE_CHECKING:
    from app.models.registry import KnownModel
    from budgets.rates import Price

app = typer.Typer(help="Models: list, show, pull, serve.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(metavar="MODEL")]


@app.command("list")
def list_models(output: OutputOption = Output.text) -> None:
    """List the models to choose from."""
    from app.models.registry import known_models

    models = known_models()
    width = max(len(model.name) for model in models)
    lines = [
        f"{'✓' if model.ready else '✗'} {model.name:{width}}  "
        f"{model.missing or 'ready'} · {model.description}"
        for model in models
    ]
    lines += _gpu_lines()
    print_list(output, [_row(model) for model in models], lines)


def _gpu_lines() -> list[str]:
    """The graphics cards, and what of the catalog fits on each."""
    from app.models.gpus import find_gpus, models_that_fit

    return [
        f"GPU {gpu.sentence}; fits {', '.join(models_that_fit(gpu.free)) or 'no model of the catalog'}"
        for gpu in find_gpus()
    ]


def _row(model: KnownModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "kind": model.kind,
        "ready": model.ready,
        "missing": model.missing,
        "parameters": model.parameters,
        "context": model.context,
        "price": None,
    }


@app.command()
def show(name: NameArgument = "smollm2", output: OutputOption = Output.text) -> None:
    """Show a model's size and price."""
    from app.errors import BadInput, PartMissing
    from app.models.registry import backend_for, known_models
    from budgets.catalog import size_of
    from budgets.prices import FREE, price_of, why_unpriced

    price, size = price_of(name), size_of(name)
    known = next((_row(model) for model in known_models() if model.name == name), None)
    row: dict[str, Any] = known or {"name": name, "kind": "litellm", "ready": False, "missing": None}
    try:
        info = backend_for(name).info
    except PartMissing as error:
        if known is None and price is None and size is None:
            raise
        row["missing"] = row["missing"] or error.message
    except BadInput:
        if known is None and price is None and size is None:
            raise
    else:
        row |= {"kind": info.kind, "parameters": info.parameters, "context": info.context}
        row |= {"layers": info.layers, "hidden": info.hidden, "concurrency": info.concurrency}
        if known is None:
            row["ready"] = True
        if price is None and info.local:
            price = FREE
    if size is not None and row.get("parameters") is None:
        row |= {"parameters": size.parameters, "layers": size.layers, "hidden": size.hidden}
        row |= {"context": size.context}
    row["price"] = price_row(price)
    lines = [
        f"{field:12} {'unknown' if value is None else value}"
        for field, value in row.items()
        if field != "price" and not (field == "missing" and value is None)
    ]
    if price is not None:
        lines.append(f"{'price':12} {price_line(price)}")
    elif (why := why_unpriced(name)) is not None:
        lines.append(f"{'price':12} unknown: {why}")
    print_one(output, row, lines)


def price_row(price: Price | None) -> dict[str, str] | None:
    """Dollars per million tokens, as exact decimals."""
    if price is None:
        return None
    from budgets.amounts import usd_text

    return {
        "input": usd_text(price.input.scaleb(6)),
        "output": usd_text(price.output.scaleb(6)),
        "source": price.source if price.dated is None else f"{price.source} {price.dated}",
    }


def price_line(price: Price) -> str:
    row = price_row(price)
    assert row is not None  # noqa: S101 (there is a price)
    return f"${row['input']} in, ${row['output']} out per million tokens ({row['source']})"


@app.command()
def pull(name: NameArgument = "smollm2", output: OutputOption = Output.text) -> None:
    """Fetch a model's weights, and try whether it starts."""
    import asyncio

    from app.models.base import Progress
    from app.models.registry import backend_for

    backend = backend_for(name)
    shown = ""

    def report(progress: Progress) -> None:
        nonlocal shown
        share = "" if progress.fraction is None else f" {progress.fraction:.0%}"
        line = f"{progress.step}{share}"
        if sys.stderr.isatty() and line != shown:
            sys.stderr.write(f"\r\x1b[2K{line}")
            sys.stderr.flush()
        shown = line

    async def get() -> None:
        try:
            await backend.open(report)
        finally:
            await backend.close()

    try:
        asyncio.run(get())
    finally:
        if shown and sys.stderr.isatty():
            sys.stderr.write("\r\x1b[2K")
    if output is Output.text:
        warn(f"{name} is ready.")
    print_one(output, {"name": name, "ready": True}, [])


app.command("serve")(serve.serve)
