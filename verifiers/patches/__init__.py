"""Changes to a repository that a model proposes, judged by the repository's own tests. See
``check.PatchChecker``."""

from verifiers.patches.applying import Applied, apply_change
from verifiers.patches.check import PatchChecker, PatchTask, PatchVerdict
from verifiers.patches.edits import BadChange, Change
from verifiers.patches.reading import read_change
from verifiers.patches.tree import BadRepository, Files, list_files, uncommitted

__all__ = [
    "Applied",
    "BadChange",
    "BadRepository",
    "Change",
    "Files",
    "PatchChecker",
    "PatchTask",
    "PatchVerdict",
    "apply_change",
    "list_files",
    "read_change",
    "uncommitted",
]
