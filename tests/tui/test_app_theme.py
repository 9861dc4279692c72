"""Five meanings, told apart in every theme."""

from __future__ import annotations

from itertools import combinations

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from app.tui.theme import DARK, LIGHT, MEANINGS, contrast, meanings

THEMES = [DARK, LIGHT, *BUILTIN_THEMES.values()]


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_theme_has_five_different_colours(theme: Theme) -> None:
    found = meanings(theme)
    assert set(found) == set(MEANINGS)
    assert len(set(found.values())) == len(MEANINGS)
    if theme.ansi:
        return
    colours = [Color.parse(colour) for colour in found.values()]
    background = Color.parse(theme.background or ("#121212" if theme.dark else "#e0e0e0"))
    assert all(contrast(colour, background) >= 3 for colour in colours)
    for one, other in combinations(colours, 2):
        assert sum(abs(a - b) for a, b in zip(one.rgb, other.rgb, strict=True)) > 40


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_our_own_themes_are_taken_at_their_word(theme: Theme) -> None:
    assert meanings(theme) == {name: theme.variables[name] for name in MEANINGS}
    background = Color.parse(theme.background or "")
    assert contrast(Color.parse(theme.foreground or ""), background) >= 10
    for name in MEANINGS:
        assert contrast(Color.parse(theme.variables[name]), background) >= 4.5, name


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(Color.parse("white"), Color.parse("black")) == pytest.approx(21)
    assert contrast(Color.parse("#777"), Color.parse("#fff")) == pytest.approx(4.48, abs=0.01)


def test_a_colour_that_hides_is_replaced() -> None:
    theme = Theme("t", primary="#101010", background="#0f0f0f", success="#101010", dark=True)
    found = meanings(theme)
    assert found["right"] == DARK.variables["right"]
    assert found["live"] == DARK.variables["live"]
