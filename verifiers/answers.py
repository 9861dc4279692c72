"""What does this reply answer? The way from a model's text to the answer that votes.

The kind of problem decides where to look. Mathematics: the last ``\\boxed{}``, a ``####`` line, words that
state an answer, the letter of an offered choice, and only then the last number. Open questions: a stated
answer, else the last line. Code, proofs and patches: the block that holds them.

Every extraction says *how* the answer was found, in words for people, and where in the reply it stands. A
sample that was cut off by its token limit votes only with an answer it stated and finished stating: its last
number is wherever it happened to be, and ``\\boxed{1`` may have become 18.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from verifiers.blocks import find_patch, find_program, find_proof
from verifiers.choices import Choices, choice_letter, last_mentioned, matching_choice
from verifiers.safe_text import clean
from verifiers.spans import announced_value, last_number
from verifiers.stated import Span, boxes, cues, is_placeholder, said_afterwards
from verifiers.verdicts import Kind


@dataclass(frozen=True, slots=True)
class Extraction:
    """The answer found in a reply, ``None`` if there is none.

    ``how`` names the way it was found ("boxed", "after ####", "stated", "choice", "last number",
    "last choice", "last line", "code block", "bare code", "continuation", "proof block", "bare proof",
    "patch") or why there is none ("cut off", "no answer found", "empty reply"). ``start`` and ``end`` are the
    half-open range of the reply that it was read from.
    """

    answer: str | None
    how: str
    start: int | None = None
    end: int | None = None

    @property
    def stated(self) -> bool:
        """Whether the reply said that this is its answer, rather than our having guessed it."""
        return self.answer is not None and self.how not in ("last number", "last line", "last choice")


_BOLD: Final = re.compile(r"(?<![\w)\]}])\*\*|\*\*(?![\w({\\-])")
"""Markdown's stars, and not those of ``x**2``."""
_NEXT_QUESTION: Final = re.compile(
    r"^[ \t*#]{0,6}(?:Q|Question|Problem|Exercise|User|Human|Instruction)\b[ \t]?\d{0,3}[*_]{0,2}[:.]",
    re.MULTILINE,
)


def extract_answer(
    text: str,
    kind: Kind,
    *,
    cut_off: bool = False,
    choices: Choices | None = None,
    entry_point: str | None = None,
) -> Extraction:
    """The answer of a reply to a problem of ``kind``.

    ``cut_off`` says that the reply ended at its token limit. ``choices`` are those that a multiple-choice
    problem offers (``verifiers.choices.find_choices`` reads them from its text); the answer is then a letter
    wherever the reply can be read as one, and what the reply says otherwise.
    ``entry_point`` is the function that a code problem asks for. Never raises; linear in the reply's length.
    """
    if not text.strip():
        return Extraction(None, "empty reply")
    if kind == "code":
        found = find_program(text, cut_off=cut_off, entry_point=entry_point)
    elif kind == "proof":
        found = find_proof(text, cut_off=cut_off)
    elif kind == "patch":
        found = find_patch(text, cut_off=cut_off)
    else:
        lettered = _extract_words(text, kind, cut_off=cut_off, choices=choices) if choices else None
        if lettered is not None and lettered.answer is not None:
            return lettered
        return _extract_words(text, kind, cut_off=cut_off, choices=None)
    if found is None:
        return _nothing(cut_off=cut_off)
    return Extraction(found.text, found.how, *found.span)


def _extract_words(text: str, kind: Kind, *, cut_off: bool, choices: Choices | None) -> Extraction:
    """The answer in what follows the model's thoughts; an unfinished thought states nothing."""
    first = 0
    thought = text.rfind("</think>")
    if thought >= 0 and text[thought + 8 :].strip():
        first = thought + 8
    elif cut_off and "<think>" in text:
        return Extraction(None, "cut off")
    question = _NEXT_QUESTION.search(text, first + 1)
    if question is not None:
        # A model without a sense of an ending poses itself the next question: the answer is the one before.
        before = _stated(text, first, question.start(), kind, cut_off=False, choices=choices)
        if before is not None:
            return before
    found = _stated(text, first, len(text), kind, cut_off=cut_off, choices=choices)
    if found is None and first and not cut_off:
        found = _stated(text, 0, first, kind, cut_off=False, choices=choices)
    if found is not None:
        return found
    if cut_off:
        return Extraction(None, "cut off")
    return _guessed(text, first, kind, choices=choices)


def _stated(
    text: str, first: int, last: int, kind: Kind, *, cut_off: bool, choices: Choices | None
) -> Extraction | None:
    """An answer that ``text[first:last]`` itself calls its answer."""
    part = text if (first, last) == (0, len(text)) else text[first:last]
    for how, span in _statements(part, kind, cut_off=cut_off, lettered=choices is not None):
        answer = _presentable(part[span.start : span.end])
        if choices is not None:
            letter = choice_letter(part, span, choices) or matching_choice(answer, choices)
            if letter is None:
                continue
            answer, how = letter, "choice"
        if answer and not is_placeholder(answer):
            return Extraction(answer, how, first + span.start, first + span.end)
    return None


def _statements(part: str, kind: Kind, *, cut_off: bool, lettered: bool) -> list[tuple[str, Span]]:
    """All statements of an answer, the one to believe first: the last box, the last ``####``, words."""
    hashes: list[tuple[str, Span]] = []
    said: list[tuple[str, Span]] = []
    for cue in cues(part):
        value = announced_value(part, cue.start, words=kind == "open" or lettered)
        if value is None or (cut_off and not value.finished):
            continue
        if cue.label and value.worked_out and (cut_off or _reasons_on(part, value.end)):
            continue  # "Answer: She sold 48 / 2 = 24 clips in May. Together ..."
        if kind == "math" and not lettered and _only_describes(part, value.span, value.end):
            continue  # "The answer is the total number of clips. 48 + 24 = 72."
        if not cue.hashes:
            said.append(("stated", value.span))
        elif _is_final_line(part, value.span, kind):
            hashes.append(("after ####", value.span))
    after = said_afterwards(part)
    if after is not None and not said:
        said.append(("stated", after))
    return [("boxed", span) for span in reversed(boxes(part)[-3:])] + hashes + said


def _only_describes(part: str, span: Span, end: int) -> bool:
    """Whether an announced clause says in words what is looked for, and numbers come after it."""
    clause = part[span.start : span.end]
    return clause.count(" ") >= 3 and not re.search(r"[\d\\$]", clause) and _reasons_on(part, end)


def _reasons_on(part: str, end: int) -> bool:
    """Whether more numbers follow the sentence that ends at ``end``."""
    return re.compile(r"\d").search(part, end) is not None


def _is_final_line(part: str, span: Span, kind: Kind) -> bool:
    """Whether what follows ``####`` is an answer and no heading ("#### Step 2: ...")."""
    if kind == "math" and not re.search(r"[\d\\π]", part[span.start : span.end]):
        return False
    line_start = part.rfind("\n", 0, span.start) + 1
    before = part[line_start : span.start].strip(" #*_:`$\\([")
    line_end = part.find("\n", span.end)
    after = part[span.end : line_end if line_end >= 0 else len(part)]
    return not re.search(r"[A-Za-z]{2}", before) and not re.match(r"[.):]\s*\w", after) and len(after) < 40


def _guessed(text: str, first: int, kind: Kind, *, choices: Choices | None) -> Extraction:
    """An answer that nothing announces: the letter mentioned last, the last number, the last line."""
    part = text[first:]
    if choices is not None:
        return _guessed_choice(part, first, choices)
    span = last_number(part) if kind == "math" else _last_line(part)
    if span is None:
        return Extraction(None, "no answer found")
    answer = _presentable(part[span.start : span.end])
    how = "last number" if kind == "math" else "last line"
    return (
        Extraction(answer, how, first + span.start, first + span.end) if answer else _nothing(cut_off=False)
    )


def _guessed_choice(part: str, first: int, choices: Choices) -> Extraction:
    mention = last_mentioned(part, choices)
    if mention is not None:
        letter, span = mention
        return Extraction(letter, "last choice", first + span.start, first + span.end)
    number = last_number(part)
    chosen = matching_choice(part[number.start : number.end], choices) if number is not None else None
    if number is None or chosen is None:
        return Extraction(None, "no answer found")
    return Extraction(chosen, "last choice", first + number.start, first + number.end)


def _last_line(part: str) -> Span | None:
    end = len(part.rstrip())
    start = part.rfind("\n", 0, end) + 1
    lead = re.compile(r"[\s>#*_`-]*").match(part, start, end)
    start = lead.end() if lead is not None else start
    while end > start and part[end - 1] in "*_`":
        end -= 1
    return Span(start, end) if end > start else None


def _presentable(raw: str) -> str:
    """The answer as it is shown: safe characters, one line, no Markdown around it."""
    return " ".join(_BOLD.sub("", clean(raw)).split()).strip("*_` ")


def _nothing(*, cut_off: bool) -> Extraction:
    return Extraction(None, "cut off" if cut_off else "no answer found")
