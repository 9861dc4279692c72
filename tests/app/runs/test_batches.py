"""How many samples one request asks for, while others are in flight."""

from __future__ import annotations

import pytest

from app.models.base import ModelInfo, Prompt
from app.models.scripted import ScriptedBackend
from app.runs.costs import Meter
from app.runs.lanes import Lane


class Batching(ScriptedBackend):
    """A model that takes eight samples a request."""

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(
            name="m", kind="scripted", local=True, stops_when_told=True, concurrency=64, choices_per_request=8
        )


@pytest.mark.parametrize(
    ("in_flight", "free", "left", "asked"),
    [
        (0, 64, None, 8),
        (24, 3, None, 3),  # few are in flight: every place is filled at once
        (60, 4, None, 0),  # plenty are: four more places make a whole request
        (56, 8, None, 8),
        (60, 4, 4, 4),  # the last ones do not wait for what never comes
        (60, 4, 0, 0),
        (64, 0, None, 0),
    ],
)
def test_a_request_is_a_whole_batch_where_plenty_is_in_flight(
    in_flight: int, free: int, left: int | None, asked: int
) -> None:
    backend = Batching.__new__(Batching)
    lane = Lane(backend, Meter(backend.info, None), Prompt(), in_flight=in_flight)
    assert lane.batch(free, left) == asked
