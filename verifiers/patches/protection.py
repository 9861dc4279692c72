"""A patch must not win by changing what judges it: edits to tests and to what steers them are set aside.

They are set aside rather than refused, because an honest fix often brings a test along. What remains is
judged by the tests as they were.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Final

from verifiers.patches.tree import Files

_STEERS: Final = re.compile(
    r"^(?:conftest\.py|\.?pytest\.(?:ini|toml)|tox\.(?:ini|toml)|setup\.cfg|pyproject\.toml|noxfile\.py"
    r"|\.coveragerc|sitecustomize\.py|usercustomize\.py|runtests\.py|package\.json"
    r"|(?:jest|vitest|karma|babel)\.[\w.]+|.+\.pth)$"
)
_TEST_FILE: Final = re.compile(
    r"^(?:test_.*\.py|.*_tests?\.py|tests?\.py|.*_test\.go|.*[._](?:test|spec)\.[cm]?[jt]sx?|.*_spec\.rb)$"
)
_TEST_FOLDERS: Final = frozenset(("tests", "test", "__tests__", "spec", "testing"))
_RUNNER: Final = re.compile(r"^(?:py\.?test|nosetests?|nose2|unittest|tox|jest|vitest|mocha|rspec)\d*$")
_INTERPRETER: Final = re.compile(r"^(?:python[\d.]*|pypy3?|sh|bash|dash|zsh|node|ruby|perl|php|Rscript)$")
_RUNNERS: Final = frozenset(("pytest", "_pytest", "pluggy", "nose", "xdist", "monkeys_report"))


def set_aside(
    changed: Mapping[str, str | None], files: Files, command: str, tests: Iterable[str]
) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """The part of a change that counts, and the paths that do not. ``command`` is the test command, ``tests``
    the names or files of the tests that decide."""
    named = named_in(command, files) | {name.split("::")[0] for name in tests}
    aside = tuple(path for path in sorted(changed) if _is_protected(path, files, named, command))
    return {path: text for path, text in changed.items() if path not in aside}, aside


def named_in(command: str, files: Files) -> set[str]:
    """The files and folders of the repository that judge, as a shell line names them: all that a test runner
    is given, and scripts that are run. A file that some program only reads may be the one to repair."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    runs_tests = any(_RUNNER.match(PurePosixPath(word).name) for word in words) and "doctest" not in command
    folders = {str(parent) for path in files.paths() for parent in PurePosixPath(path).parents} - {"."}
    found = set()
    for before, word in zip(["&&", *words], words, strict=False):
        path = re.sub(r"^\./|/+$", "", word.split("::")[0])
        module = f"{word.replace('.', '/')}.py"
        is_run = before in ("&&", "||", ";", "|", "-m") or _INTERPRETER.match(PurePosixPath(before).name)
        for place in (path, module):
            if (place in folders or files.has(place)) and (runs_tests or is_run):
                found.add(place)
    return found


def _is_protected(path: str, files: Files, named: set[str], command: str) -> bool:
    place = PurePosixPath(path)
    if _STEERS.match(place.name) or (place.name in ("Makefile", "GNUmakefile") and "make" in command.split()):
        return True
    if not files.has(path):
        # A new module at the top would be imported in place of the runner's, or of one that it rests on.
        module = place.parts[0].removesuffix(".py")
        return module in _RUNNERS or (len(place.parts) == 1 and module in sys.stdlib_module_names)
    if path in named or _TEST_FILE.match(place.name):
        return True
    folders = place.parts[:-1]
    if folders and folders[0] in _TEST_FOLDERS:
        return True
    above = {str(parent) for parent in place.parents}
    return any(PurePosixPath(folder).name in _TEST_FOLDERS for folder in named & above)
