"""What re-writing and scoring add to the time of sampling, on scripted models that stream at a steady pace.

    python -m tests.benchmarks.bench_stages

The same samples are drawn alone, and with a translator and a reward model beside them; programs run in the
real sandbox. Both are told as a ratio of wall time, which should stay below 1.10. The translator is another
model here: one that shares its places with sampling takes some of them by design.
"""

from __future__ import annotations

import asyncio
import time

import msgspec

from app.models.script_file import Header
from app.models.scripted import ScriptedBackend
from app.runs.hiring import Hiring
from app.runs.launch import Launcher
from tests.app.runs.helping import LengthReward
from tests.app.runs.rigs import SUM, ListStore, plan
from verifiers.sandbox import Sandbox

SAMPLES = 400
STREAMS = 16
LIMIT = 1.10
_HEADER = Header(concurrency=STREAMS, tokens_per_second=100.0)


def _sampler() -> ScriptedBackend:
    lines = [
        f"First 17 + {n} makes {17 + n}, as one can see at once. Then {17 + n} + 26 makes {43 + n}, and so "
        + "on and on " * 20
        + f"The answer is {43 + n}."
        for n in range(SAMPLES // 4)
    ]
    return ScriptedBackend(lines, _HEADER, name="sampler")


def _coder() -> ScriptedBackend:
    programs = [f"```python\na = 17 + {n}\nprint(a + 26)\n```" for n in range(SAMPLES // 4)]
    return ScriptedBackend(programs, _HEADER, name="coder")


async def _seconds(*, helped: bool) -> tuple[float, int]:
    """Wall time from the first request to the last sample's end, and how many programs were checked by the
    end of the run."""
    backends = {"sampler": _sampler(), "coder": _coder()}
    launcher = Launcher(make=lambda name: backends[name])
    the_plan = plan("sampler", samples=SAMPLES, max_tokens=200)
    async with Sandbox() as sandbox:
        if helped:
            launcher._hiring = Hiring(launcher.connection, lambda name: LengthReward(), lambda: sandbox)
            the_plan = msgspec.structs.replace(the_plan, translator="coder", reward="length")
        engine = launcher.open_run(SUM, the_plan, store=ListStore(), run_id="r1")
        start = time.perf_counter()
        async for _ in engine.run():
            pass
        return time.perf_counter() - start, engine.state.filter.looked_at


def main() -> None:
    alone, _ = asyncio.run(_seconds(helped=False))
    both, programs = asyncio.run(_seconds(helped=True))
    print(
        f"{SAMPLES} samples in {STREAMS} streams: {alone:.2f} s alone, {both:.2f} s with programs and rewards"
    )
    print(f"{programs} samples have their program; ratio {both / alone:.3f} (limit {LIMIT})")


if __name__ == "__main__":
    main()
