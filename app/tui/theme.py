"""Colour, with a meaning each.

A cell is coloured for one of five reasons and no other: a sample is *right*, *wrong* or *undecided*,
something is *live*, or it is the *pick*. Stylesheets name the reason (``$right``, ``$pick``), never a hue,
so every theme has to say what its five are. Ours say it outright; Textual's own themes are asked for
theirs, and where two of their colours would be mistaken for each other, or for the background, ours take
over. Signs (✓ ✗ ? ●) carry the same meanings without any colour.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual.color import Color, ColorParseError
from textual.theme import Theme

MEANINGS = ("right", "wrong", "pick", "live", "undecided")
"""In the order in which they choose: who comes first keeps the theme's own colour."""

DARK = Theme(
    name="monkeys-dark",
    primary="#7f9fc4",
    secondary="#8a93a5",
    accent="#e9b44c",
    success="#7fb685",
    warning="#cf9a5b",
    error="#dd7878",
    foreground="#d6d9e0",
    background="#13151a",
    surface="#191c23",
    panel="#232833",
    dark=True,
    variables={
        "right": "#7fb685",
        "wrong": "#dd7878",
        "undecided": "#a99bd0",
        "live": "#63b4c6",
        "pick": "#e9b44c",
        "border": "#4a5468",
        "border-blurred": "#2c323f",
        "block-cursor-background": "#2f3a4d",
        "block-cursor-foreground": "#eef0f5",
        "block-cursor-text-style": "none",
        "footer-key-foreground": "#9fb4d1",
        "input-cursor-background": "#d6d9e0",
        "input-cursor-foreground": "#13151a",
        "input-selection-background": "#7f9fc4 35%",
    },
)

LIGHT = Theme(
    name="monkeys-light",
    primary="#3c618f",
    secondary="#656d7b",
    accent="#9a6200",
    success="#2f7a47",
    warning="#8f5a18",
    error="#b23a41",
    foreground="#23272f",
    background="#faf9f6",
    surface="#f3f1ec",
    panel="#e7e4dc",
    dark=False,
    variables={
        "right": "#2f7a47",
        "wrong": "#b23a41",
        "undecided": "#6b57a5",
        "live": "#0d6f84",
        "pick": "#9a6200",
        "border": "#a9a599",
        "border-blurred": "#d3cfc4",
        "block-cursor-background": "#d9e2ee",
        "block-cursor-foreground": "#14171c",
        "block-cursor-text-style": "none",
        "footer-key-foreground": "#3c618f",
        "input-cursor-background": "#23272f",
        "input-cursor-foreground": "#faf9f6",
        "input-selection-background": "#3c618f 25%",
    },
)

_ANSI = {
    "right": "ansi_green",
    "wrong": "ansi_red",
    "undecided": "ansi_yellow",
    "live": "ansi_cyan",
    "pick": "ansi_magenta",
}
_LEAST_APART = 48.0
"""Euclidean distance in RGB under which two colours of text are taken for one."""
_LEAST_CONTRAST = 3.0
"""The contrast WCAG asks of large text and signs."""


def meanings(theme: Theme) -> dict[str, str]:
    """The five colours of ``theme``, by the name of their CSS variable."""
    if theme.ansi:
        return dict(_ANSI)
    own = (DARK if theme.dark else LIGHT).variables
    wishes = {
        "right": (theme.success,),
        "wrong": (theme.error,),
        "pick": (theme.accent, theme.warning),
        "live": (theme.primary, theme.secondary),
        "undecided": (theme.secondary, theme.warning),
    }
    background = Color.parse(theme.background or ("#121212" if theme.dark else "#e0e0e0"))
    chosen: dict[str, str] = {}
    for meaning in MEANINGS:
        candidates = (theme.variables.get(meaning), *wishes[meaning])
        chosen[meaning] = next(
            (
                colour
                for colour in candidates
                if colour is not None and _stands_out(colour, background, chosen.values())
            ),
            own[meaning],
        )
    return chosen


def _stands_out(colour: str, background: Color, others: Iterable[str]) -> bool:
    try:
        candidate = Color.parse(colour)
    except ColorParseError:
        return False
    if contrast(candidate, background) < _LEAST_CONTRAST:
        return False
    return all(_apart(candidate, Color.parse(other)) >= _LEAST_APART for other in others)


def contrast(one: Color, other: Color) -> float:
    """WCAG 2 contrast ratio, 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Color) -> float:
    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.03928 else float(((share + 0.055) / 1.055) ** 2.4)

    red, green, blue = colour.rgb
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)


def _apart(one: Color, other: Color) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(one.rgb, other.rgb, strict=True)) ** 0.5)
