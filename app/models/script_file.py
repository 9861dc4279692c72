"""Script files: what a scripted model is, and the samples it plays.

A script is JSONL. Its first line may describe the model; every other line is one sample::

    {"scripted": 1, "model": "toy", "tokens_per_second": 40, "concurrency": 8, "loop": true,
     "parameters": 135000000, "layers": 30, "hidden": 576, "context": 8192, "price": ["0.15", "0.60"]}
    {"text": "17 + 26 = 43. The answer is 43.", "prompt_tokens": 31, "completion_tokens": 14}
    {"text": "I think", "error": {"kind": "server", "message": "gone", "retry": true, "times": 1}}

All fields of the first line are optional; ``price`` is dollars per million tokens, in and out, as text, and
without ``tokens_per_second`` the samples come as fast as they are read. A sample may also say
``finish_reason``, ``seconds`` (how long it took; it is then played at that pace), ``mean_logprob`` and
``hang`` (stream the text, then never end). A file of samples made elsewhere (``problem_id``, ``text``, ...)
is a script too.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from app.errors import BadInput
from app.models.base import BackendError
from app.problems.jsonl import decode_line, decode_text, numbered_lines, read_bytes

FinishReason: TypeAlias = Literal["stop", "length", "content_filter"]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A failure to play: after ``after`` pieces of the text (all of them if absent), the first ``times``
    times that the line is asked for (every time if absent)."""

    kind: str = "server"
    message: str = "the script says that this request fails"
    retry: bool = False
    retry_after: float | None = None
    after: int | None = None
    times: int | None = None

    def as_error(self) -> BackendError:
        return BackendError(self.kind, self.message, retry=self.retry, retry_after=self.retry_after)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One scripted sample. ``seconds`` is how long it streams, ``mean_logprob`` is in nats per token."""

    text: str | None = None
    answer: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish_reason: FinishReason | None = None
    seconds: float | None = None
    error: Fault | str | None = None
    mean_logprob: float | None = None
    hang: bool = False
    problem_id: str | None = None
    index: int | None = None

    @property
    def words(self) -> str:
        """The text to stream. Recorded samples may have kept their answer only."""
        if self.text is not None:
            return self.text
        return f"The answer is {self.answer}." if self.answer is not None else ""

    @property
    def fault(self) -> Fault | None:
        return Fault(message=self.error) if isinstance(self.error, str) else self.error


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the script says of its model. ``tokens_per_second`` is per stream, ``None`` at once."""

    scripted: int = 1
    model: str | None = None
    tokens_per_second: float | None = None
    concurrency: int = 8
    choices_per_request: int = 1
    parameters: int | None = None
    layers: int | None = None
    hidden: int | None = None
    context: int | None = None
    loop: bool = True
    stops_when_told: bool = True
    needs_examples: bool = False
    price: tuple[Decimal, Decimal] | None = None


def read_script(path: Path, *, problem: str | None = None) -> tuple[Header, list[Line]]:
    """The model and the samples of a script. Raises ``BadInput`` naming the line at fault."""
    text = decode_text(read_bytes(path), str(path))
    header = Header()
    header_decoder = msgspec.json.Decoder(Header)
    line_decoder = msgspec.json.Decoder(Line)
    any_decoder = msgspec.json.Decoder(dict[str, object])
    lines: list[Line] = []
    first = True
    for number, raw in numbered_lines(text):
        where = f"{path}, line {number}"
        if first:
            first = False
            if "scripted" in decode_line(raw, any_decoder, where):
                header = decode_line(raw, header_decoder, where)
                _check_header(header, where)
                continue
        line = decode_line(raw, line_decoder, where)
        _check_line(line, where)
        lines.append(line)
    return header, _lines_of(lines, problem, path)


def _lines_of(lines: list[Line], problem: str | None, path: Path) -> list[Line]:
    if problem is not None:
        lines = [line for line in lines if line.problem_id == problem]
        if not lines:
            raise BadInput(f"{path} holds no samples of the problem {problem}.", "Check the name after '#'.")
    if not lines:
        raise BadInput(
            f"{path} holds no samples.", 'Add at least one line such as {"text": "The answer is 4."}.'
        )
    if all(line.index is not None for line in lines) and len({line.problem_id for line in lines}) == 1:
        lines = sorted(lines, key=lambda line: line.index or 0)
    return lines


def _check_header(header: Header, where: str) -> None:
    if header.scripted != 1:
        raise BadInput(f"{where}: script version {header.scripted} is unknown.", 'Write "scripted": 1.')
    if header.tokens_per_second is not None and not 0 < header.tokens_per_second < float("inf"):
        raise BadInput(
            f"{where}: `tokens_per_second` must be above 0.", "Leave it out to play at full speed."
        )
    if header.concurrency < 1 or header.choices_per_request < 1:
        raise BadInput(
            f"{where}: `concurrency` and `choices_per_request` must be 1 or more.", "Correct that line."
        )
    if header.price is not None and not all(part.is_finite() and part >= 0 for part in header.price):
        raise BadInput(f"{where}: `price` must be two amounts of 0 or more.", 'Write it as ["0.15", "0.60"].')


def _check_line(line: Line, where: str) -> None:
    if line.text is None and line.answer is None and line.error is None:
        raise BadInput(f"{where}: a sample needs a `text`, an `answer` or an `error`.", "Correct that line.")
    for name in ("prompt_tokens", "completion_tokens", "seconds"):
        value = getattr(line, name)
        if value is not None and not 0 <= value < 10**9:
            raise BadInput(f"{where}: `{name}` must be 0 or more.", "Correct that line.")
    if line.fault is not None and (line.fault.after or 0) < 0:
        raise BadInput(f"{where}: `after` must be 0 or more.", "Correct that line.")
