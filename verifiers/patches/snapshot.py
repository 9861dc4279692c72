"""A repository as it stood at one moment, copied to a folder of our own: what all samples of a run are held
against. The user may go on working; nothing is written to their folder or to git's."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import tempfile
import weakref
from pathlib import Path

from verifiers.patches.applying import apply_change
from verifiers.patches.diff_reading import read_diff
from verifiers.patches.edits import BadChange, Change
from verifiers.patches.tree import BadRepository, Files, copy_tree, git_output, list_files


class Snapshot:
    """The copy. ``folder`` holds it, ``files`` reads it, ``size_mb`` is how large it is; ``test_files`` are
    those that the problem's own test patch wrote. ``close`` removes it; so does losing the last reference."""

    def __init__(self, repository: Path, *, commit: str | None = None, test_patch: str | None = None) -> None:
        """Copy the working tree of ``repository``, or what ``commit`` of it holds, and apply ``test_patch``,
        a diff, to the copy. Blocks while it copies. Raises ``BadRepository``."""
        self.repository = Path(os.path.abspath(repository))
        self.folder = Path(tempfile.mkdtemp(prefix="monkeys-"))
        self._gone = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        try:
            if commit is None:
                paths = list_files(self.repository)
                size = copy_tree(self.repository, paths, self.folder)
            else:
                size = _check_out(self.repository, commit, self.folder)
                paths = list_files(self.folder)
            self.size_mb = size / (1 << 20)
            self.files = Files(self.folder, str(self.repository), paths)
            self.test_files: frozenset[str] = frozenset()
            if test_patch is not None and test_patch.strip():
                self._apply(test_patch)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._gone()

    def _apply(self, test_patch: str) -> None:
        try:
            change = Change(tuple(read_diff(test_patch, fenced=True)), test_patch, "diff")
            applied = apply_change(change, self.files)
        except BadChange as error:
            raise BadRepository(
                f"The problem's test_patch does not fit {self.repository}: {error}.",
                "Give the repository at the problem's base_commit.",
            ) from None
        for path, text in applied.files.items():
            target = self.folder / path
            if text is None:
                target.unlink(missing_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(text.encode("utf-8", "surrogateescape"))
        paths = set(self.files.paths()) - {path for path, text in applied.files.items() if text is None}
        paths |= {path for path, text in applied.files.items() if text is not None}
        self.files = Files(self.folder, str(self.repository), sorted(paths))
        self.test_files = frozenset(applied.files)


def _check_out(repository: Path, commit: str, target: Path) -> int:
    """Write what ``commit`` holds to ``target``, without a worktree that git would remember."""
    if commit.startswith("-") or not repository.is_dir():
        raise BadRepository(f"{repository} has no commit {commit}.", "Give the repository's own folder.")
    archive = git_output(repository, "archive", "--format=tar", commit)
    if archive is None:
        raise BadRepository(
            f"{repository} has no commit {commit[:40]}.", "Fetch it with git, or leave base_commit out."
        )
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(target, filter=_links_as_they_are)  # noqa: S202  git's own archive
    return len(archive)


def _links_as_they_are(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
    """Links of a repository may point anywhere: they are only ever followed inside the box."""
    return member if member.issym() else tarfile.data_filter(member, path)
