"""A small head that turns what a model's middle layer knows of a solution, and a few plain features, into the
chance that the solution is right: an outcome reward model in the sense of arXiv 2410.05318, with the model
itself frozen.

    chance = 1 / (1 + exp(-(bias + w · (mean state - average state) + Σ v_j (x_j - average_j))))

The mean state is over the solution's tokens. Fitting is logistic regression with a quadratic penalty, harder
on the many state weights than on the few feature weights. A feature that is not known counts as average.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from verifiers.candidates import logistic
from verifiers.rewards.features import NAMES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FILE = "embedded_head.json"
_DIGITS = 5  # significant ones, kept in the file


@dataclass(frozen=True, slots=True)
class Head:
    """``weights`` are one a hidden unit, ``level`` their product with the average state. ``features`` has an
    average and a weight for each of ``features.NAMES``. ``card`` is what was measured, for people."""

    layer: int
    bias: float
    weights: tuple[float, ...]
    level: float
    features: tuple[tuple[float, float], ...]
    card: Mapping[str, Any]

    def chance(self, state: Sequence[float] | None, features: Sequence[float | None]) -> float:
        """The chance that a solution is right. ``state`` is the mean over its tokens, ``None`` for none."""
        logit = self.bias
        if state is not None:
            logit += (
                sum(weight * value for weight, value in zip(self.weights, state, strict=True)) - self.level
            )
        for value, (average, weight) in zip(features, self.features, strict=True):
            if value is not None:
                logit += weight * (value - average)
        return logistic(logit)

    def as_json(self) -> str:
        """The file that ``read_head`` reads."""
        told = {
            "card": self.card,
            "layer": self.layer,
            "bias": _rounded(self.bias),
            "level": _rounded(self.level),
            "features": {
                name: [_rounded(average), _rounded(weight)]
                for name, (average, weight) in zip(NAMES, self.features, strict=True)
            },
            "weights": [_rounded(weight) for weight in self.weights],
        }
        return json.dumps(told, indent=1)[:-2].replace(",\n  ", ", ").replace("[\n  ", "[") + "\n}\n"


def read_head(text: str) -> Head:
    """The head in a file's ``text``. Raises ``ValueError`` where its features are not the ones of today."""
    told = json.loads(text)
    if tuple(told["features"]) != NAMES:
        raise ValueError("the head was fitted to other features")
    return Head(
        layer=told["layer"],
        bias=told["bias"],
        weights=tuple(told["weights"]),
        level=told["level"],
        features=tuple((average, weight) for average, weight in told["features"].values()),
        card=told["card"],
    )


@cache
def embedded_head() -> Head:
    """The head that is shipped, for SmolLM2-135M-Instruct cut after ``layer`` layers."""
    return read_head(files("verifiers.rewards").joinpath(_FILE).read_text(encoding="utf-8"))


def fit_head(
    states: NDArray[np.float64],
    features: NDArray[np.float64],
    right: NDArray[np.bool_],
    *,
    layer: int,
    state_penalty: float,
    feature_penalty: float,
    card: Mapping[str, Any] | None = None,
) -> Head:
    """A head for solutions with mean ``states`` (samples × hidden), ``features`` (samples × features, NaN
    where unknown) and labels. The penalties are on standardised weights, for a loss that is a mean."""
    import numpy as np
    from scipy.optimize import minimize
    from scipy.special import expit

    averages, spreads = np.nanmean(features, axis=0), np.nanstd(features, axis=0) + 1e-6
    level, width = states.mean(axis=0), states.std(axis=0) + 1e-6
    known = np.nan_to_num((features - averages) / spreads)
    inputs = np.hstack([(states - level) / width, known, np.ones((len(right), 1))])
    penalty = np.repeat([state_penalty, feature_penalty, 0.0], [states.shape[1], features.shape[1], 1])
    wanted = right.astype(float)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = inputs @ weights
        value = np.mean(np.logaddexp(0, logits) - wanted * logits) + (penalty * weights**2).sum() / 2
        slope = inputs.T @ (expit(logits) - wanted) / len(wanted) + penalty * weights
        return float(value), slope

    start = np.zeros(inputs.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    by_state = found[: states.shape[1]] / width
    by_feature = found[states.shape[1] : -1] / spreads
    return Head(
        layer=layer,
        bias=float(found[-1]),
        weights=tuple(map(float, by_state)),
        level=float(by_state @ level),
        features=tuple(zip(map(float, averages), map(float, by_feature), strict=True)),
        card=card or {},
    )


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")
