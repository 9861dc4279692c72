"""One pool of workers for the whole folder, on the session's own event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from verifiers.sandbox import NoSandbox, Sandbox


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(1) as made:
        try:
            await made.probe()
        except NoSandbox as missing:
            pytest.skip(f"NOT CHECKED: {missing.message} {missing.fix}")
        yield made
