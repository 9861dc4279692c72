"""Counts that others published, shipped to repeat their figures.

``pythia-math``: right samples of four Pythia models on 128 problems of MATH, 10,000 samples each, drawn for
Brown et al. 2024 (arXiv 2407.21787); the counts are derived from the data of Schaeffer et al. 2025 (arXiv
2502.17578).
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

PUBLISHED: Final[dict[str, str]] = {"pythia-math": "pythia_math.csv"}


def published(name: str) -> bytes:
    """The table of that name, as CSV. Raises ``KeyError``."""
    return files("budgets").joinpath(PUBLISHED[name]).read_bytes()
