"""vLLM's log and figures, as real servers write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.models.base import Progress
from app.models.vllm_log import (
    LogReader,
    cause_in,
    is_about_memory,
    is_about_name,
    plain,
    step_of,
    why_it_ended,
)
from app.models.vllm_metrics import ServerLoad, read_metrics


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("(EngineCore pid=28) INFO 11-21 06:34:12 [core.py:133] Initializing it", "Initializing it"),
        ("(EngineCore_DP0 pid=28) WARNING 11-21 06:34:12 [a/b.py:3] Slow", "Slow"),
        ("INFO:     Started server process [26693]", "Started server process [26693]"),
        ("\x1b[1;36m(APIServer pid=1)\x1b[0;0m INFO 11-21 06:34:12 [x.py:1] colours", "colours"),
        ("  plain words", "plain words"),
        ("", ""),
    ],
)
def test_a_line_is_freed_of_what_only_developers_need(line: str, text: str) -> None:
    assert plain(line) == text


@pytest.mark.parametrize(
    ("line", "step", "fraction"),
    [
        ("Starting to load model owner/model...", "loading weights", None),
        (
            "Loading safetensors checkpoint shards:  25% Completed | 1/4 [00:02<00:07]",
            "loading weights",
            0.25,
        ),
        ("Loading weights took 12.30 seconds", "weights loaded", None),
        ("Time spent downloading weights for owner/model: 41.1 seconds", "downloading", None),
        ("Compiling a graph for compile range (1, 2048) takes 8.61 s", "compiling", None),
        ("Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  40%|####", "capturing graphs", 0.4),
        ("Graph capturing finished in 4 secs, took 0.50 GiB", "capturing graphs", None),
        ("GPU KV cache size: 432,096 tokens", "making room for the cache", None),
        ("Application startup complete.", "almost ready", None),
    ],
)
def test_the_steps_of_a_start_are_known(line: str, step: str, fraction: float | None) -> None:
    assert step_of(line) == Progress(step, fraction)


def test_words_that_only_sound_like_a_step_are_none() -> None:
    assert step_of("Enforce eager set, disabling torch.compile and CUDAGraphs") is None


def test_a_log_is_followed_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log"
    reader = LogReader(path)
    assert reader.read() == Progress("starting vLLM")
    with path.open("wb", buffering=0) as log:
        log.write(b"INFO 11-21 06:34:12 [a.py:1] Something \xff new\nLoading safetensors checkpoint sha")
        assert reader.read() == Progress("starting vLLM · Something \ufffd new")
        log.write(b"rds:  50% Completed | 1/2\rLoading safetensors checkpoint shards: 100% Completed | 2/2\n")
        assert reader.read() == Progress("vLLM: loading weights", 1.0)
        log.write(b"(Worker pid=3) INFO 11-21 06:34:12 [b.py:1] Loading weights took 2 seconds\n")
        assert reader.read() == Progress("vLLM: weights loaded · Loading weights took 2 seconds")


CAUSES = [
    ("main.py: error: unrecognized arguments: --nonsense", "unrecognized arguments: --nonsense"),
    (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n"
        "  Value error, User-specified max_model_len (100000) is too long. [type=value_error, input=..]",
        "User-specified max_model_len (100000) is too long.",
    ),
    (
        "(Worker pid=9) ERROR 11-21 06:00:00 [x.py:1] RuntimeError: CPU Generator does not use offset\n"
        "(EngineCore pid=9) ERROR 11-21 06:00:00 [core.py:1] RuntimeError: Worker failed with error "
        "'CPU Generator does not use offset', please check the stack trace above for the root cause\n"
        "(APIServer pid=1) ERROR 11-21 06:00:00 [x.py:1] engine.exceptions.EngineDeadError: See above.",
        "CPU Generator does not use offset",
    ),
    (
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n"
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
        "CUDA out of memory. Tried to allocate 2.00 GiB.",
    ),
    ("ERROR 11-21 06:00:00 [x.py:1] No such file: tokenizer.json\nbye", "No such file: tokenizer.json"),
    (
        'ERROR 11-21 06:00:00 [x.py:1] It broke\nERROR 11-21 06:00:00 [x.py:1]   File "x.py", line 1, in y\n'
        "ERROR 11-21 06:00:00 [x.py:1]     return func(*args)\nbye",
        "It broke",
    ),
    (
        "ValueError: an echo\n\nmonkeys: its process was killed by SIGKILL\nmore",
        "its process was killed by SIGKILL",
    ),
    ("just\nthe last words\n\n", "the last words"),
    ("", ""),
]


@pytest.mark.parametrize(("log", "cause"), CAUSES)
def test_the_cause_of_a_failure_is_found_among_its_echoes(log: str, cause: str, tmp_path: Path) -> None:
    assert cause_in(log.splitlines()) == cause
    (tmp_path / "log").write_text(log)
    assert why_it_ended(tmp_path / "log") == cause


def test_causes_are_told_apart_by_what_can_be_done() -> None:
    assert is_about_memory(
        "Free memory on device cuda:0 (6.1/80 GiB) on startup is less than desired GPU memory"
    )
    assert is_about_memory("Available memory on node 0 is less than requested memory for kv")
    assert is_about_name("x is not a local folder and is not a valid model identifier")
    assert not is_about_memory("CPU Generator does not use offset")
    assert why_it_ended(Path("/nonexistent/log")) == ""


# -- figures ----------------------------------------------------------------------------------------------

PAGE = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
vllm:num_requests_running{engine="0",model_name="m"} 12.0
vllm:num_requests_running{engine="1",model_name="m"} 4.0
vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.5
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.1
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 800.0
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 600.0
vllm:prefix_cache_hits_created{engine="0",model_name="m"} 1.79e+09
vllm:prompt_tokens_total{engine="0",model_name="m"} 800.0
vllm:generation_tokens_total{engine="0",model_name="m"} 1.5e+06
vllm:estimated_flops_per_gpu_total{engine="0",model_name="m"} 1.8952538112e+10
process_cpu_seconds_total 7.0
"""


def test_figures_of_all_engines_are_put_together() -> None:
    load = read_metrics(PAGE, cards=2)
    assert (load.running, load.waiting, load.generation_tokens) == (16, 2, 1_500_000)
    assert load.cache == pytest.approx(0.3)
    assert load.prefix_share == 0.75
    assert load.flops == 2 * 18952538112
    assert load.words == "16 running, 2 waiting · cache 30% · prefix hits 75% · 37.9 GFLOP by its count"


def test_counters_count_from_the_first_look() -> None:
    start = ServerLoad(1, 0, 0.1, 100, 1000, 100, 50, 10**9)
    now = ServerLoad(5, 1, 0.2, 300, 1500, 300, 240, 3 * 10**9)
    assert now.since(start) == ServerLoad(5, 1, 0.2, 200, 500, 200, 190, 2 * 10**9)


@pytest.mark.parametrize(
    "page", ["", "<html>", "vllm:num_requests_running NaN\n", "vllm:num_requests_running -3\n"]
)
def test_a_page_that_tells_nothing_is_a_load_of_nothing(page: str) -> None:
    assert read_metrics(page) == ServerLoad()


def test_the_names_of_older_versions_are_known_too() -> None:
    load = read_metrics('vllm:gpu_cache_usage_perc{model_name="m"} 0.25\nvllm:num_requests_running 1\n')
    assert (load.cache, load.running, load.flops) == (0.25, 1, None)
