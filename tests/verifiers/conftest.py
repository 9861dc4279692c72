"""Properties here are checked by count, not by clock: a busy machine must not fail them."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("verifiers", deadline=None)
settings.load_profile("verifiers")
