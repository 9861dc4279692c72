"""``monkeys models``: what can be asked, what it costs, and how to get it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from decimal import Decimal
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


_WIDEST_NAME = 60
WordArgument = Annotated[
    str | None, typer.Argument(metavar="WORD", help="Of a name: lists every model that has it.")
]


@app.command("list")
def list_models(word: WordArgument = None, output: OutputOption = Output.text) -> None:
    """List the models to choose from, and what is missing: on this machine, on servers, at API providers."""
    from app import settings
    from app.errors import BadInput
    from app.models.api_catalog import api_models, api_providers
    from app.models.registry import known_models

    keys = settings.load().settings.api_keys
    if word is None:
        models = [*known_models(), *api_providers(keys)]
    else:
        every = [*known_models(), *api_models(keys)]
        models = [model for model in every if word.lower() in model.name.lower()]
        if not models:
            raise BadInput(f"No listed model has {word} in its name.", "See them all: monkeys models list ''")
    rows = [_row(model) for model in models]
    shown = [
        (model, row)
        for model, row in zip(models, rows, strict=True)
        if word is not None or model.ready or not model.name.endswith("/NAME") or _is_familiar(model)
    ]
    width = min(_WIDEST_NAME, max(len(model.name) for model in models))
    lines = [
        f"{'✓' if model.ready else '✗'} {model.name:{width}}  "
        f"{model.missing or 'ready'} · {_about(model, row)}"
        for model, row in shown
    ]
    if word is None:
        others = f"{len(models) - len(shown)} more providers" if len(shown) < len(models) else "More"
        lines.append(f"  {others} and all listed models: monkeys models list WORD, a part of the name")
    print_list(output, rows, lines)


def _is_familiar(model: KnownModel) -> bool:
    from app.models.litellm_providers import FAMILIAR

    return model.name.partition("/")[0] in FAMILIAR


def _about(model: KnownModel, row: dict[str, Any]) -> str:
    price = row["price"]
    rates = "" if price is None else f", {_rates(price)}"
    return f"{model.description}{rates}"


def _row(model: KnownModel) -> dict[str, Any]:
    from budgets.prices import context_of, price_of

    return {
        "name": model.name,
        "kind": model.kind,
        "ready": model.ready,
        "missing": model.missing,
        "parameters": model.parameters,
        "context": model.context or context_of(model.name),
        "price": price_row(price_of(model.name)) if model.kind == "litellm" else None,
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
            row["missing"] = _missing_key(name) if info.kind == "litellm" else None
            row["ready"] = row["missing"] is None
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


def _missing_key(name: str) -> str | None:
    from app import settings
    from app.models.api_catalog import what_is_missing
    from app.models.litellm_providers import provider_of

    provider = provider_of(name)
    return None if provider is None else what_is_missing(provider, settings.load().settings.api_keys)


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
    return f"{_rates(row)} ({row['source']})"


def _rates(row: Mapping[str, Any]) -> str:
    from budgets.amounts import show_rate

    into, out_ = show_rate(Decimal(row["input"])), show_rate(Decimal(row["output"]))
    return f"{into} in, {out_} out per million tokens"


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
