"""A vLLM of the user's own on this machine, asked as ``openai:NAME``: known for what it is once open."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from app.models.base import ChoiceDone, Message, Prompt, Request, Settings
from app.models.openai_backend import OpenAIBackend

FAKE = Path(__file__).resolve().parents[2] / "servers" / "fake_vllm.py"


@pytest.fixture
def port() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = int(probe.getsockname()[1])
    command = [sys.executable, str(FAKE), "serve", "m", "--served-model-name", "m", "--port", str(free)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", free)) == 0:
                    break
            time.sleep(0.01)
        yield free
        server.terminate()


async def test_it_costs_nothing_hears_when_nobody_listens_and_gives_log_probabilities(port: int) -> None:
    backend = OpenAIBackend("m", f"http://127.0.0.1:{port}/v1")
    assert (backend.info.local, backend.info.stops_when_told) == (False, False)
    await backend.open(lambda _: None)
    assert (backend.info.local, backend.info.stops_when_told) == (True, True)
    request = Request(Prompt((Message("user", "hello"),)), Settings(max_tokens=8), 2, 1)
    async with aclosing(backend.sample(request)) as pieces:
        done = [piece async for piece in pieces if isinstance(piece, ChoiceDone)]
    await backend.close()
    assert [piece.mean_logprob for piece in done] == [-0.5, -0.5]
