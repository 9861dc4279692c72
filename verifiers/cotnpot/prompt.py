"""What the translator is asked: to follow a solution, not to find one.

It sees the solution alone. The problem would tempt it to solve that, and then its program would say nothing
about the solution. The worked example follows a solution with a wrong step, and keeps the step.
"""

from __future__ import annotations

from typing import Final

from verifiers.cotnpot.withheld import BLANK
from verifiers.ports import Turn

STOP: Final = ("\n```\n",)
"""Where the program has ended, whatever the translator would go on to say."""

_SYSTEM: Final = (
    "You re-write worked solutions as Python programs. Take exactly the steps of the solution, in their "
    "order, with its numbers and operations, even where a step is wrong; correct nothing and solve nothing "
    "anew. "
    f"{BLANK} stands for a result that was left out: let the program work it out. "
    "End with print of the final result. Reply with one ```python block and nothing else."
)
_EXAMPLE: Final = (
    "A crate holds 6 rows of 8 bottles, so it holds 6 * 8 = 48 bottles. 5 of them are broken, which leaves "
    f"48 + 5 = 53 bottles. Sold at $2 each they bring in 53 * 2 = {BLANK}. The answer is {BLANK}."
)
EXAMPLE_PROGRAM: Final = """bottles = 6 * 8
left = bottles + 5
income = left * 2
print(income)"""
"""What the translator is shown; a weak one writes it again, whatever it is asked."""


def conversation(shown: str) -> list[Turn]:
    """The turns that ask for the program of the solution ``shown``, whose answer is withheld."""
    return [
        Turn("system", _SYSTEM),
        Turn("user", f"Solution:\n{_EXAMPLE}"),
        Turn("assistant", f"```python\n{EXAMPLE_PROGRAM}\n```"),
        Turn("user", f"Solution:\n{shown}"),
    ]
