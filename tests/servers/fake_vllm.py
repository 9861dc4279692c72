"""A program that behaves as ``vllm serve`` does, in a tenth of a second: its flags, its log, its endpoints.

``FAKE_VLLM`` says how it behaves, in words separated by blanks:
    dies          ends in its start, with what a missing model leaves in the log
    no-memory     the same with too little memory on the card
    slow          is not ready before a file named by FAKE_VLLM_READY is there
    deaf          ignores every polite signal
    family        has a child of its own that ignores polite signals too
    fragile       ends at once when it has streamed three tokens, the first time (FAKE_VLLM_READY remembers)
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HOW = os.environ.get("FAKE_VLLM", "").split()
MARK = Path(os.environ.get("FAKE_VLLM_READY", "/nonexistent"))
START = "(EngineCore pid=7) INFO 11-21 06:34:25 [model_runner.py:68] Starting to load model m..."
SHARDS = "Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:00<00:00,  2.27it/s]"
MISSING = """Traceback (most recent call last):
  File "vllm/config.py", line 1, in x
OSError: nobody/nothing is not a local folder and is not a valid model identifier listed on the hub
(APIServer pid=1) ERROR 11-21 06:34:25 [core.py:1] EngineCore failed to start.
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"""
NO_MEMORY = """(EngineCore pid=7) ERROR 11-21 06:34:25 [core.py:1] Traceback (most recent call last):
(EngineCore pid=7) ERROR 11-21 06:34:25 [core.py:1] ValueError: No available memory for the cache blocks.
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"""


def install(folder: Path) -> Path:
    """Make ``folder`` an environment in which this is vLLM, as ``vllm_command`` takes it."""
    (folder / "bin").mkdir(parents=True)
    (folder / "lib/python3.11/site-packages/vllm-0.32.0+cpu.dist-info").mkdir(parents=True)
    command = folder / "bin/vllm"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).resolve()} "$@"\n')
    command.chmod(0o755)
    return folder


def value(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


def log(text: str) -> None:
    print(text, flush=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    logprobs = False

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        model = value("--served-model-name")
        if self.path == "/health":
            self.answer(200, b"", "text/plain")
        elif self.path == "/v1/models":
            row = {"id": model, "owned_by": "vllm", "max_model_len": 4096}
            self.answer(200, json.dumps({"data": [row]}).encode(), "application/json")
        elif self.path == "/metrics":
            self.answer(200, b'vllm:num_requests_running{engine="0"} 3.0\n', "text/plain")
        else:
            self.answer(404, b"{}", "application/json")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.logprobs = bool(body.get("logprobs"))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for place in range(4):
            for choice in range(body.get("n", 1)):
                self.event(choice, f"word{place} ", place + 1, "stop" if place == 3 else None)
            if place == 2 and "fragile" in HOW and not MARK.exists():
                MARK.touch()
                log("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.")
                os._exit(1)
            time.sleep(0.01)
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def event(self, choice: int, text: str, count: int, reason: str | None) -> None:
        piece: dict[str, Any] = {"index": choice, "delta": {"content": text}, "finish_reason": reason}
        if self.logprobs:
            piece["logprobs"] = {"content": [{"token": text, "logprob": -0.5}]}
        usage = {"prompt_tokens": 5, "completion_tokens": count}
        self.wfile.write(b"data: " + json.dumps({"choices": [piece], "usage": usage}).encode() + b"\n\n")
        self.wfile.flush()

    def answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    log(f"vLLM fake, arguments {sys.argv[1:]}")
    if "deaf" in HOW:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if "family" in HOW:
        stubborn = "import signal, time\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\ntime.sleep(600)"
        subprocess.Popen([sys.executable, "-c", stubborn])
    log(START)
    log(SHARDS)
    if "dies" in HOW or "no-memory" in HOW:
        log(MISSING if "dies" in HOW else NO_MEMORY)
        raise SystemExit(1)
    while "slow" in HOW and not MARK.exists():
        time.sleep(0.02)
    server = ThreadingHTTPServer(("127.0.0.1", int(value("--port"))), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        while True:
            time.sleep(600)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
