"""A sample's text as it is read: Markdown with highlighted code, the place of the answer marked.

Markdown as models write it, not as it is published: a line end is a line end, the asterisks in ``a*b*c`` are
products, a backslash is part of a formula, and tags, links and images are shown as they were written, because
a reader has to see what the model said. Nothing in it can act: no hyperlink, no markup, no escape sequence.

Rich renders it to plain lines here, in a few milliseconds for an ordinary sample; a widget per paragraph
would take a hundred times as long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, TypeAlias

from rich.segment import Segment
from rich.style import Style

from verifiers.safe_text import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline.state_inline import StateInline
    from rich.console import Console
    from rich.markdown import Markdown

Lines: TypeAlias = list[list[Segment]]

LONGEST_RENDERED = 20_000
"""Characters. Longer texts are wrapped as they are: nobody waits a second for emphasis."""

_OPEN, _CLOSE = "\u2063", "\u2064"
"""Stand around the answer while Rich works. Invisible, no cells wide, and never left in cleaned text."""
_LONGEST_MARKED = 200
_CODE_LINE = re.compile(
    r"(?:async def|def|class|import|from|return|for|while|if|try|with|print)\b|\w+ *=[^=]"
)
_NOT_OURS = (
    "escape",
    "entity",
    "link",
    "image",
    "autolink",
    "html_inline",
    "html_block",
    "reference",
    "lheading",
)


@dataclass(frozen=True, slots=True)
class Look:
    """Styles from the theme. ``code_theme`` names a Pygments style."""

    heading: Style
    code: Style
    dim: Style
    answer: Style
    code_theme: str


def lines_of(text: str, span: tuple[int, int] | None, width: int, look: Look) -> Lines:
    """``text`` as lines of segments no wider than ``width``, the answer at ``span`` in ``look.answer``."""
    width = max(width, 8)
    marked = _with_marks(text, span)
    rendered = _wrapped(marked, width) if len(text) > LONGEST_RENDERED else _rendered(marked, width, look)
    return _marked_lines(rendered, look.answer)


def program_lines(text: str, width: int, look: Look) -> Lines:
    """A Python program, highlighted, in lines no wider than ``width``."""
    from rich.syntax import Syntax

    width = max(width, 8)
    if len(text) > LONGEST_RENDERED:
        return plain_lines(text, width)
    console = _console(width, look)
    program = Syntax(
        clean(text).rstrip(), "python", theme=look.code_theme, word_wrap=True, background_color="default"
    )
    lines = console.render_lines(program, console.options.update(width=width), pad=False)
    while lines and not "".join(segment.text for segment in lines[-1]).strip():
        lines.pop()
    return lines


def looks_like_code(text: str) -> bool:
    """Whether a reply to a code problem begins as a program does, rather than with words about one."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return first[:1] in " \t#@" or bool(_CODE_LINE.match(first))


def plain_lines(text: str, width: int) -> Lines:
    """``text`` wrapped and nothing else: for what is still being written, and for what is looked at raw."""
    return [[Segment(line)] for line in wrap(clean(text), max(width, 8))]


def wrap(text: str, width: int) -> list[str]:
    """Cleaned ``text`` in lines of at most ``width`` cells, broken at blanks where there are any."""
    from rich.text import Text

    console = _console(width)
    lines: list[str] = []
    for paragraph in text.expandtabs(4).split("\n"):
        if len(paragraph) <= width and paragraph.isascii():
            lines.append(paragraph)
        else:
            lines += [line.plain.rstrip("\n") for line in Text(paragraph).wrap(console, width)]
    return lines


def _with_marks(text: str, span: tuple[int, int] | None) -> str:
    if span is None:
        return clean(text)
    start, end = max(0, span[0]), min(len(text), span[1])
    answer = text[start:end]
    if start >= end or len(answer) > _LONGEST_MARKED or "\n" in answer:
        return clean(text)
    return f"{clean(text[:start])}{_OPEN}{clean(answer)}{_CLOSE}{clean(text[end:])}"


def _wrapped(text: str, width: int) -> Lines:
    return [[Segment(line)] for line in wrap(text, width)]


def _marked_lines(lines: Lines, style: Style) -> Lines:
    """The same lines with the marks taken out and what stood between them styled."""
    inside = False
    out: Lines = []
    for line in lines:
        if not inside and not any(_OPEN in segment.text for segment in line):
            out.append(line)
            continue
        pieces: list[Segment] = []
        for segment in line:
            for piece in re.split(f"([{_OPEN}{_CLOSE}])", segment.text):
                if piece in (_OPEN, _CLOSE):
                    inside = piece == _OPEN
                elif piece:
                    own = segment.style or Style()
                    body = piece.rstrip() if inside else ""
                    pieces.append(Segment(body, own + style))
                    pieces.append(Segment(piece[len(body) :], own))
        out.append([piece for piece in pieces if piece.text])
    return out


def _rendered(text: str, width: int, look: Look) -> Lines:
    console = _console(width, look)
    options = console.options.update(width=width)
    lines = console.render_lines(_document(text, look), options, pad=False)
    while lines and not "".join(segment.text for segment in lines[-1]).strip():
        lines.pop()
    return lines


def _console(width: int, look: Look | None = None) -> Console:
    from rich.console import Console
    from rich.theme import Theme

    theme = None
    if look is not None:
        headings = {f"markdown.h{level}": look.heading for level in range(1, 8)}
        theme = Theme(
            {
                **headings,
                "markdown.h1.border": look.dim,
                "markdown.code": look.code,
                "markdown.code_block": look.code,
                "markdown.block_quote": look.dim,
                "markdown.item.bullet": look.dim,
                "markdown.item.number": look.dim,
                "markdown.hr": look.dim,
                "markdown.table.border": look.dim,
                "markdown.table.header": look.heading,
            }
        )
    return Console(
        file=StringIO(), width=width, color_system="truecolor", force_terminal=True, legacy_windows=False,
        theme=theme, emoji=False, markup=False, highlight=False, _environ={},
    )  # fmt: skip


def _document(text: str, look: Look) -> Markdown:
    from rich.markdown import Markdown

    document = Markdown("", code_theme=look.code_theme, hyperlinks=False)
    document.markup = text
    tokens = _parser().parse(text)
    for token in tokens:
        for child in token.children or ():
            if child.type == "softbreak":
                child.type = "hardbreak"
        if token.tag in ("h1", "h2"):
            token.tag = "h3"
    document.parsed = tokens
    return document


def warm_up() -> None:
    """Import what rendering needs, which takes a tenth of a second: away from the screen's thread."""
    _rendered("```python\nx = 1\n```", 40, Look(Style(), Style(), Style(), Style(), "ansi_dark"))


_made: MarkdownIt | None = None


def _parser() -> MarkdownIt:
    global _made
    if _made is None:
        from markdown_it import MarkdownIt

        _made = MarkdownIt().enable("table").disable(list(_NOT_OURS))
        _made.inline.ruler.at("emphasis", _emphasis)
    return _made


def _emphasis(state: StateInline, silent: bool) -> bool:
    """markdown-it's rule for ``*`` and ``_``, except that neither may stand inside a word or a product."""
    from markdown_it.rules_inline.state_inline import Delimiter

    marker = state.src[state.pos]
    if silent or marker not in "_*":
        return False
    found = state.scanDelims(state.pos, False)
    for _ in range(found.length):
        state.push("text", "", 0).content = marker
        last = len(state.tokens) - 1
        state.delimiters.append(
            Delimiter(ord(marker), found.length, last, -1, found.can_open, found.can_close)
        )
    state.pos += found.length
    return True
