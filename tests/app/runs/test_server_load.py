"""What a model's server says of itself reaches whoever shows the run, and only while the model is open."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.models.base import Settings
from app.models.vllm_backend import VllmBackend
from app.models.vllm_plan import Wanted
from app.problems.problem import Problem
from app.runs import events as ev
from app.runs.launch import Launcher
from app.runs.plan import Plan
from app.tui.ports import server_load
from budgets.amounts import Budget
from tests.servers.fake_vllm import install


@pytest.mark.skipif(sys.platform == "win32", reason="vLLM does not run on Windows")
async def test_a_run_shows_its_servers_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path / "home"))
    command = str(install(tmp_path / "vllm"))
    launcher = Launcher(lambda name: VllmBackend(Wanted(name.removeprefix("vllm:"), command=command)))
    plan = Plan(models=("vllm:a/b",), settings=Settings(max_tokens=8), budget=Budget(samples=2))
    engine = launcher.open_run(Problem(id="p", kind="open", prompt="hello"), plan, run_id="r")
    assert server_load(engine) == ""
    told = [server_load(engine) async for event in engine.run() if isinstance(event, ev.SampleFinished)]
    assert told == ["3 running", "3 running"]
    await launcher.close()
    assert server_load(engine) == ""
