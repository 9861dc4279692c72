"""Text that no model should write, and that some will: strategies and shapes shared by the tests here."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from verifiers.verdicts import Kind

KINDS: tuple[Kind, ...] = ("math", "code", "proof", "patch", "open")

HOSTILE_TEXT = st.text(
    st.one_of(
        st.characters(),  # every code point there is, lone surrogates among them
        st.sampled_from("\\{}$#*_`.,:;-+/%()[]=\n\t \x1b\x9b\x00\u202e\u200b\ufeff\ud800019aAB"),
    ),
    max_size=300,
)

_WORDS = (
    *(
        "\\boxed{",
        "}",
        "The answer is ",
        "#### ",
        "Answer:",
        "A: ",
        "Q: ",
        "```python\n",
        "\n```\n",
        "def f(x):",
    ),
    *("</think>", "<think>", "$", "\\(", "\\)", "\\frac{1}{2}", "1,234", "3:30 pm", "(B)", "--- a/x\n", "72"),
    *("x = ", " clips", "%", " million", "-", "**", "\u202e", "\x1b[31m", "\r\n", "half", "\\text{"),
)
HOSTILE_REPLIES = st.lists(st.one_of(HOSTILE_TEXT, st.sampled_from(_WORDS)), max_size=12).map("".join)
"""The same, with the words in it that our rules look for."""

TOWERS: dict[str, Callable[[int], str]] = {
    "open boxes": lambda size: "\\boxed{" * (size // 7),
    "braces": lambda size: "{" * (size // 2) + "}" * (size // 2),
    "brackets": lambda size: "(" * (size // 2) + ")" * (size // 2),
    "announcements": lambda size: "The answer is " * (size // 14),
    "announcements of words": lambda size: "the answer to " + "a b " * (size // 4),
    "marks": lambda size: "#### \n" * (size // 6),
    "digits": lambda size: "1" * size,
    "commas": lambda size: "1,111" * (size // 5),
    "spaces": lambda size: " " * size + "x",
    "stars": lambda size: "*" * size,
    "dollars": lambda size: "$1" * (size // 2),
    "fences": lambda size: "```\n" * (size // 4),
    "escapes": lambda size: "\x1b]" * (size // 2),
    "C1 openers": lambda size: "\x9d" * size,
    "fractions": lambda size: "\\frac{" * (size // 6),
    "fractions of fractions": lambda size: "\\frac{1}{" * (size // 10) + "}" * (size // 10),
    "numbers": lambda size: "1 " * (size // 2),
    "slashes": lambda size: "1/" * (size // 2),
    "colons": lambda size: "1:" * (size // 2),
    "letters": lambda size: "a" * size,
    "short words": lambda size: "one " * (size // 4),
    "is the answer": lambda size: "xx" * (size // 2) + " is the answer",
    "questions": lambda size: "Q: \n" * (size // 4),
    "one endless line": lambda size: "and so on, " * (size // 11),
    "minus signs": lambda size: "-" * size,
    "dots": lambda size: "." * size,
    "powers": lambda size: "9**" * (size // 3),
    "roots": lambda size: "\\sqrt{" * (size // 6),
    "choices": lambda size: "(A) " * (size // 4),
    "equals": lambda size: "x=" * (size // 2),
    "hedges": lambda size: "about " * (size // 6),
    "quotes": lambda size: '"""' * (size // 3),
}
"""Shapes that would make a careless pattern slow, at any size in characters."""
