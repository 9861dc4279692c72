"""Which short answers a model gives at once, without its working, and which of them are right.

    python -m tests.benchmarks.sample_direct --model smollm2 --set arithmetic --out FILE.json

Answers of a few tokens are cheap to draw by the thousand, and a question's difficulty can be chosen: these
are the sets on which agreement means everything from nothing to certainty. The questions are made from the
seed; ``gsm8k`` takes training problems from the folder in MONKEYS_TEST_DATA. The file has the same form as
that of ``sample_gsm8k``: groups of equal answers and which are right, no text.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.models.base import Backend, Delta, Prompt, Request, Settings
from app.models.registry import backend_for
from app.problems.load import load_problems
from verifiers.normal import normal_form
from verifiers.verdicts import Kind

DATA = Path(
    os.environ.get("MONKEYS_TEST_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data"
)
_NAMES = "Ada Boris Carla Dmitri Elena Felix Greta Hugo Ivan Julia Karl Lena Milo Nora Oscar Petra Quentin "
NAMES = tuple(f"{_NAMES}Rosa Simon Tara Uwe Vera Walter Xenia Yusuf Zoe".split())


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    answer: str


def arithmetic(source: random.Random) -> Question:
    easy = source.random() < 0.5
    a, b = source.randint(2, 99 if easy else 999), source.randint(2, 20 if easy else 999)
    sign = source.choice("+-×")
    if sign == "×":
        a = source.randint(2, 12 if easy else 99)
        b = source.randint(2, 12 if easy else 99)
    value = {"+": a + b, "-": a - b, "×": a * b}[sign]
    return Question(f"What is {a} {sign} {b}?", str(value))


def words(source: random.Random) -> Question:
    name, other = source.sample(NAMES, 2)
    a, b, c = source.randint(3, 40), source.randint(2, 9), source.randint(2, 12)
    made = [
        (f"{name} has {a} apples and buys {b} more. How many has {name} now?", a + b),
        (f"{name} has {b} bags of {c} nuts and eats {b}. How many nuts are left?", b * c - b),
        (f"{name} has {a * b} coins and gives {b} friends the same share of all. How many gets each?", a),
        (
            f"{name} reads {c} pages a day for {b} days, {other} reads {a} in all. How many together?",
            b * c + a,
        ),
        (f"A ticket costs ${c}. {name} buys {b} and pays with $200. How much is the change?", 200 - b * c),
    ]
    text, value = source.choice(made)
    return Question(text, str(value))


def letters(source: random.Random) -> Question:
    chosen = source.sample(NAMES, source.choice((1, 2, 2, 3)))
    asked = " ".join(chosen)
    return Question(
        f'Take the last letters of the words in "{asked}" and put them together.',
        "".join(name[-1] for name in chosen),
    )


SETS: dict[str, Callable[[random.Random], Question]] = {
    "arithmetic": arithmetic,
    "words": words,
    "letters": letters,
}


def questions(name: str, count: int, seed: int) -> list[Question]:
    source = random.Random(f"{name} {seed}")
    if name == "gsm8k":
        chosen = source.sample(load_problems(DATA / "gsm8k_train.jsonl"), count)
        return [Question(problem.prompt, problem.answer or "") for problem in chosen]
    return [SETS[name](source) for _ in range(count)]


def prompt(name: str, asked: Question) -> Prompt:
    """Three examples of another seed show the form: an answer and nothing else."""
    shown = questions(name, 3, seed=10_000)
    lines = [f"Question: {example.text}\nAnswer: {example.answer}\n" for example in shown]
    return Prompt(text="\n".join([*lines, f"Question: {asked.text}\nAnswer:"]))


def answer_of(text: str, name: str) -> str | None:
    if name == "letters":
        found = re.search(r"[A-Za-z]+", text)
        return found[0].lower() if found else None
    found = re.search(r"-?\d[\d,]*(\.\d+)?", text)
    return found[0] if found else None


async def drawn(backend: Backend, asked: Question, wish: argparse.Namespace) -> dict[str, Any]:
    settings = Settings(temperature=wish.temperature, max_tokens=12, stop=("\n",))
    texts = [""] * wish.samples
    most = backend.info.choices_per_request
    for first in range(0, wish.samples, most):
        request = Request(
            prompt(wish.set, asked), settings, min(most, wish.samples - first), wish.seed + first
        )
        async with aclosing(backend.sample(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Delta):
                    texts[first + piece.choice] += piece.text
    kind: Kind = "open" if wish.set == "letters" else "math"
    numbers: dict[str, int] = {}
    groups = []
    for text in texts:
        answer = answer_of(text, wish.set)
        groups.append(-1 if answer is None else numbers.setdefault(normal_form(answer, kind), len(numbers)))
    right = numbers.get(normal_form(asked.answer, kind))
    return {"problem": asked.text[:60], "groups": groups, "right": [] if right is None else [right]}


async def main(wish: argparse.Namespace) -> None:
    backend = backend_for(wish.model)
    await backend.open(lambda progress: None)
    try:
        rows = [await drawn(backend, asked, wish) for asked in questions(wish.set, wish.problems, wish.seed)]
    finally:
        await backend.close()
    told = {
        "model": Path(wish.model).name,
        "set": f"{wish.set}, answered at once",
        "settings": {
            "temperature": wish.temperature,
            "max_tokens": 12,
            "samples": wish.samples,
            "seed": wish.seed,
        },
    }
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    wish.out.write_text(f'{json.dumps(told)[:-1]}, "problems": [\n{lines}\n]}}\n', encoding="utf-8")
    solved = sum(1 for row in rows if row["right"])
    print(f"{wish.model} {wish.set}: a right answer among the samples of {solved} of {len(rows)} problems")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--set", choices=[*SETS, "gsm8k"], required=True)
    parser.add_argument("--problems", type=int, default=80)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--temperature", type=float, default=0.6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    asyncio.run(main(parser.parse_args()))
