"""Word problems of one or two steps that the embedded model solves now and then: about one sample in six.

It solves GSM8K problems too seldom (one sample in forty) to learn from what its right solutions look like.
Problems come in families, one sentence with other names and numbers each time, so that a head can be tested
on families it never saw.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from app.problems.problem import Problem

Answer: TypeAlias = Callable[[int, int, int], int]

# fmt: off
_NAMES: Final = (
    "Ada", "Ben", "Cora", "Dan", "Eva", "Finn", "Gina", "Hugo", "Ivy", "Jack", "Kira", "Leo", "Mona", "Nils",
    "Olga", "Paul", "Rosa", "Sam", "Tina", "Uma",
)
_THINGS: Final = (
    "apples", "marbles", "stickers", "pencils", "cards", "shells", "coins", "books", "flowers", "cookies",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Family:
    """``text`` has places for two names, a thing, the numbers a, b and c, and some combinations of them."""

    text: str
    answer: Answer


FAMILIES: Final[tuple[Family, ...]] = (
    Family("{n} has {a} {t} and buys {b} more. How many {t} does {n} have now?", lambda a, b, c: a + b),
    Family("{n} had {ab} {t} and gave {b} of them to {m}. How many {t} are left?", lambda a, b, c: a),
    Family("There are {b} boxes with {a} {t} in each. How many {t} are there in all?", lambda a, b, c: a * b),
    Family(
        "{n} shares {axb} {t} equally among {b} friends. How many {t} does each friend get?",
        lambda a, b, c: a,
    ),
    Family("{n} has {a} {t}. {m} has twice as many. How many {t} does {m} have?", lambda a, b, c: 2 * a),
    Family(
        "{n} has {a} {t}. {m} has {b} more than {n}. How many {t} do they have together?",
        lambda a, b, c: 2 * a + b,
    ),
    Family("A ticket costs ${a}. How many dollars do {b} tickets cost?", lambda a, b, c: a * b),
    Family("{n} reads {a} pages a day. How many pages does {n} read in {b} days?", lambda a, b, c: a * b),
    Family(
        "{n} walks {a} miles on Monday, {b} miles on Tuesday and {c} miles on Wednesday. "
        "How many miles does {n} walk in all?",
        lambda a, b, c: a + b + c,
    ),
    Family(
        "A bus carries {ab} people. At a stop {b} people get off. How many people are still on the bus?",
        lambda a, b, c: a,
    ),
    Family(
        "{n} has ${abc}. {n} spends ${b} on lunch and ${c} on a book. How many dollars are left?",
        lambda a, b, c: a,
    ),
    Family(
        "{n} earns ${a} an hour and works {b} hours a day. How many dollars does {n} earn in {c} days?",
        lambda a, b, c: a * b * c,
    ),
    Family(
        "A bag holds {a} red {t} and {b} blue {t}. {n} takes out {c}. How many {t} are left in the bag?",
        lambda a, b, c: a + b - c,
    ),
    Family("{n} is {a} years old. {m} is {b} years older. How old is {m}?", lambda a, b, c: a + b),
    Family(
        "A rectangle is {a} cm long and {b} cm wide. What is its area in square centimetres?",
        lambda a, b, c: a * b,
    ),
    Family(
        "There are {b} rows of {a} chairs in a hall, and {c} more chairs at the back. "
        "How many chairs are there?",
        lambda a, b, c: a * b + c,
    ),
    Family(
        "A baker makes {a} cakes in the morning and {b} in the afternoon. "
        "How many cakes does the baker make in a day?",
        lambda a, b, c: a + b,
    ),
    Family(
        "{n} saves ${a} each week. How many weeks does it take to save ${axb}?",
        lambda a, b, c: b,
    ),
    Family(
        "A shirt costs ${aa}. Today it is sold at half price. How many dollars does it cost today?",
        lambda a, b, c: a,
    ),
    Family(
        "A farm has {a} cows and {b} horses. How many legs do these animals have in all?",
        lambda a, b, c: 4 * (a + b),
    ),
)


def family_of(problem_id: str) -> str:
    """The family of one of these problems; any other problem is a family of its own."""
    kind, slash, rest = problem_id.partition("/")
    return rest.partition("-")[0] if kind == "easy" and slash else problem_id


def easy_problems(seed: int, each: int) -> list[Problem]:
    """``each`` problems of every family in a random order, all different."""
    chance = random.Random(seed)
    seen: set[str] = set()
    drawn = []
    for number, family in enumerate(FAMILIES):
        made = 0
        while made < each:
            a, b, c = chance.randint(3, 20), chance.randint(2, 10), chance.randint(2, 9)
            n, m = chance.sample(_NAMES, 2)
            text = family.text.format(
                a=a,
                b=b,
                c=c,
                ab=a + b,
                abc=a + b + c,
                axb=a * b,
                aa=2 * a,
                n=n,
                m=m,
                t=chance.choice(_THINGS),
            )
            answer = family.answer(a, b, c)
            if answer <= 0 or text in seen:
                continue
            seen.add(text)
            drawn.append(Problem(id=f"easy/{number}-{made}", kind="math", prompt=text, answer=str(answer)))
            made += 1
    chance.shuffle(drawn)
    return drawn
