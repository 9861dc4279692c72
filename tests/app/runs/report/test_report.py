"""A report in one file: it says what the result says, and nothing in it can act."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from app.errors import PartMissing
from app.models.script_file import Line
from app.runs import events as ev
from app.runs.report.figures import draw, possible
from app.runs.report.report import report, series_of
from app.runs.report.series import Line as Curve
from app.runs.report.series import Series
from tests.app.runs.compare.rigs import Guesser, ended, opened, sums
from tests.app.runs.rigs import HEADER, collect, engine_on, plan, scripted

HOSTILE = (
    "<script>alert(1)</script> \x1b[31m[/red] &amp; \u202e <img src=x onerror=alert(2)> The answer is 43."
)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}


def tags(html: bytes) -> Tags:
    found = Tags()
    found.feed(html.decode())
    return found


async def comparison_events() -> list[ev.Event]:
    models = [Guesser("small", lambda n: 0.2), Guesser("<b>large</b>", lambda n: 0.7, parameters=4_000_000)]
    _, events = await ended(opened(models, sums(6), samples_each=8))
    return events


async def test_a_comparison_says_its_verdict_and_shows_its_figures() -> None:
    html = report(await comparison_events())
    text = html.decode()
    assert "covers more than" in text or "cannot be told apart" in text
    assert text.count("<figure>") == 3  # samples, FLOPs, picks: no model here costs dollars
    assert "&lt;b&gt;large&lt;/b&gt;" in text
    assert "Are the curves alike?" in text
    assert len(re.findall(r"<details>", text)) == 6 * 8 * 2


async def test_a_run_shows_its_samples_whole() -> None:
    events = await collect(engine_on(scripted(), plan(samples=4)))
    text = report(events).decode()
    assert "17 and 26 make 43. The answer is 43." in text
    assert "pass@1" in text


async def test_what_models_write_stays_text() -> None:
    backend = scripted(Line(text=HOSTILE), header=HEADER)
    found = tags(report(await collect(engine_on(backend, plan(samples=2)))))
    assert not found.seen & {"script", "img", "iframe", "a", "link", "object"}
    assert not any(name.startswith("on") or name in ("src", "srcset", "href") for name in found.attributes)
    assert "\x1b" not in report(await collect(engine_on(backend, plan(samples=1)))).decode()


async def test_the_file_needs_nothing_from_elsewhere() -> None:
    text = report(await comparison_events()).decode()
    without_names = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert "url(http" not in without_names
    assert not re.search(r'(src|href)="(?!#)', without_names)
    assert "default-src 'none'" in text


async def test_figures_come_again_to_the_byte() -> None:
    title, series = series_of(await comparison_events())
    assert draw(series, "samples", title) == draw(series, "samples", title)
    assert draw(series, "samples", title, "png").startswith(b"\x89PNG")


def test_only_what_is_known_can_be_drawn() -> None:
    line = Curve(((1.0, 0.1, 0.0, 0.3), (2.0, 0.2, 0.1, 0.4)))
    free = Series("a", line, Curve(()), {}, None, 1e9)
    paid = Series("b", line, Curve(()), {}, 0.01, 1e9)
    assert possible([free, paid]) == ["samples", "flops"]
    assert possible([paid]) == ["samples", "usd", "flops"]
    assert possible([]) == []


def test_model_names_are_no_formulas() -> None:
    line = Curve(((1.0, 0.1, 0.0, 0.3),))
    assert draw([Series("$\\frac{1}{", line, Curve(()))], "samples", "$x_{").startswith(b"<?xml")


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PartMissing, match="not installed"):
        draw([], "samples", "t")
