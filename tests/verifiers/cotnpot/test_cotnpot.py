"""CoTnPoT without a model or a sandbox: what is withheld, what counts as evidence, and what the translator's
worst replies come to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from verifiers.candidates import ProgramStatus
from verifiers.cotnpot.check import Checked, ProgramCheck, Task, task_of
from verifiers.cotnpot.compare import answer_printed, same_result
from verifiers.cotnpot.describe import describe, with_description
from verifiers.cotnpot.evidence import read_program
from verifiers.cotnpot.prompt import EXAMPLE_PROGRAM
from verifiers.cotnpot.withheld import BLANK, skeleton, withhold
from verifiers.ports import Turn, Writer, Written
from verifiers.sandbox import RunResult

CLIPS = "Natalia sold clips to 48 of her friends in April, and then half as many in May. How many altogether?"
SOLUTION = "In May she sold 48 / 2 = 24 clips. Altogether that is 48 + 24 = 72 clips. The answer is 72."
FAITHFUL = "```python\nmay = 48 / 2\ntotal = 48 + may\nprint(total)\n```"


def span_of(text: str, answer: str) -> tuple[int, int]:
    start = text.rindex(answer)
    return start, start + len(answer)


# ---------------------------------------------------------------- what is withheld


def test_the_answer_is_blanked_wherever_it_is_stated() -> None:
    shown = withhold(SOLUTION, "72", CLIPS, span_of(SOLUTION, "72"))
    assert "72" not in shown
    assert shown.count(BLANK) == 2
    assert "48 / 2 = 24" in shown


def test_a_number_that_the_problem_gives_stays_but_not_as_the_answer() -> None:
    text = "She has 48 clips and gives none away, 48 - 0. The answer is 48."
    shown = withhold(text, "48", CLIPS, span_of(text, "48"))
    assert shown == f"She has 48 clips and gives none away, 48 - 0. The answer is {BLANK}."


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("So \\boxed{\\frac{1}{2}} and \\frac{1}{2} again", "\\frac{1}{2}"),
        ("That is 1,072 dollars, or 1072.00. #### 1072", "1072"),
        ("x = 3y + 1, so 3y + 1 is the answer: 3y + 1", "3y + 1"),
    ],
)
def test_other_spellings_and_expressions_are_blanked(text: str, answer: str) -> None:
    shown = withhold(text, answer, "Find it.", span_of(text, answer))
    assert answer not in shown
    assert "072" not in shown


def test_what_follows_the_line_of_the_answer_is_left_out() -> None:
    text = f"{SOLUTION}\nQuestion: what is 72 + 1? It is 73."
    shown = withhold(text, "72", CLIPS, (SOLUTION.rindex("72"), SOLUTION.rindex("72") + 2))
    assert "Question" not in shown


@pytest.mark.parametrize("span", [(-1, 3), (5, 5), (0, 10_000)])
def test_a_span_outside_the_text_is_no_span(span: tuple[int, int]) -> None:
    assert "72" not in withhold(SOLUTION, "72", CLIPS, span)


def test_hostile_text_is_cleaned_and_bounded() -> None:
    text = "\x1b[31m" + "1 + 1 = 2. " * 5_000 + "The answer is 5."
    shown = withhold(text, "5", "", span_of(text, "5"))
    assert "\x1b" not in shown
    assert len(shown) <= 8_000
    assert shown.endswith(f"The answer is {BLANK}.")


# ---------------------------------------------------------------- which solutions one translation serves


def test_the_same_steps_in_other_words_are_one_skeleton() -> None:
    other = "May: 48 / 2 = 24. In all: 48 + 24 = [?]! So the answer, well-earned, is [?]."
    shown = withhold(SOLUTION, "72", CLIPS, span_of(SOLUTION, "72"))
    assert skeleton(shown) == skeleton(other)


@pytest.mark.parametrize("other", ["48 * 2 = 24. 48 + 24 = [?]", "48 / 2 = 25. 48 + 25 = [?]", "[?]"])
def test_other_steps_are_another_skeleton(other: str) -> None:
    shown = withhold(SOLUTION, "72", CLIPS, span_of(SOLUTION, "72"))
    assert skeleton(shown) != skeleton(other)


def test_solutions_without_numbers_are_told_apart_by_their_words() -> None:
    assert skeleton("It is even.") != skeleton("It is odd.")


# ---------------------------------------------------------------- what counts as evidence

SHOWN = "In May she sold 48 / 2 = 24 clips. Altogether that is 48 + 24 = [?] clips."


@pytest.mark.parametrize(
    "source",
    [
        "print(48 + 48 / 2)",
        "may = 48 / 2\ntotal = 48 + may\nprint(total)",
        "def solution():\n    may = 48 / 2\n    return 48 + may\nprint(solution())",
        "total = 48\ntotal += 24\nprint(f'The answer is {total}')",
        "print(sum([48, 24]))",
        "sales = []\nsales.append(48)\nsales.append(48 // 2)\nprint('total', sum(sales))",
        "total = 0\nfor month in (48, 24):\n    total = total + month\nprint(total)",
        "print(abs(-48) + 24)",
    ],
)
def test_programs_that_work_something_out(source: str) -> None:
    program = read_program(source, SHOWN)
    assert program is not None
    assert program.computes, program.why_not


@pytest.mark.parametrize(
    "source",
    [
        "print(72)",
        "answer = 72\nprint(answer)",
        "print('72')",
        "print(72 + 0)",
        "print(1 * 72)",
        "print(int('72'))",
        "may = 48 / 2\ntotal = 48 + may\nprint(72)",
        "def solution():\n    return 72\nprint(solution())",
        "print('The answer is ' + '72')",
        "print('%d' % 72)",
        "if 48 + 24:\n    print(72)",
        "print(70 + 2)",
        "print(f'{72}')",
    ],
)
def test_programs_that_only_say_it(source: str) -> None:
    program = read_program(source, SHOWN)
    assert program is not None
    assert not program.computes
    assert program.why_not


@pytest.mark.parametrize(
    ("source", "ending"),
    [
        ("may = 48 / 2\ntotal = 48 + may", "print(total)"),
        ("48 + 24", "print(48 + 24)"),
        ("def solution():\n    return 48 + 24", "print(solution())"),
        ("def main():\n    print(48 + 24)", "main()"),
        ("total = 48\ntotal += 24", "print(total)"),
    ],
)
def test_a_forgotten_print_is_added(source: str, ending: str) -> None:
    program = read_program(source, SHOWN)
    assert program is not None
    assert program.source.rstrip().endswith(ending)
    assert program.computes


@pytest.mark.parametrize(
    "source",
    [
        "She sold 72 clips.",
        "",
        "import os",
        "def solution(x):\n    return x + 24",
        "(" * 5_000,
        "-" * 7_000 + "1",
        "x = " + "1+" * 3_900 + "1",
        "print(1)\n" * 2_000,
        "'\\d' + (",
    ],
)
def test_what_is_no_program_is_none_and_harms_nothing(source: str) -> None:
    program = read_program(source, SHOWN)
    assert program is None or not program.computes


def test_a_huge_number_is_read_without_harm() -> None:
    program = read_program(f"print(0x{'f' * 7_000} + 48)", SHOWN)
    assert program is not None
    assert program.computes


# ---------------------------------------------------------------- comparing


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ("72\n", "72"),
        ("May: 24\nThe answer is 72.0 clips\n\n", "72.0"),
        ("Total: $1,072\n", "$1,072"),
        ("(3, 4)\n", "(3, 4)"),
        ("", None),
        ("  \n \n", None),
        ("9" * 5_000, None),
    ],
)
def test_the_answer_that_a_program_printed(output: str, answer: str | None) -> None:
    assert answer_printed(output) == answer


@pytest.mark.parametrize(
    ("answer", "printed", "same"),
    [
        ("72", "72.0", True),
        ("72", "73", False),
        ("0.3", "0.30000000000000004", True),
        ("33.33", "33.333333333333336", True),
        ("33.33", "33.34", False),
        ("33", "33.333333333333336", False),
        ("$1,072", "1072", True),
        ("1/2", "0.5", True),
        ("x + 1", "72", False),
        ("72", "inf", False),
        ("72", "1e999999", False),
        ("72", "nan", False),
    ],
)
def test_results_are_compared_by_the_digits_of_the_answer(answer: str, printed: str, same: bool) -> None:
    assert same_result(answer, printed, "math") is same


# ---------------------------------------------------------------- the whole way


class Scribe:
    """Writes one reply to everything, and keeps what it was asked."""

    name = "scribe"

    def __init__(self, reply: str, *, cut_off: bool = False) -> None:
        self.reply, self.cut_off = reply, cut_off
        self.asked: list[str] = []

    async def write(
        self,
        conversation: Sequence[Turn],
        *,
        about: int,
        max_tokens: int,
        temperature: float = 0.0,
        choices: int = 1,
        seed: int = 0,
        stop: Sequence[str] = (),
        on_text: Callable[[str], None] | None = None,
    ) -> list[Written]:
        self.asked.append("\n".join(turn.text for turn in conversation))
        if on_text is not None:
            on_text(self.reply)
        return [Written(self.reply, self.cut_off, 10)] * choices


class FixedBox:
    """A sandbox in which every program ends the same way."""

    def __init__(self, stdout: str = "", *, status: str = "exited", code: int = 0, stderr: str = "") -> None:
        self.result = RunResult(
            status,  # type: ignore[arg-type]
            code,
            stdout.encode(),
            stderr.encode(),
            0.1,
            10.0,
            "fixed",
        )
        self.programs: list[str] = []

    async def run(self, program: str, *, seconds: float) -> RunResult:
        self.programs.append(program)
        return self.result


def clips(answer: str = "72") -> Task:
    text = SOLUTION.replace("72", answer)
    task = task_of(3, text, answer, answer, CLIPS, span_of(text, answer))
    assert task is not None
    return task


def checked(writer: Writer, box: FixedBox, task: Task | None = None) -> Checked:
    return asyncio.run(ProgramCheck(writer, box).check(task or clips()))


def test_a_program_that_comes_to_the_same_agrees() -> None:
    scribe, box = Scribe(FAITHFUL), FixedBox("72.0\n")
    found = checked(scribe, box)
    assert (found.status, found.answer) == ("agrees", "72.0")
    assert box.programs[0].startswith("may = 48 / 2")
    assert "72" not in scribe.asked[0]


def test_a_program_that_comes_to_something_else_differs() -> None:
    found = checked(Scribe(FAITHFUL), FixedBox("72\n"), clips("73"))
    assert (found.status, found.answer) == ("differs", "72")
    assert "72" in found.reason
    assert "73" in found.reason


@pytest.mark.parametrize(
    ("reply", "cut_off", "box", "status", "reason"),
    [
        ("", False, FixedBox("72"), "failed", "the translator wrote nothing"),
        ("The solution adds 48 and 24 to get the total.", False, FixedBox("72"), "failed", "no program"),
        ("```python\nprint(72)\n```", False, FixedBox("72"), "failed", "constant"),
        (f"```python\n{EXAMPLE_PROGRAM}\n```", False, FixedBox("106"), "failed", "copied the example"),
        ("```python\nx = 48 +\n```", False, FixedBox("72"), "failed", "is no program"),
        ("```python\nx = 48 + 24\nx = 48 +", True, FixedBox("72"), "failed", "cut off"),
        (FAITHFUL, False, FixedBox(status="time"), "failed", "longer than 5 s"),
        (FAITHFUL, False, FixedBox("1\n" * 9, status="output"), "failed", "without end"),
        (FAITHFUL, False, FixedBox(code=1, stderr="x\nNameError: may"), "failed", "NameError: may"),
        (FAITHFUL, False, FixedBox(code=3), "failed", "status 3"),
        (FAITHFUL, False, FixedBox(""), "failed", "printed nothing"),
        (FAITHFUL, False, FixedBox(status="crashed"), "failed", "crashed"),
        (FAITHFUL, False, FixedBox(status="box", stderr="no fork"), "not-run", "the sandbox failed: no fork"),
    ],
)
def test_what_a_translator_may_do_wrong(
    reply: str, cut_off: bool, box: FixedBox, status: ProgramStatus, reason: str
) -> None:
    found = checked(Scribe(reply, cut_off=cut_off), box)
    assert found.status == status
    assert reason in found.reason
    assert found.answer is None


def test_a_sample_without_an_answer_has_nothing_to_be_checked() -> None:
    assert task_of(0, "I give up.", None, None, CLIPS, None) is None


def test_code_is_described_by_words_that_are_scored_with_it() -> None:
    words = asyncio.run(describe(Scribe("It adds\x1b[2J two numbers. "), "def f(): pass", sample=1, seed=0))
    assert words == "It adds two numbers."
    assert with_description("def f(): pass\n", words) == "def f(): pass\n\nIt adds two numbers."
    assert with_description("def f(): pass\n", "") == "def f(): pass\n"
