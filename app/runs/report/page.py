"""A report as one HTML file that needs nothing else: figures inside, no script, no address.

Whatever a model, a server or a problem file wrote is cleaned and escaped on its way in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

from verifiers.safe_text import clean, one_line

MOST_TEXTS: Final = 300
"""Samples shown whole; a report is for reading, the export has them all."""
_MOST_CHARACTERS: Final = 6000


def page(title: str, parts: Iterable[str]) -> bytes:
    """A whole document of HTML ``parts``."""
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">"
        f"<title>{words(title, 120)}</title><style>{_STYLE}</style></head><body><main>"
    )
    return f"{head}{''.join(parts)}</main></body></html>\n".encode()


def words(text: str, width: int = 400) -> str:
    """One line of somebody's text."""
    return escape(one_line(text, width))


def heading(text: str, level: int = 2) -> str:
    return f"<h{level}>{words(text, 200)}</h{level}>"


def paragraph(text: str, kind: str = "") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f"<p{mark}>{words(text, 1000)}</p>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 1) -> str:
    """``numbers`` is the first column whose cells are figures, set to the right."""
    top = "".join(f"<th>{words(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=n' if place >= numbers else ''}>{words(cell)}</td>"
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def picture(svg: bytes, caption: str) -> str:
    """A figure that we drew ourselves, without the header that only a file of its own needs."""
    text = svg.decode()
    return f"<figure>{text[text.index('<svg') :]}<figcaption>{words(caption)}</figcaption></figure>"


def matrix(models: Sequence[str], rows: Iterable[tuple[str, Sequence[tuple[int, int]]]]) -> str:
    """Problems down, models across; a cell is shaded by the share of its samples that were right."""
    top = "".join(f"<th>{words(model, 40)}</th>" for model in ("problem", *models))
    body = []
    for problem, cells in rows:
        shown = "".join(_cell(decided, right) for decided, right in cells)
        body.append(f"<tr><td>{words(problem, 60)}</td>{shown}</tr>")
    return (
        f'<div class="wide"><table class="matrix"><thead><tr>{top}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def samples(rows: Iterable[dict[str, Any]]) -> str:
    """Samples that open at a click."""
    found = []
    for row in rows:
        mark = {"right": "✓", "wrong": "✗", "undecided": "?"}.get(row.get("verdict") or "", "·")
        answer = words(row.get("answer") or "—", 80)
        text = escape(clean(row.get("text") or "")[:_MOST_CHARACTERS])
        where = f"{words(str(row['problem_id']), 40)} · #{row['index']} · {words(row['model'] or '', 40)}"
        found.append(
            f"<details><summary>{mark} {where} · <b>{answer}</b></summary><pre>{text}</pre></details>"
        )
    return "".join(found)


def _plain_cell(text: str, *, figure: bool) -> str:
    return f"<td{' class=n' if figure else ''}>{words(text)}</td>"


def _cell(decided: int, right: int) -> str:
    if not decided:
        return '<td class="n">—</td>'
    share = right / decided
    return (
        f'<td class="n" style="background:rgba(44,138,87,{0.75 * share:.2f})" '
        f'title="{right} of {decided}">{right}/{decided}</td>'
    )


_STYLE: Final = """
:root{color-scheme:light dark}
body{margin:0;font:16px/1.55 system-ui,sans-serif;color:#1f242d;background:#fbfaf7}
main{max-width:1000px;margin:0 auto;padding:2rem 1.2rem 4rem}
h1{font-size:1.5rem;line-height:1.3}h2{font-size:1.15rem;margin-top:2.2rem}
.lead{font-size:1.15rem}.quiet{color:#5d6675}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.93rem}
th,td{padding:.3rem .7rem;text-align:left;border-bottom:1px solid #d9d5ca}
td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.matrix td,.matrix th{padding:.15rem .5rem}
figure{margin:1.2rem 0}figure svg{max-width:100%;height:auto;background:#fff;border-radius:6px}
figcaption{color:#5d6675;font-size:.9rem}
details{border-bottom:1px solid #d9d5ca;padding:.2rem 0}summary{cursor:pointer}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f1eee6;padding:.8rem}
pre{border-radius:6px;font-size:.85rem}
@media(prefers-color-scheme:dark){body{background:#15171c;color:#d8dbe2}
th,td,details{border-color:#333945}pre{background:#1d2129}.quiet,figcaption{color:#98a1b0}}
@media print{details[open] pre{break-inside:avoid}}
"""
