"""Figures for talks and reports: coverage against samples, dollars or FLOPs, and the picks beside it.

Drawn by matplotlib (extra ``report``) without a display, as SVG with its letters as outlines, or PNG, so that
a figure looks the same wherever it is opened.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from app.errors import PartMissing
from app.models.names import short_name
from app.runs.report.series import Line, Series
from budgets.amounts import show_flops
from verifiers.safe_text import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FigureName = Literal["samples", "usd", "flops", "picks"]
FIGURES: Final[tuple[FigureName, ...]] = get_args(FigureName)
Form = Literal["svg", "png"]

_COLOURS: Final = ("#2f6db3", "#c2571a", "#2c8a57", "#8a4fb0", "#a8891c", "#b23a41", "#4a5468")
_DASHES: Final = ("-", (0, (6, 2)), (0, (2, 2)), (0, (8, 2, 2, 2)))
_RULES: Final = {
    "majority": "majority vote",
    "reward": "best reward",
    "reward_weighted": "reward-weighted vote",
    "cotnpot": "CoTnPoT, best reward",
    "cotnpot_vote": "CoTnPoT, vote",
    "cotnpot_weighted": "CoTnPoT, weighted vote",
}
_AXES: Final = {
    "samples": "samples of each problem (k)",
    "usd": "dollars a problem",
    "flops": "FLOPs a problem",
    "picks": "samples of each problem (k)",
}


def possible(series: Sequence[Series]) -> list[FigureName]:
    """The figures that there is something to draw of."""
    found: list[FigureName] = ["samples"] if any(each.coverage.points for each in series) else []
    if found and all(each.usd for each in series):
        found.append("usd")
    if found and all(each.flops for each in series):
        found.append("flops")
    if any(each.picks for each in series):
        found.append("picks")
    return found


def draw(series: Sequence[Series], name: FigureName, title: str, form: Form = "svg") -> bytes:
    """One figure. Raises ``PartMissing`` without matplotlib."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise PartMissing(
            "Figures are drawn by matplotlib, which is not installed.",
            "Install it with: pip install 'manymonkeys[report]'",
        ) from None
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.subplots()
        if name == "picks":
            _picks(axes, series)
        else:
            _coverage(axes, series, _scale(name))
        axes.set_title(_plain(title, 90), loc="left")
        axes.set_xlabel(_AXES[name])
        axes.set_ylabel("problems solved" if name == "picks" else "coverage")
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        _ticks(axes, name)
        axes.legend(frameon=False, loc="best")
        return _written(figure, form)


_STYLE: Final[Any] = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "axes.titlesize": 12,
    "svg.hashsalt": "monkeys",
    "text.usetex": False,
    "text.parse_math": False,
}


def _coverage(axes: Axes, series: Sequence[Series], scale: Callable[[Series], float]) -> None:
    for place, each in enumerate(series):
        colour, dash = _COLOURS[place % len(_COLOURS)], _DASHES[place % len(_DASHES)]
        unit = scale(each)
        _line(axes, each.coverage, unit, colour, dash, label=_plain(short_name(each.model), 40), mark="o")
        _line(axes, each.forecast, unit, colour, (0, (1, 1.5)), label=None, mark="", faint=True)


def _picks(axes: Axes, series: Sequence[Series]) -> None:
    """Coverage is the roof; the room between it and a pick is what no rule of choosing finds."""
    several = sum(bool(each.picks) for each in series) > 1
    for place, each in enumerate(series):
        if not each.picks:
            continue
        name = f"{_plain(short_name(each.model, 24), 24)}: " if several else ""
        dash = _DASHES[place % len(_DASHES)]
        _line(axes, each.coverage, 1, "#30343c", dash, label=f"{name}coverage", mark="")
        for rule, (key, line) in enumerate(each.picks.items()):
            label = f"{name}{_RULES.get(key, key)}"
            _line(axes, line, 1, _COLOURS[rule % len(_COLOURS)], dash, label=label, mark=".")


def _line(
    axes: Axes,
    line: Line,
    unit: float,
    colour: str,
    dash: Any,
    *,
    label: str | None,
    mark: str,
    faint: bool = False,
) -> None:
    if not line.points:
        return
    x = [point[0] * unit for point in line.points]
    axes.fill_between(
        x,
        [max(0.0, point[2]) for point in line.points],
        [min(1.0, point[3]) for point in line.points],
        color=colour,
        alpha=0.07 if faint else 0.14,
        linewidth=0,
    )
    axes.plot(
        x,
        [point[1] for point in line.points],
        color=colour,
        linestyle=dash,
        marker=mark,
        markersize=4,
        linewidth=1.4 if faint else 1.8,
        label=label,
    )


def _scale(name: FigureName) -> Callable[[Series], float]:
    if name == "usd":
        return lambda each: each.usd or 1.0
    if name == "flops":
        return lambda each: each.flops or 1.0
    return lambda each: 1.0


def _ticks(axes: Axes, name: FigureName) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    if name in ("samples", "picks"):
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
    else:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5), numticks=8))
        if name == "usd":
            axes.xaxis.set_major_formatter(lambda value, _: f"${value:g}")
        else:
            axes.xaxis.set_major_formatter(lambda value, _: show_flops(round(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _plain(text: str, width: int) -> str:
    """Model names and titles are others' words: one line, and no formula markup."""
    return one_line(text, width)


def _written(figure: Figure, form: Form) -> bytes:
    out = io.BytesIO()
    metadata: dict[str, Any] = {"Date": None} if form == "svg" else {"Software": None}
    figure.savefig(out, format=form, dpi=160, metadata=metadata)
    return out.getvalue()
