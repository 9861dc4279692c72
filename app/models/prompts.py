"""How a problem is put to a model.

Two things have to come back: reasoning, because samples that think differ and that is what repeated sampling
lives on, and an answer where the extractor looks for it. So every kind asks for its working and for one fixed
closing form. Nothing else is said: the prompt is read once for all samples of a request, but a small model
pays for every token of it again with each token it writes.

A model with ``needs_examples`` gets worked examples as earlier turns of the conversation: it copies the form
it has seen far better than it follows an instruction. They are in ``examples.json``, in the order in which
they are used: a small model leans most on the last one, so the plainest stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias

import msgspec

from app.errors import BadInput
from app.models.base import Message, ModelInfo, Prompt
from app.models.patch_prompts import INSTRUCTION, with_files
from app.problems.problem import Problem, Worked
from verifiers.proofs.lean_text import DEFAULT_PREAMBLE

Form: TypeAlias = Literal["math", "open", "function", "program", "lean4", "rocq", "patch", "repository"]
"""What the answer has to look like. Code comes in two forms: a function that tests call, and a program that
reads and prints. A patch does too: one of a repository whose files are shown, and one of whatever the
problem's text shows."""

SHOTS: dict[Form, int] = {
    "math": 3,
    "open": 2,
    "function": 1,
    "program": 1,
    "lean4": 1,
    "rocq": 1,
    "repository": 1,
}
"""Worked examples for a model that needs them: the number, of those tried, at which most samples were right.
More are no better, and every one lengthens every step."""

_CLOSING: dict[Form, str] = {
    "math": 'Solve the problem step by step. End with "The answer is" and the number or expression.',
    "open": 'Think step by step. End with "The answer is" and your answer.',
    "function": "Write Python. Reply with one ```python block that holds the whole function and its imports.",
    "program": "Write a Python program that reads standard input and prints to standard output. "
    "Reply with one ```python block that holds the whole program.",
    "lean4": "Prove the theorem in Lean 4 with Mathlib. Reply with one ```lean block that holds the whole "
    "theorem, as it is stated, and its proof. Use no sorry, axiom, native_decide or notation of your own.",
    "rocq": "Prove the theorem in Rocq. Reply with one ```coq block that loads the tactics it needs (such as "
    "Require Import Lia Lra.) and holds the whole theorem, as it is stated, and its proof, from Proof to "
    "Qed. Do not use Admitted or axioms.",
    "patch": "Repair the repository. Reply with one ```diff block that holds a unified diff.",
    "repository": INSTRUCTION,
}

_QUESTION, _ANSWER = "Question:", "Answer:"
_FUNCTION_ENDS = ("\ndef ", "\nclass ", "\nif __name__", "\nprint(", "\nassert ", "\n#", "\n```")


def build_prompt(
    problem: Problem,
    info: ModelInfo,
    *,
    system: str | None = None,
    shots: int | None = None,
    raw: bool = False,
    own: Sequence[Worked] = (),
) -> Prompt:
    """The prompt of one sample.

    ``system`` stands before our own instruction, not instead of it: an answer that nobody can find is lost.
    ``shots`` is how many worked examples to show; ``None`` leaves it to the model. ``raw`` makes one text to
    be continued, for base models. ``own`` examples are shown in place of ours, all of them. Raises
    ``BadInput`` when there are fewer examples than ``shots``.
    """
    form = form_of(problem)
    needed = info.needs_examples or raw or form == "repository"
    examples = tuple(own) or _chosen(form, shots, SHOTS.get(form, 0) if needed else 0)
    asked = with_files(problem, info.context) if form == "repository" else _question(problem)
    if raw:
        return Prompt(text=_plain(problem, form, system, examples, asked))
    instruction = f"{system.strip()}\n{_CLOSING[form]}" if system and system.strip() else _CLOSING[form]
    messages = [Message("system", instruction)]
    for example in examples:
        messages += [Message("user", example.question), Message("assistant", example.answer)]
    return Prompt(messages=(*messages, Message("user", asked)))


def stop_strings(problem: Problem, *, raw: bool) -> tuple[str, ...]:
    """Where a sample has gone past its answer. A chat model ends its own turn; a text that is merely
    continued goes on with the next question, or the next function."""
    if not raw:
        return ()
    return _FUNCTION_ENDS if _is_header(problem) else (f"\n{_QUESTION}",)


def form_of(problem: Problem) -> Form:
    if problem.kind == "code":
        return "program" if problem.tests and problem.tests.get("type") == "stdio" else "function"
    if problem.kind == "proof":
        return "rocq" if problem.language == "rocq" else "lean4"
    if problem.kind == "patch" and problem.sources:
        return "repository"
    return problem.kind


def examples_for(form: Form) -> int:
    """How many worked examples there are."""
    return len(_examples().get(form, ()))


def _chosen(form: Form, shots: int | None, default: int) -> tuple[Worked, ...]:
    available = _examples().get(form, ())
    if shots is None:
        return available[:default]
    if shots < 0:
        raise BadInput(f"{shots} examples cannot be shown.", "Give --shots 0 or more.")
    if shots > len(available):
        raise BadInput(
            f"There are {len(available)} worked examples for this kind of problem, not {shots}.",
            f"Give --shots {len(available)} or fewer.",
        )
    return available[:shots]


def _question(problem: Problem) -> str:
    """The problem's own words and, for a proof, the formal statement unless they are the same."""
    if problem.kind != "proof" or problem.statement is None:
        return problem.prompt.strip("\n")
    preamble = problem.preamble
    if preamble is None and problem.language == "lean4" and "import " not in problem.statement:
        preamble = DEFAULT_PREAMBLE  # what the checker puts above the statement, too
    formal = "\n\n".join(part.strip() for part in (preamble, problem.statement) if part)
    return formal if problem.prompt.strip() in formal else f"{problem.prompt.strip()}\n\n{formal}"


def _plain(problem: Problem, form: Form, system: str | None, examples: tuple[Worked, ...], asked: str) -> str:
    before = f"{system.strip()}\n\n" if system and system.strip() else ""
    if _is_header(problem) or form in ("lean4", "rocq"):
        return before + asked + "\n"
    shown = "".join(f"{_QUESTION} {example.question}\n{_ANSWER} {example.answer}\n\n" for example in examples)
    return f"{before}{shown}{_QUESTION} {asked}\n{_ANSWER}"


def _is_header(problem: Problem) -> bool:
    """The prompt is itself the beginning of a program, which a base model simply continues."""
    name = problem.entry_point
    return problem.kind == "code" and name is not None and f"def {name}(" in problem.prompt


@cache
def _examples() -> dict[Form, tuple[Worked, ...]]:
    data = files("app.models").joinpath("examples.json").read_bytes()
    return msgspec.json.decode(data, type=dict[Form, tuple[Worked, ...]])
