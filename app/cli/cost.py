"""``monkeys cost``: what a number of samples would cost, before any is drawn."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.options import OutputOption, PriceOption, amount
from app.cli.out import Output, print_one
from app.errors import BadInput

if TYPE_CHECKING:
    from budgets.flops import ModelSize
    from budgets.rates import Price


def cost(
    model: Annotated[str, typer.Option(help="A model's name.")] = "smollm2",
    prompt_tokens: Annotated[str, typer.Option(metavar="P", help="Tokens of the prompt.")] = "500",
    completion_tokens: Annotated[str, typer.Option(metavar="C", help="Tokens of one sample.")] = "512",
    samples: Annotated[str, typer.Option(metavar="N", help="Samples.")] = "64",
    n: Annotated[int, typer.Option("--n", metavar="K", min=1, help="Samples that share one request.")] = 1,
    price: PriceOption = None,
    parameters: Annotated[
        str | None, typer.Option(metavar="N", help="Such as 8e9, with the next two.")
    ] = None,
    layers: Annotated[int | None, typer.Option(metavar="L", min=1)] = None,
    hidden: Annotated[int | None, typer.Option(metavar="D", min=1)] = None,
    output: OutputOption = Output.text,
) -> None:
    """Dollars and FLOPs of a planned number of samples."""
    from budgets.amounts import parse_count, show_flops, show_usd, usd_text

    prompt = amount("--prompt-tokens", prompt_tokens, parse_count) or 0
    completion = amount("--completion-tokens", completion_tokens, parse_count) or 0
    count = amount("--samples", samples, parse_count) or 0
    size = _size(model, parameters, layers, hidden)
    paid = _price(model, price)
    if size is None and paid is None:
        _refuse_unknown(model)
    usd, worst = _dollars(paid, prompt, completion, count, n)
    flops = None
    if size is not None:
        from budgets.flops import sampling_flops

        flops = sampling_flops(size, prompt, completion, count)
    from app.cli.models import price_line, price_row

    row: dict[str, Any] = {
        "usd": None if usd is None else usd_text(usd),
        "usd_worst": None if worst is None else usd_text(worst),
        "flops": None if flops is None else float(flops),
        "parameters": None if size is None else size.parameters,
        "price": price_row(paid),
    }
    print_one(
        output,
        row,
        [
            f"{count:,} samples of {model}, {prompt:,} + {completion:,} tokens",
            f"Dollars  {show_usd(usd)}" + ("" if worst == usd else f" (at most {show_usd(worst)})"),
            f"FLOPs    {show_flops(flops)}",
            f"Price    {'unknown' if paid is None else price_line(paid)}",
        ],
    )


def _size(model: str, parameters: str | None, layers: int | None, hidden: int | None) -> ModelSize | None:
    from budgets.amounts import parse_count
    from budgets.catalog import size_of
    from budgets.flops import ModelSize

    given = amount("--parameters", parameters, parse_count)
    if given is None and layers is None and hidden is None:
        return size_of(model)
    if given is None or layers is None or hidden is None:
        raise BadInput("A size is given in part.", "Give --parameters, --layers and --hidden together.")
    try:
        return ModelSize(given, layers, hidden)
    except ValueError as error:
        raise BadInput(str(error)) from None


def _price(model: str, text: str | None) -> Price | None:
    from budgets.prices import price_of
    from budgets.rates import FREE, parse_price

    if text is not None:
        return amount("--price", text, parse_price)
    if model == "smollm2" or model.startswith("gguf:"):
        return FREE
    return price_of(model)


def _dollars(
    price: Price | None, prompt: int, completion: int, samples: int, n: int
) -> tuple[Decimal | None, Decimal | None]:
    """Known and worst dollars. Samples come ``n`` to a request, and each request reads the prompt anew."""
    if price is None:
        return None, None
    requests = -(-samples // n)
    usd = requests * price.prompt_cost(prompt) + samples * price.completion_cost(prompt, completion)
    worst = requests * price.worst_prompt(prompt) + samples * price.worst_choice(prompt, completion)
    return usd, worst


def _refuse_unknown(model: str) -> None:
    """Raises ``BadInput`` for a name that means nothing at all; a file's own size is asked of its owner."""
    from app.models.registry import nearest_name

    if ":" in model:
        return
    near = nearest_name(model)
    raise BadInput(
        f"Neither a price nor a size of {model} is known.",
        f"Did you mean {near}?" if near else "Give --price, or --parameters, --layers and --hidden.",
    )
