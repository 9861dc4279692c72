"""``monkeys compare``: a problem set, several models, the same budget for each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import BaseUrlOption, ClusterOption, OutputOption, PriceOption, clean_text, limit, within
from app.cli.out import Output, print_list, warn
from app.errors import BadInput

if TYPE_CHECKING:
    from app.problems.problem import Worked

_ASK = "What to compare"
_LIMITS = "Limits, for each model (64 samples of every problem if none is given)"
_SAMPLING = "Sampling"


def compare(
    problems: Annotated[
        str | None,
        typer.Argument(
            help="A JSONL file of problems, - for standard input, starter, gsm8k, math, humaneval or mbpp.",
            show_default=False,
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A paper's settings; `list` lists them.", rich_help_panel=_ASK),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model; give it again for several. Default: smollm2.", rich_help_panel=_ASK),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--limit", metavar="N", help="Only so many problems of the set.", rich_help_panel=_ASK),
    ] = None,
    subset_seed: Annotated[
        int | None,
        typer.Option(metavar="S", help="Choose them at random, by this seed.", rich_help_panel=_ASK),
    ] = None,
    base_url: BaseUrlOption = None,
    samples: Annotated[
        str | None, typer.Option(metavar="N", help="Samples of every problem.", rich_help_panel=_LIMITS)
    ] = None,
    max_cost: Annotated[
        str | None, typer.Option(metavar="USD", help="Dollars.", rich_help_panel=_LIMITS)
    ] = None,
    max_flops: Annotated[
        str | None, typer.Option(metavar="F", help="FLOPs, such as 2e15.", rich_help_panel=_LIMITS)
    ] = None,
    max_total_tokens: Annotated[
        str | None, typer.Option(metavar="N", help="Tokens, prompts included.", rich_help_panel=_LIMITS)
    ] = None,
    max_seconds: Annotated[
        str | None, typer.Option(metavar="S", help="Seconds of the comparison.", rich_help_panel=_LIMITS)
    ] = None,
    allocation: Annotated[
        str,
        typer.Option(
            metavar="ORDER",
            help="uniform: the same samples for every problem; solve: problems stop at their first right "
            "sample; estimate: where least was right.",
            rich_help_panel=_LIMITS,
        ),
    ] = "uniform",
    stop: Annotated[
        str, typer.Option(metavar="RULE", help="none or first-verified.", rich_help_panel=_LIMITS)
    ] = "none",
    max_tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Per sample, 512 by default.", rich_help_panel=_SAMPLING)
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(metavar="T", help="0 to 2, 0.6 by default.", rich_help_panel=_SAMPLING)
    ] = None,
    top_p: Annotated[float | None, typer.Option(metavar="P", rich_help_panel=_SAMPLING)] = None,
    seed: Annotated[int, typer.Option(metavar="S", rich_help_panel=_SAMPLING)] = 0,
    concurrency: Annotated[
        int | None, typer.Option(metavar="N", help="Samples at once, per model.", rich_help_panel=_SAMPLING)
    ] = None,
    system: Annotated[str | None, typer.Option(metavar="TEXT", rich_help_panel=_SAMPLING)] = None,
    shots: Annotated[
        int | None,
        typer.Option(metavar="N", help="Worked examples in the prompt.", rich_help_panel=_SAMPLING),
    ] = None,
    shots_from: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A training split to draw them from, by --seed; questions of the set are left out.",
            rich_help_panel=_SAMPLING,
        ),
    ] = None,
    stop_string: Annotated[list[str] | None, typer.Option(metavar="S", rich_help_panel=_SAMPLING)] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Plain completion, for base models.", rich_help_panel=_SAMPLING)
    ] = False,
    price: PriceOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask no questions.")] = False,
    cluster: ClusterOption = None,
    output: OutputOption = Output.text,
) -> int:
    """Ask several models the same problems under the same budget each, and say which covers more."""
    from dataclasses import replace

    import msgspec

    from app import settings
    from app.cli import compare_session
    from app.cli.solve import plan_of
    from app.problems.sets import load_set, part_of
    from app.runs.presets import PRESETS
    from app.runs.presets import preset as preset_of
    from budgets.allocation import ALLOCATIONS
    from budgets.amounts import parse_count

    mine = settings.load().settings
    order = next((known for known in ALLOCATIONS if known == allocation), None)
    if order is None:
        raise BadInput(f"There is no allocation {allocation}.", f"Use one of {', '.join(ALLOCATIONS)}.")
    if preset == "list":
        rows = [{"name": each, "is": found.words()} for each, found in PRESETS.items()]
        print_list(output, rows, (f"{row['name']:22}{row['is']}" for row in rows))
        return 0
    chosen = None if preset is None else preset_of(preset)
    if problems is None and chosen is None:
        raise BadInput("No problem set is given.", "Give a file, starter, or --preset NAME.")
    if chosen is not None:
        warn(f"{preset}: {chosen.words()}. Options given beside it win.")
        temperature = chosen.temperature if temperature is None else temperature
        top_p = chosen.top_p if top_p is None else top_p
        max_tokens = chosen.max_tokens if max_tokens is None else max_tokens
        if not any((samples, max_cost, max_flops, max_total_tokens, max_seconds)):
            samples = str(chosen.samples)
        if shots is None and shots_from is not None:
            shots = chosen.shots
        elif chosen.shots is not None and shots_from is None:
            warn("Its worked examples are not drawn: give the training split with --shots-from.")
    name, asked = load_set(problems or (chosen.set if chosen else ""))
    wanted = limit("--limit", only, parse_count)
    if wanted is None and chosen is not None and chosen.problems is not None:
        wanted = min(chosen.problems, len(asked))
        subset_seed = seed if subset_seed is None else subset_seed
    asked = part_of(asked, wanted, subset_seed)
    limits = (samples, max_cost, max_flops, max_total_tokens, max_seconds)
    plan = plan_of(
        mine,
        models=tuple(model or (mine.model,)),
        limits=limits,
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        seed=seed,
        concurrency=concurrency,
        system=clean_text("--system", system),
        shots=None if shots_from is not None else shots,
        stop_strings=tuple(stop_string or ()),
        raw=raw,
        stop=stop,
        shrink=False,
    )
    each = plan.budget.samples if samples is not None or not any(limits) else None
    examples: tuple[Worked, ...] = ()
    if shots_from is not None:
        from app.problems.worked import draw_examples

        within("--shots", shots, 1, 100)
        examples = draw_examples(shots_from, shots or 5, seed, without=(one.prompt for one in asked))
    plan = msgspec.structs.replace(plan, budget=replace(plan.budget, samples=None), examples=examples)
    return compare_session.compare(
        compare_session.Asked(name, asked, plan, each, order),
        output=output,
        price=price,
        base_url=base_url,
        prices=mine.prices,
    )
