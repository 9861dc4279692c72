"""What a proof checker says of one reply, and the words it says it in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from verifiers.safe_text import clean
from verifiers.sandbox import RunResult
from verifiers.verdicts import Judgement, Verdict

STDOUT_CHARACTERS: Final = 2000
_REASON_CHARACTERS: Final = 400


@dataclass(frozen=True, slots=True)
class ProofVerdict:
    """``stdout`` is the cleaned beginning of what the checker printed; ``seconds`` those of all its runs,
    ``memory_mb`` the highest; ``box`` names the sandbox, "none" where nothing ran."""

    judgement: Judgement
    stdout: str = ""
    seconds: float = 0.0
    memory_mb: float = 0.0
    box: str = "none"


class NoProver(Exception):
    """This machine lacks the proof checker; ``fix`` says how to get it."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


def verdict(
    checker: str, decided: Verdict, reason: str, runs: list[RunResult], printed: str | None = None
) -> ProofVerdict:
    """A verdict whose ``reason`` may hold a stranger's text, after ``runs``. ``printed`` is what the last of
    them printed, where it is read otherwise than as it stands."""
    line = short(reason, _REASON_CHARACTERS)
    if printed is None:
        printed = runs[-1].stdout_text if runs else ""
    return ProofVerdict(
        Judgement(decided, line, checker),
        stdout=clean(printed[: 2 * STDOUT_CHARACTERS])[:STDOUT_CHARACTERS],
        seconds=sum(run.seconds for run in runs),
        memory_mb=max((run.memory_mb for run in runs), default=0.0),
        box=runs[-1].box if runs else "none",
    )


def short(text: str, most: int) -> str:
    """``text`` on one safe line of at most ``most`` characters."""
    line = " ".join(clean(text[: 4 * most]).split())
    return line if len(line) <= most else f"{line[: most - 2]} …"


def no_end(run: RunResult, seconds: float, memory_mb: int) -> str | None:
    """Why a run did not come to an end of its own, which decides nothing; ``None`` if it did."""
    if run.status == "box":
        return f"the sandbox failed: {run.stdout_text.strip() or 'no reason given'}"
    if run.status == "time":
        return f"the checker did not finish within {seconds:g} s"
    if "out of memory" in run.stdout_text.lower() or run.signal in ("SIGKILL", "signal 9"):
        return f"the checker ran out of its {memory_mb:,} MB"
    if run.status == "crashed":
        return f"the checker crashed ({run.signal})"
    if run.status == "threads":
        return "the checker was refused a thread"
    return None
