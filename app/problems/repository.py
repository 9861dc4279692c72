"""What a model is shown of a repository: the files that the user names, or those that the issue points at.

Nothing is learned and nothing is embedded: a path in the issue's text, a module in a traceback, a name that
is defined in few files, what the test files import. Each adds to a file's score by how surely it points
there, and the best files are shown, whole where there is room, else around the names in question.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import msgspec

from app.errors import BadInput
from app.problems.problem import Problem, SourceFile

if TYPE_CHECKING:
    from verifiers.patches import Files

_CHARACTERS: Final = 120_000
"""Most that is kept of all files together; a prompt takes as much of it as its model can read."""
_MOST_SHOWN: Final = 12
_MOST_SEARCHED: Final = 4_000
_LARGEST_SEARCHED: Final = 400_000
_CODE_ENDINGS: Final = (
    "py pyi c h cc cpp hpp cs go rs java kt js jsx ts tsx mjs cjs rb php swift scala sh lua pl r jl ex exs "
    "hs ml clj vue svelte sql"
)
_CODE: Final = frozenset(_CODE_ENDINGS.split(" "))
_SOURCE: Final = _CODE | {"toml", "cfg", "ini", "yaml", "yml", "json", "html", "css", "md", "rst", "txt"}
_PATH: Final = re.compile(r"[\w./\\-]{1,200}\.[A-Za-z]\w{0,5}\b")
_DOTTED: Final = re.compile(r"\b[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\b")
_QUOTED: Final = re.compile(r"`([A-Za-z_]\w*)(?:\(\))?`|\b([A-Za-z_]\w*)\(")
_NAME: Final = re.compile(r"\b(?:[A-Za-z]+_\w+|_\w+|[A-Z][a-z0-9]+[A-Z]\w*)\b")
_WORD: Final = re.compile(r"\b[a-z]{4,20}\b")
_DEFINED: Final = re.compile(
    r"^[ \t]*(?:export +|public +|pub +|static +|async +)*(?:def|class|func|fn|function|struct|enum|interface"
    r"|type|const|let|var)[ \t]+\**(?:\([^)\n]{0,80}\) *)?([A-Za-z_]\w*)"
    r"|^([A-Za-z_]\w*)[ \t]*(?::[^=\n]{0,80})?=",
    re.MULTILINE,
)
_IMPORTED: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+([^\n#]+)|import[ \t]+([\w.]+))", re.MULTILINE
)
_NAMED, _TRACED, _IMPORTS, _MODULE, _DEFINES, _WORDS = 1000.0, 120.0, 60.0, 60.0, 40.0, 4.0


def with_sources(problem: Problem) -> Problem:
    """``problem`` with the files that a model has to see, if it is a patch's and has none yet.

    Raises ``BadInput`` where its repository cannot be read, or a named file is not there."""
    if problem.kind != "patch" or problem.repo is None or problem.sources:
        return problem
    from verifiers.patches import BadRepository
    from verifiers.patches.snapshot import Snapshot

    root = Path(problem.repo).expanduser()
    try:
        if problem.base_commit is None:
            return msgspec.structs.replace(problem, sources=_chosen(problem, _files(root)))
        snapshot = Snapshot(root, commit=problem.base_commit)
        try:
            return msgspec.structs.replace(problem, sources=_chosen(problem, snapshot.files))
        finally:
            snapshot.close()
    except BadRepository as error:
        raise BadInput(error.message, error.fix) from None


def _files(root: Path) -> Files:
    from verifiers.patches import Files

    files = Files(root)
    files.paths()
    return files


def _chosen(problem: Problem, files: Files) -> tuple[SourceFile, ...]:
    if problem.files:
        order = [_named(path, files) for path in problem.files]
    else:
        scores = rank_files(problem.prompt, problem.test_command or "", files)
        order = sorted(scores, key=lambda path: (-scores[path], path))[:_MOST_SHOWN]
    terms = terms_of(problem.prompt)
    shown: list[SourceFile] = []
    room = _CHARACTERS
    for path in order:
        text = files.text(path)
        if text is None or room < 200:
            continue
        part = text if len(text) <= room else excerpt(text, terms, room)
        # A file whose bytes are no text cannot be written down in a journal.
        shown.append(SourceFile(path, part.encode("utf-8", "replace").decode()))
        room -= len(part)
    return tuple(shown)


def _named(path: str, files: Files) -> str:
    from verifiers.patches import BadChange
    from verifiers.patches.paths import place_of

    try:
        found = place_of(path, files, must_exist=True)
    except BadChange as error:
        raise BadInput(f"{error}.", "Give paths of the repository with --files.") from None
    if files.text(found) is None:
        raise BadInput(f"{found} is not text.", "Give source files with --files.")
    return found


def rank_files(issue: str, test_command: str, files: Files) -> dict[str, float]:
    """How surely each of the repository's files is meant; files that nothing points at are not in it."""
    paths = [
        path for path in sorted(files.paths()) if PurePosixPath(path).suffix.lstrip(".").lower() in _SOURCE
    ]
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_name[PurePosixPath(path).name].append(path)
    scores: defaultdict[str, float] = defaultdict(float)
    for mention in {found.replace("\\", "/") for found in _PATH.findall(issue)}:
        same = [path for path in by_name[mention.rsplit("/", 1)[-1]] if _ends_alike(path, mention)]
        for path in same:
            scores[path] += _TRACED / len(same)
    for module in set(_DOTTED.findall(issue)):
        _add(scores, _module_files(module, paths), _MODULE)
    _follow_tests(scores, test_command, paths, files)
    _follow_names(scores, issue, paths, files)
    for word in set(_WORD.findall(issue.lower())):
        alike = [path for path in paths if PurePosixPath(path).stem.lower() == word]
        if 0 < len(alike) <= 5:
            _add(scores, alike, _WORDS)
    if not scores and len(paths) <= _MOST_SHOWN:
        scores.update(dict.fromkeys(sorted(path for path in paths if _is_code(path)), 1.0))
    return scores


def _follow_tests(scores: defaultdict[str, float], command: str, paths: list[str], files: Files) -> None:
    """The test files that the command names, and what they import."""
    words = {re.sub(r"^\./", "", word.split("::")[0].strip("'\"")) for word in command.split()}
    for test in [path for path in paths if path in words]:
        scores[test] += _IMPORTS / 2
        for source, names, plain in _IMPORTED.findall(files.text(test) or ""):
            module = source or plain
            targets = [f"{module}.{name.split(' as ')[0].strip(' ()')}" for name in names.split(",")]
            found = {path for target in (*targets, module) for path in _module_files(target, paths)}
            _add(scores, sorted(found), _IMPORTS)


def _follow_names(scores: defaultdict[str, float], issue: str, paths: list[str], files: Files) -> None:
    """The files that define what the issue names; a name that many define points nowhere."""
    names = terms_of(issue)
    if not names:
        return
    defining: defaultdict[str, list[str]] = defaultdict(list)
    searched = [path for path in paths if _is_code(path)][:_MOST_SEARCHED]
    for path in searched:
        text = files.text(path)
        if text is None or len(text) > _LARGEST_SEARCHED:
            continue
        for definition in {one or other for one, other in _DEFINED.findall(text)} & names:
            defining[definition].append(path)
    for found in defining.values():
        if len(found) <= 8:
            _add(scores, found, _DEFINES / len(found))


def terms_of(issue: str) -> set[str]:
    """Names of code in the text: in backticks, called, or written as only code is."""
    found = {one or other for one, other in _QUOTED.findall(issue)} | set(_NAME.findall(issue))
    for dotted in _DOTTED.findall(issue):
        found.update(dotted.split("."))
    return {name for name in found if len(name) > 2}


def _add(scores: defaultdict[str, float], paths: list[str], score: float) -> None:
    for path in paths:
        is_test = "test" in PurePosixPath(path).name.lower()
        scores[path] += score / 2 if is_test else score


def _module_files(module: str, paths: list[str]) -> list[str]:
    """The files that a dotted name may mean: the module, its package, or the module that holds the name."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        stem = "/".join(parts[:length])
        if length == 1 and len(parts) > 1 and len(stem) < 4:
            return []
        ends = (f"{stem}.py", f"{stem}/__init__.py")
        found = [path for path in paths if any(path == end or path.endswith(f"/{end}") for end in ends)]
        if found:
            return found
    return []


def _ends_alike(path: str, mention: str) -> bool:
    """Whether one is the end of the other, whole folders at a time."""
    short, long = sorted((path, mention.removeprefix("./").lstrip("/")), key=len)
    return short == long or long.endswith(f"/{short}")


def _is_code(path: str) -> bool:
    return PurePosixPath(path).suffix.lstrip(".").lower() in _CODE


def excerpt(text: str, terms: set[str], characters: int) -> str:
    """The lines around ``terms``, as many as fit, each stretch whole; the beginning where none is found."""
    lines = text.split("\n")
    mark = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(terms)))})\b") if terms else None
    hits = [at for at, line in enumerate(lines) if mark is not None and mark.search(line)]
    for around in (60, 30, 15, 6, 2):
        kept = sorted(
            {at for hit in hits for at in range(max(0, hit - around), min(len(lines), hit + around + 1))}
        )
        if kept and sum(len(lines[at]) + 1 for at in kept) <= characters:
            pieces = [
                ("" if at == 0 or at - 1 in kept[max(0, place - 1) : place] else "\n") + lines[at]
                for place, at in enumerate(kept)
            ]
            return "\n".join(pieces).lstrip("\n")[:characters]
    cut = text[:characters]
    return cut[: cut.rfind("\n") + 1] or cut
