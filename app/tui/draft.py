"""What stands in the compose form, and what it means.

Kept apart from the widgets so that a problem typed on the prompt line, one taken from the starter set and one
typed into the form are all read by the same rules, and so that these can be tested without a screen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from app.errors import BadInput

if TYPE_CHECKING:
    from app.problems.problem import Kind, Problem
    from app.runs.plan import Plan
    from app.settings import Settings
    from budgets.amounts import Budget

Field = Literal[
    "text",
    "kind",
    "answer",
    "tests",
    "models",
    "samples",
    "usd",
    "flops",
    "tokens",
    "seconds",
    "temperature",
    "max_tokens",
    "reward",
    "translator",
]
_T = TypeVar("_T")

HOTTEST = 2.0
"""The highest temperature any backend here takes."""


class FieldFault(BadInput):
    """A field that cannot be used as it stands. ``field`` says which, so that the form can go there."""

    def __init__(self, field: Field, message: str, fix: str | None = None) -> None:
        super().__init__(message, fix)
        self.field: Field = field


@dataclass(frozen=True, slots=True)
class Draft:
    """The form's fields as text. ``kind`` is ``None`` while it is left to detection; ``base`` is the
    problem the text came from, whose tests and names still hold while the text is unchanged. ``tests`` is
    the path of a file of tests, ``pasted`` tests themselves, used where no file is named."""

    text: str = ""
    kind: Kind | None = None
    answer: str = ""
    tests: str = ""
    pasted: str = ""
    models: tuple[str, ...] = ()
    samples: str = "64"
    usd: str = ""
    flops: str = ""
    tokens: str = ""
    seconds: str = ""
    temperature: str = "0.6"
    max_tokens: str = "512"
    reward: str = ""
    translator: str = ""
    base: Problem | None = None

    def of(self, problem: Problem) -> Draft:
        """This draft about ``problem``, its settings unchanged."""
        return replace(
            self,
            text=problem.prompt,
            kind=problem.kind,
            answer=problem.answer or "",
            tests="",
            pasted="",
            base=problem,
        )

    def asking(self, text: str) -> Draft:
        """This draft about a problem just typed, its settings unchanged."""
        return replace(self, text=text, kind=None, answer="", tests="", pasted="", base=None)


def draft_from(settings: Settings) -> Draft:
    """An empty form as the user's settings would have it."""
    from budgets.amounts import usd_text

    return Draft(
        models=(settings.model,),
        samples="64" if settings.samples is None else str(settings.samples),
        usd="" if settings.max_cost is None else usd_text(settings.max_cost),
        temperature=f"{settings.temperature:g}",
        max_tokens=str(settings.max_tokens),
    )


def draft_of(problem: Problem, plan: Plan) -> Draft:
    """The form as it would have to stand to give this run again."""
    from budgets.amounts import usd_text

    budget, settings = plan.budget, plan.settings
    return Draft(
        models=plan.models,
        samples="" if budget.samples is None else str(budget.samples),
        usd="" if budget.usd is None else usd_text(budget.usd),
        flops="" if budget.flops is None else str(budget.flops),
        tokens="" if budget.tokens is None else str(budget.tokens),
        seconds="" if budget.seconds is None else f"{budget.seconds:g}",
        temperature=f"{settings.temperature:g}",
        max_tokens=str(settings.max_tokens),
        reward=plan.reward or "",
        translator=plan.translator or "",
    ).of(problem)


def read_problem(draft: Draft) -> Problem:
    """The problem of the form. Raises ``FieldFault`` for an empty one, and for tests that cannot be used."""
    problem = _untested(draft)
    if not (draft.tests.strip() or draft.pasted.strip()):
        return problem
    from app.problems.tests_file import with_tests, with_tests_of

    if draft.answer.strip():
        raise FieldFault(
            "tests", "Both an answer and tests are given, and only one can decide.", "Empty one of them."
        )
    try:
        if draft.tests.strip():
            return with_tests(problem, Path(draft.tests.strip()).expanduser())
        return with_tests_of(problem, draft.pasted, "What was pasted")
    except BadInput as fault:
        fix = fault.fix
        if fix is not None and "--entry-point" in fix:
            fix = "Name it in the problem, for example as `add(a, b)`."
        raise FieldFault("tests", fault.message, fix) from fault


def _untested(draft: Draft) -> Problem:
    import msgspec

    from app.problems.load import problem_from_text

    text = clean(draft.text).strip()
    if not text:
        raise FieldFault("text", "The problem is empty.", "Type one, or press F3 for one of the starter set.")
    answer = clean(draft.answer).strip() or None
    base = draft.base
    if base is None or text != clean(base.prompt).strip():
        return problem_from_text(text, kind=draft.kind or "auto", answer=answer)
    kind = draft.kind or base.kind
    if (answer, kind) == (base.answer, base.kind):
        return base
    return msgspec.structs.replace(base, answer=answer, kind=kind)


def read_plan(draft: Draft) -> Plan:
    """The plan of the form. Raises ``FieldFault`` naming the first field that cannot be used."""
    from app.models.base import Settings as Sampling
    from app.runs.plan import Plan, with_default_limit
    from budgets.amounts import parse_count

    if not draft.models:
        raise FieldFault("models", "No model is chosen.", "Press F2 to choose one.")
    return Plan(
        models=draft.models,
        budget=with_default_limit(read_budget(draft)),
        settings=Sampling(
            temperature=read_temperature(draft.temperature),
            max_tokens=_above_zero("max_tokens", draft.max_tokens, parse_count, "512") or 512,
        ),
        reward=draft.reward.strip() or None,
        translator=draft.translator.strip() or None,
    )


def read_budget(draft: Draft) -> Budget:
    """The limits of the form. Raises ``FieldFault``."""
    from budgets.amounts import Budget, parse_count, parse_flops, parse_seconds, parse_usd

    return Budget(
        usd=_above_zero("usd", draft.usd, parse_usd, "$0.50"),
        flops=_above_zero("flops", draft.flops, parse_flops, "1.5 PFLOP"),
        tokens=_above_zero("tokens", draft.tokens, parse_count, "20k"),
        samples=_above_zero("samples", draft.samples, parse_count, "64"),
        seconds=_above_zero("seconds", draft.seconds, parse_seconds, "5 min"),
    )


def read_temperature(text: str) -> float:
    """A temperature in 0..2. Raises ``FieldFault``."""
    try:
        value = float(text.strip() or "0.6")
    except ValueError:
        value = float("nan")
    if not 0 <= value <= HOTTEST:
        raise FieldFault(
            "temperature", f"{text.strip()!r} is not a temperature.", "Write 0 to 2, such as 0.6."
        )
    return value


_NAMES: dict[Field, str] = {
    "samples": "the number of samples",
    "usd": "dollars",
    "flops": "FLOPs",
    "tokens": "tokens",
    "seconds": "the time",
    "max_tokens": "the tokens of a sample",
}


def _above_zero(field: Field, text: str, parse: Callable[[str], _T], example: str) -> _T | None:
    if not text.strip():
        return None
    try:
        value = parse(text)
    except ValueError as fault:
        raise FieldFault(field, str(fault)) from fault
    if cast("Any", value) <= 0:
        raise FieldFault(
            field,
            f"A limit of {text.strip()} on {_NAMES[field]} buys nothing.",
            f"Write for example {example}.",
        )
    return value


def clean(text: str) -> str:
    """Pasted text without what could reach into the terminal."""
    from verifiers.safe_text import clean as safe

    return safe(text)
