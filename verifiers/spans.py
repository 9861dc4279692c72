"""Numbers and clauses in running text: what exactly the answer is, once it is known where it stands.

A number in a reply is found with its sign, its currency and its unit, but without the sentence around it.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from verifiers.stated import REACH, Span
from verifiers.units import find_unit

LONGEST_NAME: Final = 200
"""Characters of the longest answer in words to a problem that asks for mathematics."""

_DIGITS: Final = r"(?:\d{1,3}(?:(?:,|\{,\})\d{3})+(?!\d)|\d{1,400})(?:\.\d{1,400})?|(?<!\d)\.\d{1,400}"
NUMBER: Final = re.compile(
    rf"""
    (?<![\w.^\\])(?<!\d,)
    (?:(?<![)\]}}])[-−–+])?(?:\\?[$€£¥][ ]?[-−]?)?
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
    r"[ ]?(?:\*\*?(?=[ ]?[\w(\\])|[-+/^=×·]|\\(?!\)|\]|[ ,;!]|text|mathrm|%|\$|circ)[A-Za-z]*)"
    r"|[A-Za-zπ√{(\[]"
)
"""What behind a number shows that it is only the beginning of an expression."""
_SENTENCE_END: Final = re.compile(r"[.!?](?=[\s*_\"'”)]|$)|\n|(?=</)|$")
_JOINED: Final = re.compile(r"[ ]?,[ ]?(?:(?:and|or)[ ])?|[ ](?:and|or)[ ]|[ ](?=\d+[ ]?[a-z])")
_SAYS: Final = re.compile(
    r"(?:[=≈:]|\b(?:is|are|was|were|be|equals|has|have|had|makes|made|gives|get|gets|costs?|takes?|sold|pays?)\b)",
    re.IGNORECASE,
)
_METHOD: Final = re.compile(
    r"(?:(?:found|obtained|calculated|computed|determined|given|derived|reached|easy|clear|not)\b"
    r"|the\s(?:sum|product|difference|quotient|ratio|total)\sof\b)",
    re.IGNORECASE,
)
"""How a sentence begins that tells how the answer is found, and not what it is."""
_LEAD: Final = re.compile(r"[\s*_`\"'“‘:>]{0,20}")
_CLOSING_QUOTE: Final = re.compile("[\"”'’]")
_WORD: Final = re.compile(r"(?<![\\A-Za-z])(?!and\b|frac|sqrt|cdot|times|text)[A-Za-z]{3,}")
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


class Value(NamedTuple):
    """What an announcement announces.

    ``finished``: something behind it shows that it does not go on, should the reply have been cut off.
    ``worked_out``: it was taken from a sentence or a sum ("she sold 24 in May", "48 / 2 = 24"), which may be
    a step on the way; ``end`` is where that sentence ends.
    """

    span: Span
    finished: bool
    worked_out: bool
    end: int


def announced_value(text: str, start: int, *, words: bool) -> Value | None:
    """What stands at ``start``, right behind an announcement. With ``words`` the clause itself is the answer;
    otherwise a number is looked for in it first."""
    lead = _LEAD.match(text, start)
    start = lead.end() if lead is not None else start
    if start >= len(text):
        return None
    opener = _MATH_OPEN.match(text, start)
    if opener is not None:
        inside = _math_inside(text, start, opener[0])
        if inside is not None:
            return inside
    number = NUMBER.match(text, start)
    if number is not None and not words and not _GOES_ON.match(text, number.end()):
        span = _with_others(text, with_unit(text, _trim(text, number.start(), number.end())))
        return Value(span, _is_finished(text, span.end), worked_out=False, end=span.end)
    ending = _SENTENCE_END.search(text, start, min(len(text), start + REACH))
    if ending is None:
        return None
    end = ending.start()
    if text[start - 1 : start] in ('"', "“", "'", "‘"):
        quote = _CLOSING_QUOTE.search(text, start, end)
        end = quote.start() if quote is not None else end
    if words:
        return _words(text, start, end)
    return (
        _formula(text, start, end) if _WORD.search(text, start, end) is None else _sentence(text, start, end)
    )


def _with_others(text: str, span: Span) -> Span:
    """``span`` of a number with those that are joined to it up to the end of the sentence: "3 and 5", "1 hour
    30 minutes". Where the sentence goes on otherwise, the first number is the answer."""
    end = span.end
    while (joint := _JOINED.match(text, end)) and (number := NUMBER.match(text, joint.end())):
        end = with_unit(text, _trim(text, number.start(), number.end())).end
    return Span(span.start, end) if _SENTENCE_END.match(text, end) else span


def _math_inside(text: str, start: int, opener: str) -> Value | None:
    inner = start + len(opener)
    close = text.find(_CLOSERS[opener], inner, inner + REACH)
    if close < 0 or not text[inner:close].strip():
        return None
    inside = text[inner:close]
    if opener == "$" and ("\n" in inside or _WORD.search(inside)):
        return None  # "$18 and she has $20": money, not mathematics
    return Value(_trim(text, inner, close), finished=True, worked_out=_is_sum(inside), end=close)


def _words(text: str, start: int, end: int) -> Value | None:
    span = _trim(text, start, end)
    return Value(span, end < len(text), worked_out=False, end=end) if span.end > span.start else None


def _formula(text: str, start: int, end: int) -> Value | None:
    """A clause without words: what stands behind its last equals sign; all of "x = 3 or x = 5"."""
    clause = text[start:end]
    equals = clause.rfind("=")
    several = clause.count("=") > 1 and re.search(r",|\b(?:or|and)\b", clause) is not None
    right = start + equals + 1 if equals >= 0 and clause[equals + 1 :].strip() and not several else start
    span = _trim(text, right, end)
    if span.end <= span.start:
        return None
    return Value(span, end < len(text), worked_out=_is_sum(clause), end=end)


def _sentence(text: str, start: int, end: int) -> Value | None:
    """The number a wordy clause comes to: the first behind its last verb, else its last. A clause without
    numbers is its own answer; one that only says how the answer is found holds none."""
    numbers = list(NUMBER.finditer(text, start, end))
    if not numbers:
        span = _trim(text, start, end)
        named = 0 < span.end - span.start <= LONGEST_NAME
        return Value(span, end < len(text), worked_out=False, end=end) if named else None
    verbs = list(_SAYS.finditer(text, start, end))
    if _METHOD.match(text, start, end) and not verbs:
        return None
    said = verbs[-1].end() if verbs else start
    chosen = next((match for match in numbers if match.start() >= said), numbers[-1])
    span = with_unit(text, _trim(text, chosen.start(), chosen.end()))
    return Value(span, _is_finished(text, span.end), worked_out=True, end=end)


def _is_sum(text: str) -> bool:
    """Whether digits stand on the left of an equals sign: ``48 / 2 = 24``, but not ``x = 5``."""
    return re.search(r"\d", text.rpartition("=")[0]) is not None


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
    return re.compile(r"[.,;:!?)\]]*[\s*_<]|[)\]$\"'!?;]|\\[)\]]").match(text, end) is not None
