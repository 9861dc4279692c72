"""The options of a problem that lives in a repository, and the problem that they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from app.cli.options import clean_text, within
from app.errors import BadInput

if TYPE_CHECKING:
    from app.problems.problem import Problem

_PANEL = "A repository to repair (--kind patch)"

RepoOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--repo", metavar="DIR", help="The repository; it is only read.", rich_help_panel=_PANEL),
]
TestCommandOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--test-command",
        metavar="C",
        help="What has to succeed after the change, such as 'pytest -q tests/test_x.py'.",
        rich_help_panel=_PANEL,
    ),
]
FilesOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--files",
        metavar="F",
        help="A file to show the model; repeatable. Default: those that the problem points at.",
        rich_help_panel=_PANEL,
    ),
]
TestSecondsOption: TypeAlias = Annotated[
    float | None,
    typer.Option("--test-seconds", metavar="S", help="Of one run, 120 by default.", rich_help_panel=_PANEL),
]
RepeatTestsOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--repeat-tests",
        metavar="N",
        help="Runs of flaky tests; the majority decides.",
        rich_help_panel=_PANEL,
    ),
]


def with_repository(
    problem: Problem,
    repo: Path | None,
    test_command: str | None,
    files: list[str] | None,
    test_seconds: float | None,
    repeat_tests: int | None,
) -> Problem:
    """``problem`` with what the options say, and with the files that a model is shown.

    Raises ``BadInput`` for options without a repository, and for one that cannot be read."""
    import msgspec

    from app.problems.repository import with_sources
    from app.problems.tests_file import repeated

    within("--test-seconds", test_seconds, 0, 86_400, open_low=True)
    within("--repeat-tests", repeat_tests, 1, 101)
    repo = repo or (Path(problem.repo) if problem.repo else None)
    given = {"--test-command": test_command, "--files": files, "--test-seconds": test_seconds}
    lonely = [option for option, value in given.items() if value]
    if lonely and repo is None:
        raise BadInput(f"{lonely[0]} needs a repository.", "Give its folder, for example --repo .")
    if repo is not None and problem.kind != "patch":
        raise BadInput(f"--repo is for patches, and this problem is {problem.kind}.", "Add --kind patch.")
    if test_command is not None and not test_command.strip():
        raise BadInput("The test command is empty.", "Write one, or leave --test-command out.")
    changes: dict[str, object] = {
        "repo": None if repo is None else str(repo.expanduser().resolve()),
        "test_command": clean_text("--test-command", test_command),
        "files": tuple(clean_text("--files", path) or "" for path in files or ()),
        "test_seconds": test_seconds,
    }
    given_ones = {key: value for key, value in changes.items() if value}
    asked = msgspec.structs.replace(problem, **given_ones)
    return with_sources(asked if repeat_tests is None else repeated(asked, repeat_tests))
