"""Numbers and clauses in running text: what exactly the answer is, once it is known where it stands.

A number in a reply is found with its sign, its currency and its unit, but without the sentence around it.
"""

from __future__ import annotations

import re
from typing import Final

from verifiers.stated import REACH, Span
from verifiers.units import find_unit

_DIGITS: Final = r"(?:\d{1,3}(?:(?:,|\{,\})\d{3})+(?!\d)|\d{1,400})(?:\.\d{1,400})?|(?<!\d)\.\d{1,400}"
NUMBER: Final = re.compile(
    rf"""
    (?<![\w.^\\])(?<!\d,)
    (?:(?<![)\]}}])[-−–+])?(?:\\?[$€£¥])?[ ]?(?:(?<=[$€£¥])[-−])?
    (?:
        \d{{1,2}}(?::\d\d){{0,2}}[ ]?[aApP]\.?[mM]\b\.?
      | \d{{1,9}}(?::\d{{1,9}})+
      | (?:\d{{1,9}}[ ]?)?\\[dtc]?frac[ ]?\{{-?[\d,. ]{{1,60}}\}}[ ]?\{{[\d,. ]{{1,60}}\}}
      | (?:\d{{1,9}}[ ])?\d{{1,30}}[ ]?[/⁄][ ]?\d{{1,30}}(?![\d/])
      | (?:{_DIGITS})(?:[eE][-+]?\d{{1,3}}\b)?
    )
    (?:[ ]?\\?%|[ ]?°|(?:\^\\circ|\^\{{\\circ\}}))?
    """,
    re.VERBOSE,
)
_LIST_MARK: Final = re.compile(r"[.)](?:\s|$)")
_UNIT: Final = re.compile(r"[ ]?([A-Za-z€£¥¢$]{1,12})(?![A-Za-z(])")
_SCALE: Final = re.compile(r"[ ](?:hundred|thousand|million|billion|trillion)\b", re.IGNORECASE)
_GOES_ON: Final = re.compile(
    r"[ ]?(?:\*\*?(?=[ ]?[\w(\\])|[-+/^=×·(]|\\(?!\)|\]|[ ,;!]|text|mathrm|%|\$|circ)[A-Za-z]*)"
    r"|[A-Za-zπ√{(\[]"
)
"""What behind a number shows that it is only the beginning of an expression."""
_SENTENCE_END: Final = re.compile(r"[.!?](?=[\s*_\"'”)]|$)|\n|$")
_SAYS: Final = re.compile(
    r"(?:[=≈:]|\b(?:is|are|was|were|be|equals|has|have|had|makes|made|gives|get|gets|costs?|takes?|sold|pays?)\b)",
    re.IGNORECASE,
)
_LEAD: Final = re.compile(r"[\s*_`\"'“‘:>]{0,20}")
_WORD: Final = re.compile(r"(?<![\\A-Za-z])(?!frac|sqrt|cdot|times|text)[A-Za-z]{3,}")
_MATH_OPEN: Final = re.compile(r"\$\$|\$|\\\(|\\\[")
_CLOSERS: Final = {"$$": "$$", "$": "$", "\\(": "\\)", "\\[": "\\]"}


def last_number(text: str) -> Span | None:
    """The last number in ``text``, list marks ("2." at the start of a line) only if there is nothing else."""
    last: Span | None = None
    mark: Span | None = None
    for match in NUMBER.finditer(text):
        span = _trim(text, match.start(), match.end())
        if _LIST_MARK.match(text, span.end) and _starts_line(text, span.start) and text[span.start].isdigit():
            mark = span
        else:
            last = span
    last = last or mark
    return with_unit(text, last) if last is not None else None


def with_unit(text: str, span: Span) -> Span:
    """``span`` of a number, with the scale and the known unit that follow it."""
    end = span.end
    scale = _SCALE.match(text, end)
    end = scale.end() if scale is not None else end
    unit = _UNIT.match(text, end)
    if unit is not None and find_unit(unit[1]) is not None and unit[1] not in ("in", "m.", "s", "$"):
        end = unit.end()
    return Span(span.start, end)


def announced_value(text: str, start: int, *, words: bool) -> tuple[Span, bool] | None:
    """What stands at ``start``, right behind an announcement, and whether it is finished: followed by
    something that shows that it does not go on. With ``words`` the clause itself is the answer; otherwise a
    number is looked for in it first."""
    lead = _LEAD.match(text, start)
    start = lead.end() if lead is not None else start
    if start >= len(text):
        return None
    opener = _MATH_OPEN.match(text, start)
    if opener is not None:
        inside = _math_inside(text, start, opener[0])
        if inside is not None:
            return inside, True
    number = NUMBER.match(text, start)
    if number is not None and not words and not _GOES_ON.match(text, number.end()):
        span = with_unit(text, _trim(text, number.start(), number.end()))
        return span, _is_finished(text, span.end)
    return _clause(text, start, words=words)


def _math_inside(text: str, start: int, opener: str) -> Span | None:
    inner = start + len(opener)
    close = text.find(_CLOSERS[opener], inner, inner + REACH)
    if close < 0 or not text[inner:close].strip():
        return None
    inside = text[inner:close]
    if opener == "$" and ("\n" in inside or _WORD.search(inside)):
        return None  # "$18 and she has $20": money, not mathematics
    return _trim(text, inner, close)


def _clause(text: str, start: int, *, words: bool) -> tuple[Span, bool] | None:
    end_match = _SENTENCE_END.search(text, start, min(len(text), start + REACH))
    if end_match is None:
        return None
    end = end_match.start()
    finished = end < len(text)
    if words:
        if text[start - 1 : start] in ('"', "“", "'", "‘"):
            quote = re.compile("[\"”'’]").search(text, start, end)
            end = quote.start() if quote is not None else end
        span = _trim(text, start, end)
        return (span, finished) if span.end > span.start else None
    clause = text[start:end]
    if _WORD.search(clause) is None:
        equals = clause.rfind("=")
        if equals >= 0 and clause[equals + 1 :].strip():
            start += equals + 1
        span = _trim(text, start, end)
        return (span, finished) if span.end > span.start else None
    return _number_in_clause(text, start, end) or _whole_clause(text, start, end, finished=finished)


def _number_in_clause(text: str, start: int, end: int) -> tuple[Span, bool] | None:
    """The number a wordy clause comes to: the first behind its last verb, else its last."""
    numbers = list(NUMBER.finditer(text, start, end))
    if not numbers:
        return None
    said = start
    for verb in _SAYS.finditer(text, start, end):
        said = verb.end()
    chosen = next((match for match in numbers if match.start() >= said), numbers[-1])
    span = with_unit(text, _trim(text, chosen.start(), chosen.end()))
    return span, _is_finished(text, span.end)


def _whole_clause(text: str, start: int, end: int, *, finished: bool) -> tuple[Span, bool] | None:
    span = _trim(text, start, end)
    return (span, finished) if 0 < span.end - span.start <= 200 else None


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start] in " \t\n*_`":
        start += 1
    while end > start and text[end - 1] in " \t\n*_`,;":
        end -= 1
    return Span(start, end)


def _starts_line(text: str, place: int) -> bool:
    before = text[max(0, place - 40) : place].rpartition("\n")[2]
    return not before.strip(" \t*#>-")


def _is_finished(text: str, end: int) -> bool:
    """Whether a number that ends here is whole although the text was cut off."""
    return re.compile(r"[.,;:!?)\]]*[\s*_]|[)\]$\"'!?;]|\\[)\]]").match(text, end) is not None
