"""What vLLM's log says, for people: how far the start is, and in one line why it failed.

vLLM tells its progress nowhere but in its log, which is written for its developers. The lines looked for are
those of versions 0.20 to 0.32; one that is not known is shown as it is, and nothing rests on any of them but
words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from app.models.base import Progress
from app.models.vllm_card import KEEPERS_MARK
from verifiers.safe_text import one_line

_WIDTH = 300
_TAIL = 200_000
"""Bytes of a log's end that are searched for the cause of a failure."""
_STAMP = re.compile(
    r"^(?:\([\w:.-]+ pid=\d+\)\s*)?(?:(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL)\b:?\s*)?"
    r"(?:\d\d-\d\d \d\d:\d\d:\d\d )?(?:\[[\w./ ]+:\d+\] ?)?"
)
_SHARDS = re.compile(r"Loading \w+ checkpoint shards:\s+(\d+)%.*?(\d+)/(\d+)")
_GRAPHS = re.compile(r"Captur\w+ CUDA graph[^:]*:\s+(\d+)%")
_STEPS = (
    (re.compile(r"downloading weights|Fetching \d+ files", re.IGNORECASE), "downloading"),
    (re.compile(r"Starting to load model|Loading weights with"), "loading weights"),
    (re.compile(r"Loading weights took|Model loading took"), "weights loaded"),
    (re.compile(r"Starting torch\.compile|Compiling a graph|Dynamo bytecode|Compile and warm"), "compiling"),
    (re.compile(r"Graph capturing|CUDA graph memory|Captur\w+ CUDA graph"), "capturing graphs"),
    (re.compile(r"KV cache (?:memory|size)"), "making room for the cache"),
    (re.compile(r"Initializing a V1 LLM engine"), "starting the engine"),
    (re.compile(r"Started server process|Starting vLLM (?:API )?server|Application startup"), "almost ready"),
)
_EXCEPTION = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Z]\w*(?:Error|Exception|Unavailable))\b(?:: ?(.*))?$")
_USAGE = re.compile(r"^[\w. -]+: error: (.+)$")
_QUOTED = re.compile(r"^Worker failed with error '(.+?)'?(?:, please check.*)?$")
_ONLY_AN_ECHO = re.compile(
    r"Engine core init|EngineDead|Failed core proc|See root cause|cancelled", re.IGNORECASE
)
_OUT_OF_MEMORY = re.compile(
    r"out of memory|Free memory on device|No available memory for the cache"
    r"|larger than the available KV cache|less than (?:desired GPU|requested) memory|KV cache .*needed"
    r"|not enough memory|MemoryError",
    re.IGNORECASE,
)
_NO_NETWORK = re.compile(
    r"couldn't connect to|Connection error|Max retries|outgoing traffic has been", re.IGNORECASE
)
_NO_SUCH_MODEL = re.compile(
    r"not a valid model identifier|RepositoryNotFound|is not a local folder|gated repo",
    re.IGNORECASE,
)


class LogReader:
    """Follows a log while it is written. ``last`` is its last line that says something."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._rest = b""
        self._step = Progress("starting vLLM")
        self.last = ""

    def read(self) -> Progress:
        """How far the start is, by all that was written so far, with the last line of it."""
        for line in self._new_lines():
            text = plain(line)
            if text:
                self.last = text
                self._step = step_of(text) or self._step
        step = f"vLLM: {self._step.step}" if self._step.step != "starting vLLM" else self._step.step
        if self.last and self._step.fraction is None:
            step = one_line(f"{step} · {self.last}", _WIDTH)
        return Progress(step, self._step.fraction)

    def _new_lines(self) -> list[str]:
        try:
            with self._path.open("rb") as log:
                log.seek(self._at)
                data = log.read()
        except OSError:
            return []
        self._at += len(data)
        *lines, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]


def plain(line: str) -> str:
    """A line of the log without its process, level, time and place."""
    text = one_line(line, 1000)
    return text[found.end() :].strip() if (found := _STAMP.match(text)) else text


def step_of(text: str) -> Progress | None:
    """The step of the start that a line tells of. ``fraction`` is of this step alone."""
    for pattern, step in ((_SHARDS, "loading weights"), (_GRAPHS, "capturing graphs")):
        if found := pattern.search(text):
            return Progress(step, min(1.0, int(found.group(1)) / 100))
    return next((Progress(step) for pattern, step in _STEPS if pattern.search(text)), None)


def why_it_ended(path: Path) -> str:
    """One line from a log that says best why its server ended; empty where there is none."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _TAIL))
            lines = log.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return cause_in(lines)


def cause_in(lines: Iterable[str]) -> str:
    """The cause of a failure among a log's lines: what the keeper saw of it, or the last exception that is no
    echo of an earlier one, the last refusal of the command line, the last error, the last line."""
    exception = refusal = error = last = ""
    waits_for_details = False
    for line in lines:
        if line.startswith(KEEPERS_MARK):
            return one_line(line.removeprefix(KEEPERS_MARK), _WIDTH)
        found = _STAMP.match(line)
        level = found["level"] if found and not line[found.end() :].startswith(" ") else None
        text = plain(line)
        if not text:
            continue
        if waits_for_details:  # pydantic tells what is wrong on the lines under its exception
            exception = re.sub(r"\s*\[type=.*$", "", text.removeprefix("Value error, "))
            waits_for_details = text == exception and text.isidentifier()
        elif (raised := _EXCEPTION.match(text)) and not _ONLY_AN_ECHO.search(text):
            said = raised[2] or raised[1]
            exception = quoted[1] if (quoted := _QUOTED.match(said)) else said
            waits_for_details = raised[1] == "ValidationError"
        elif wrong := _USAGE.match(text):
            refusal = wrong[1]
        elif level in ("ERROR", "CRITICAL") and not _ONLY_AN_ECHO.search(text):
            error = text
        last = text
    return one_line(exception or refusal or error or last, _WIDTH)


def is_about_memory(cause: str) -> bool:
    return bool(_OUT_OF_MEMORY.search(cause))


def is_about_network(cause: str) -> bool:
    return bool(_NO_NETWORK.search(cause))


def is_about_name(cause: str) -> bool:
    """Whether the model is not there, or not for this user."""
    return bool(_NO_SUCH_MODEL.search(cause))
