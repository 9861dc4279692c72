"""A thousand samples of a server that fails in every way: none is lost, none is paid twice, the end is told.

Takes some ten seconds of a processor, and nothing but Python.
"""

from __future__ import annotations

from tests.app.runs.test_faults import none_lost_none_paid_twice


async def test_of_a_thousand_samples_none_is_lost_and_none_is_paid_twice() -> None:
    await none_lost_none_paid_twice(1000, share=0.1)
