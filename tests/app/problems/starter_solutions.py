"""How each problem of the starter set is worked out, so that no answer rests on somebody's word."""

from __future__ import annotations

from datetime import date, timedelta
from math import gcd

_TUESDAY = date(2024, 12, 31)
_OPPOSITES = {"cold": "hot", "hot": "cold"}


def _next_prime(above: int) -> int:
    candidate = above + 1
    while any(candidate % divisor == 0 for divisor in range(2, candidate)):
        candidate += 1
    return candidate


def _only(values: list[int]) -> int:
    assert len(values) == 1
    return values[0]


ANSWERS: dict[str, object] = {
    "plus": 17 + 26,
    "minus": 100 - 37,
    "times": 12 * 15,
    "square": 9**2 + 1,
    "half": 250 // 2,
    "apples": 5 + 7 - 4,
    "marbles": 6 + 2 * 6,
    "half-price": 40 // 2,
    "bus": 32 - 9 + 5,
    "eggs": 12 * 5,
    "train": round(60 * 2.5),
    "pizza": 8 - 3 * 2,
    "wages": 15 * 6 * 4,
    "discount": 20 - 20 * 25 // 100,
    "solve-x": _only([x for x in range(-100, 100) if 3 * x + 5 == 20]),
    "riddle": _only([x for x in range(-100, 100) if 2 * x + 4 == 18]),
    "rectangle": 9 * 4,
    "ages": _only([mia for mia in range(100) if mia + (mia - 3) == 21]),
    "gcd": gcd(12, 18),
    "remainder": 29 % 6,
    "next-prime": _next_prime(20),
    "weekday": f"{_TUESDAY + timedelta(days=3):%A}",
    "tallest": max({"Anna": 3, "Ben": 2, "Carl": 1}.items(), key=lambda who: who[1])[0],
    "opposite": _OPPOSITES["hot"],
}

PROGRAMS: dict[str, str] = {
    "add": "def add(a, b):\n    return a + b\n",
    "even": "def is_even(n):\n    return n % 2 == 0\n",
    "largest": "def largest(numbers):\n    return max(numbers)\n",
    "vowels": "def count_vowels(text):\n    return sum(c in 'aeiouAEIOU' for c in text)\n",
    "twice": "print(2 * int(input()))\n",
    "mirror": "print(input()[::-1])\n",
}

WRONG_PROGRAMS: dict[str, str] = {
    "add": "def add(a, b):\n    return a - b\n",
    "even": "def is_even(n):\n    return n % 2\n",
    "largest": "def largest(numbers):\n    return numbers[-1]\n",
    "vowels": "def count_vowels(text):\n    return sum(c in 'aeiou' for c in text)\n",
    "twice": "print(2 * input())\n",
    "mirror": "print(input())\n",
}
