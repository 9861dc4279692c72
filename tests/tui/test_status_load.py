"""The status line tells what the models' servers say of themselves, while samples come."""

from __future__ import annotations

import pytest

from app.tui.ports import server_load


class _Source:
    def __init__(self, told: object) -> None:
        self.server_load = told


@pytest.mark.parametrize(
    ("told", "words"), [("16 running · cache 12%", "16 running · cache 12%"), ("", ""), (None, "")]
)
def test_the_load_is_words_or_nothing(told: object, words: str) -> None:
    assert server_load(_Source(told)) == words  # type: ignore[arg-type]
    assert server_load(object()) == ""  # type: ignore[arg-type]
