"""When nothing passes, the tests may be what is wrong."""

from __future__ import annotations

from verifiers.suspicion import ANY_FAILURES, SAME_FAILURES, Suspicion
from verifiers.verdicts import Judgement, Verdict

WRONG: tuple[Verdict, str] = ("wrong", "f(1) gave 2, expected 3")


def told(*verdicts: tuple[Verdict, str]) -> list[str]:
    suspicion = Suspicion()
    notes = [suspicion.note(Judgement(verdict, reason, "tests")) for verdict, reason in verdicts]
    return [note for note in notes if note is not None]


def test_failures_that_are_alike_are_told_once() -> None:
    found = told(*[WRONG] * 20)

    assert len(found) == 1
    assert "f(1) gave 2, expected 3" in found[0]
    assert "tests may be wrong" in found[0]


def test_it_takes_eight() -> None:
    assert not told(*[WRONG] * (SAME_FAILURES - 1))


def test_one_that_passes_clears_the_tests() -> None:
    assert not told(("right", "passes"), *[WRONG] * 40)


def test_failures_of_all_kinds_take_longer() -> None:
    different: list[tuple[Verdict, str]] = [("wrong", f"f({n}) raised ValueError") for n in range(60)]

    assert not told(*different[: ANY_FAILURES - 1])
    assert len(told(*different)) == 1


def test_replies_without_a_program_and_undecided_ones_say_nothing_about_the_tests() -> None:
    empty: tuple[Verdict, str] = ("wrong", "the reply holds no program")
    failed: tuple[Verdict, str] = ("undecided", "the sandbox failed")

    assert not told(*[empty] * 40)
    assert not told(*[failed] * 40)


def test_other_checkers_are_not_its_business() -> None:
    suspicion = Suspicion()

    assert not any(suspicion.note(Judgement("wrong", "5 is not 6", "known answer")) for _ in range(40))


def test_tests_that_cannot_run_are_told_with_the_first_sample() -> None:
    broken: tuple[Verdict, str] = (
        "undecided",
        "the tests cannot run: SyntaxError: invalid syntax (tests.py, line 2)",
    )
    found = told(*[broken] * 3)

    assert found == [
        "No sample can be judged: the tests cannot run: SyntaxError: invalid syntax (tests.py, line 2). "
        "Correct the problem's tests."
    ]
