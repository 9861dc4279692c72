"""The styles that rows, bars and curves are painted with, taken from the theme once, not once per cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.style import Style
from textual.app import App
from textual.color import Color

from app.tui.text.marks import Standing
from app.tui.theme import meanings


@dataclass(frozen=True, slots=True)
class Palette:
    """Foregrounds, laid over a widget's own style; ``cursor`` and ``cursor_blurred`` are backgrounds."""

    dark: bool
    text: Style
    dim: Style
    faint: Style
    strong: Style
    right: Style
    wrong: Style
    undecided: Style
    live: Style
    pick: Style
    cursor: Style
    cursor_blurred: Style

    def of(self, standing: Standing) -> Style:
        match standing:
            case "right":
                return self.right
            case "wrong" | "failed":
                return self.wrong
            case "undecided":
                return self.undecided
            case "live":
                return self.live
            case _:
                return self.dim


_known: dict[tuple[str, bool], Palette] = {}


def palette(app: App[Any]) -> Palette:
    """The palette of the theme that is on now."""
    key = (app.theme, app.native_ansi_color)
    found = _known.get(key)
    if found is None:
        found = _known[key] = _build(app)
    return found


def _build(app: App[Any]) -> Palette:
    theme = app.current_theme
    colours = {name: Style(color=Color.parse(value).rich_color) for name, value in meanings(theme).items()}
    foreground, background = _ground(app)
    if theme.ansi:
        dim = faint = Style(dim=True)
        cursor = cursor_blurred = Style(reverse=True)
    else:
        accent = Color.parse(theme.primary)
        dim = Style(color=foreground.blend(background, 0.42).rich_color)
        faint = Style(color=foreground.blend(background, 0.74).rich_color)
        cursor = Style(bgcolor=background.blend(accent, 0.28).rich_color)
        cursor_blurred = Style(bgcolor=background.blend(accent, 0.14).rich_color)
    return Palette(
        dark=theme.dark,
        text=Style(),
        dim=dim,
        faint=faint,
        strong=Style(bold=True),
        cursor=cursor,
        cursor_blurred=cursor_blurred,
        **colours,
    )


def _ground(app: App[Any]) -> tuple[Color, Color]:
    variables = app.theme_variables
    return Color.parse(variables["foreground"]), Color.parse(variables["background"])
