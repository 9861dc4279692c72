"""Programs, proofs and patches as text: what makes two of them the same without running them.

Only layout is evened out: indentation common to all lines, tabs, trailing space, blank lines and, for Python,
comments that have a line of their own. Parsing would see more, but a hostile program can make a parser slow
or overflow its stack.
"""

from __future__ import annotations

from verifiers.safe_text import clean


def normal_program(text: str, *, keep_comments: bool, keep_blank_lines: bool) -> str:
    """``text`` with its layout evened out; lines inside triple-quoted strings keep their ``#``."""
    lines = [line.rstrip().expandtabs(4) for line in clean(text).split("\n")]
    if not keep_comments:
        lines = _without_comment_lines(lines)
    if not keep_blank_lines:
        lines = [line for line in lines if line]
    margin = min((len(line) - len(line.lstrip(" ")) for line in lines if line), default=0)
    return "\n".join(line[margin:] for line in lines).strip("\n")


def _without_comment_lines(lines: list[str]) -> list[str]:
    kept: list[str] = []
    quoted = False
    for line in lines:
        if quoted or not line.lstrip().startswith("#"):
            kept.append(line)
            if (line.count('"""') + line.count("'''")) % 2:
                quoted = not quoted
    return kept
