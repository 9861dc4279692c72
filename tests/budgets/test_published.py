"""The counts that ship with the program are those that the papers report on."""

from __future__ import annotations

import pytest

from budgets.counts import parse_counts
from budgets.coverage import mean_pass_at_k
from budgets.published import published


def test_pythia_is_whole() -> None:
    models = parse_counts(published("pythia-math").decode())
    assert len(models) == 4
    for counts in models.values():
        assert len(counts.pairs) == 128
        assert counts.fewest == counts.most == 10_000
    assert mean_pass_at_k(models["Pythia 12B"].pairs, 10_000) == pytest.approx(0.875)


def test_an_unknown_table() -> None:
    with pytest.raises(KeyError):
        published("nobody")
