"""``monkeys solve``: one problem, sampled without the TUI.

The options are read into a problem and a plan, which are checked as far as they can be without a model;
``app.cli.session`` does the rest.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import (
    BaseUrlOption,
    ClusterOption,
    OutputOption,
    PriceOption,
    RewardOption,
    ShareOption,
    TranslatorOption,
    clean_text,
    helper,
    limit,
    within,
)
from app.cli.out import Output
from app.cli.repository import (
    FilesOption,
    RepeatTestsOption,
    RepoOption,
    TestCommandOption,
    TestSecondsOption,
    with_repository,
)
from app.errors import BadInput

if TYPE_CHECKING:
    from app.problems.problem import Problem
    from app.runs.plan import Plan
    from app.settings import Settings

_ASK = "What to ask"
_LIMITS = "Limits (64 samples if none is given)"
_SAMPLING = "Sampling"


def solve(
    problem: Annotated[
        str | None, typer.Argument(help="The problem; - reads it from standard input.", show_default=False)
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A problem as JSON or plain text.", rich_help_panel=_ASK)
    ] = None,
    starter: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="A problem of the starter set; `list` lists them.", rich_help_panel=_ASK
        ),
    ] = None,
    kind: Annotated[
        str, typer.Option(help="auto, math, code, proof, patch or open.", rich_help_panel=_ASK)
    ] = "auto",
    answer: Annotated[
        str | None, typer.Option(help="The known answer, to check against.", rich_help_panel=_ASK)
    ] = None,
    tests: Annotated[
        Path | None,
        typer.Option(help="Python tests to run on every sample's code.", rich_help_panel=_ASK),
    ] = None,
    entry_point: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The function that they test.", rich_help_panel=_ASK),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model; give it again for several. Default: smollm2.", rich_help_panel=_ASK),
    ] = None,
    base_url: BaseUrlOption = None,
    samples: Annotated[
        str | None, typer.Option(metavar="N", help="Finished samples.", rich_help_panel=_LIMITS)
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
        str | None, typer.Option(metavar="S", help="Seconds of the run.", rich_help_panel=_LIMITS)
    ] = None,
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
    stop_string: Annotated[list[str] | None, typer.Option(metavar="S", rich_help_panel=_SAMPLING)] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Plain completion, for base models.", rich_help_panel=_SAMPLING)
    ] = False,
    stop: Annotated[
        str,
        typer.Option(
            metavar="RULE", help="none, first-verified, settled or worth-it.", rich_help_panel=_LIMITS
        ),
    ] = "none",
    shrink_tokens: Annotated[
        bool,
        typer.Option(
            "--shrink-tokens",
            help="Near the end of a budget, allow shorter samples rather than leave money unspent.",
            rich_help_panel=_LIMITS,
        ),
    ] = False,
    reward: RewardOption = None,
    translator: TranslatorOption = None,
    translation_share: ShareOption = None,
    price: PriceOption = None,
    cluster: ClusterOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask no questions.")] = False,
    output: OutputOption = Output.text,
    repo: RepoOption = None,
    test_command: TestCommandOption = None,
    files: FilesOption = None,
    test_seconds: TestSecondsOption = None,
    repeat_tests: RepeatTestsOption = None,
) -> int:
    """Ask one problem many times, and pick an answer."""
    if starter == "list":
        return _list_starters(output)

    from app import settings

    mine = settings.load().settings
    kind = "patch" if kind == "auto" and repo is not None else kind
    asked = _problem(problem, file, starter, kind, clean_text("--answer", answer))
    if tests is not None:
        from app.problems.tests_file import with_tests

        asked = with_tests(asked, tests, entry_point)
    asked = with_repository(asked, repo, test_command, files, test_seconds, repeat_tests)
    plan = plan_of(
        mine,
        models=tuple(model or (mine.model,)),
        limits=(samples, max_cost, max_flops, max_total_tokens, max_seconds),
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        seed=seed,
        concurrency=concurrency,
        system=clean_text("--system", system),
        shots=shots,
        stop_strings=tuple(stop_string or ()),
        raw=raw,
        stop=stop,
        shrink=shrink_tokens,
    )
    plan = with_helpers(plan, mine, reward, translator, translation_share)
    if asked.kind == "patch":
        from app.cli.out import warn
        from app.runs.patch_checks import look_before

        for line in look_before(asked):
            warn(line)
    from app.cli import session

    return session.solve(
        asked,
        plan,
        output=output,
        price=price,
        base_url=base_url,
        prices=mine.prices,
        confirm=ask_above(mine, yes),
    )


def with_helpers(
    plan: Plan, mine: Settings, reward: str | None, translator: str | None, share: float | None
) -> Plan:
    """The plan with what scores and what translates, as given or as the settings say."""
    import msgspec

    within("--translation-share", share, 0, 1)
    return msgspec.structs.replace(
        plan,
        reward=helper("--reward", reward, mine.reward),
        translator=helper("--translator", translator, mine.translator),
        translation_share=mine.translation_share if share is None else share,
    )


def ask_above(mine: Settings, yes: bool) -> Decimal | None:
    """Dollars above which a person at the terminal is asked first."""
    return None if yes or not sys.stdin.isatty() else mine.confirm_above


def _list_starters(output: Output) -> int:
    from app.cli.out import print_list
    from app.problems.starter import starter_problems

    problems = starter_problems()
    width = max(len(problem.id) for problem in problems)
    lines = (f"{one.id:{width}}  {one.kind:5}  {one.title or one.prompt.splitlines()[0]}" for one in problems)
    print_list(output, list(problems), lines)
    return 0


def _problem(
    text: str | None, file: Path | None, starter: str | None, kind: str, answer: str | None
) -> Problem:
    import msgspec

    from app.problems.load import STDIN, load_problem, problem_from_text
    from app.problems.problem import KINDS

    given = [
        name
        for name, value in (("PROBLEM", text), ("--file", file), ("--starter", starter))
        if value is not None
    ]
    if len(given) != 1:
        what = f"{' and '.join(given)} are given" if given else "No problem is given"
        raise BadInput(f"{what}.", "Give one: a text, - for standard input, --file F or --starter ID.")
    if kind not in ("auto", *KINDS):
        raise BadInput(f"There is no kind {kind}.", f"Choose auto, {', '.join(KINDS)}.")
    if answer is not None and not answer.strip():
        raise BadInput("The known answer is empty.", "Leave --answer out if it is not known.")
    if text is not None and text != STDIN:
        return problem_from_text(clean_text("The problem", text) or "", kind=kind, answer=answer)
    if starter is not None:
        from app.problems.starter import starter as starter_of

        found = starter_of(starter)
    else:
        found = load_problem(STDIN if text == STDIN else file or "")
    changes = {"kind": kind} if kind != "auto" else {}
    if answer is not None:
        changes["answer"] = answer.strip()
    return msgspec.structs.replace(found, **changes) if changes else found


def plan_of(
    mine: Settings,
    *,
    models: tuple[str, ...],
    limits: tuple[str | None, str | None, str | None, str | None, str | None],
    max_tokens: int | None,
    temperature: float | None,
    top_p: float | None,
    seed: int,
    concurrency: int | None,
    system: str | None,
    shots: int | None,
    stop_strings: tuple[str, ...],
    raw: bool,
    stop: str,
    shrink: bool,
) -> Plan:
    from app.models.base import Settings as Sampling
    from app.runs.plan import Plan
    from app.runs.stopping import RULES
    from budgets.amounts import Budget, parse_count, parse_flops, parse_seconds, parse_usd

    samples, max_cost, max_flops, max_total_tokens, max_seconds = limits
    budget = Budget(
        usd=limit("--max-cost", max_cost, parse_usd),
        flops=limit("--max-flops", max_flops, parse_flops),
        tokens=limit("--max-total-tokens", max_total_tokens, parse_count),
        samples=limit("--samples", samples, parse_count),
        seconds=limit("--max-seconds", max_seconds, parse_seconds),
    )
    if budget.is_empty:
        budget = budget.raised(samples=mine.samples, usd=mine.max_cost)
    within("--max-tokens", max_tokens, 1, 1_000_000)
    within("--temperature", temperature, 0, 2)
    within("--top-p", top_p, 0, 1, open_low=True)
    within("--concurrency", concurrency, 1, 10_000)
    within("--shots", shots, 0, 100)
    within("--seed", seed, 0, 2**31 - 1)
    rule = next((known for known in RULES if known == stop), None)
    if rule is None:
        raise BadInput(f"There is no stop rule {stop}.", f"Use {', '.join(RULES[:-1])} or {RULES[-1]}.")
    if any(not one for one in stop_strings):
        raise BadInput("A stop string is empty.", "Leave --stop-string out to stop at the model's own end.")
    if any(not name.strip() for name in models):
        raise BadInput("The model name is empty.", "Name one, for example --model smollm2.")
    return Plan(
        models=models,
        settings=Sampling(
            temperature=mine.temperature if temperature is None else temperature,
            top_p=top_p,
            max_tokens=mine.max_tokens if max_tokens is None else max_tokens,
            stop=stop_strings,
        ),
        budget=budget,
        seed=seed,
        concurrency=concurrency,
        stop=rule,
        system=system,
        shots=shots,
        raw=raw,
        shrink=shrink,
    )
