"""The process that holds a GGUF model: llama.cpp's own server, alone, so that its faults are not ours.

It is a process of its own for three reasons: native code that crashes takes only this process with it, what
native code writes to stderr goes to a log instead of over the screen, and its threads compete with the
interface as the operating system sees fit. It must never outlive the program that started it, however that
ended: it holds the read end of a pipe whose only writer is the parent, and leaves when the pipe ends.

    stdin    one line, a ``ServerPlan`` as JSON; then nothing, until the parent closes it or dies
    stdout   one line, a ``Report`` as JSON
    log      everything that llama.cpp and Python write to stdout and stderr

Started as ``python -m app.models.llama_process LOGFILE``.
"""

from __future__ import annotations

import os
import select
import shutil
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

READ_AT_ONCE = 2048
"""The longest text, in tokens, that a server which only reads takes in: it reads it in one step."""


class ServerPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How the server is to run. ``context`` is the number of cells (tokens) that all slots share."""

    model: str
    slots: int
    threads: int
    context: int
    folder: str
    """A private folder for the socket; removed when the process ends."""
    port: int = 0
    """0 for a Unix socket in ``folder``, else a port on the loopback interface, guarded by ``key``."""
    key: str = ""
    unified: bool = True
    """One pool of cells for all slots instead of an equal part for each."""
    flash_attention: bool | None = None
    """``None`` leaves the choice to llama.cpp."""
    reads_only: bool = False
    """It writes nothing and hands out the last layer's state at each token (``/embeddings``)."""

    @property
    def socket(self) -> str:
        return str(Path(self.folder) / "s.sock")


class Report(msgspec.Struct, frozen=True):
    """``failed`` is empty when the server listens, else one line."""

    failed: str = ""


def start_server(plan: ServerPlan) -> object:
    """Load the model and listen. Returns the server, which works until it is forgotten.

    Raises RuntimeError when llama.cpp refuses; why is in the log.
    """
    import xllamacpp

    params: Any = xllamacpp.CommonParams()
    params.model.path = plan.model
    params.n_parallel = plan.slots
    params.n_ctx = plan.context
    params.kv_unified = plan.unified
    params.cpuparams.n_threads = plan.threads
    params.cpuparams_batch.n_threads = plan.threads
    if plan.flash_attention is not None:
        kinds = xllamacpp.llama_flash_attn_type
        params.flash_attn_type = (
            kinds.LLAMA_FLASH_ATTN_TYPE_ENABLED
            if plan.flash_attention
            else kinds.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
    if plan.reads_only:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_NONE
        params.n_batch = params.n_ubatch = READ_AT_ONCE
    params.cont_batching = True
    params.endpoint_slots = True
    params.endpoint_metrics = False
    params.ui = False
    params.cache_ram_mib = 0  # prompts of finished samples are of no more use
    params.n_threads_http = plan.slots + 4  # each open stream holds one
    params.verbosity = 2  # warnings and errors: a line per token would cost time
    params.warmup = False
    if plan.port:
        params.hostnames = ["127.0.0.1"]
        params.port = plan.port
        params.api_keys = [plan.key]
    else:
        params.hostnames = [plan.socket]
    return xllamacpp.Server(params)


def _parent_is_gone(first_parent: int, seconds: float) -> bool:
    """Wait up to ``seconds`` for the end of stdin; a parent that changed counts as gone too, since another
    child of it may hold the pipe's writing end open."""
    if os.name == "posix":
        ready, _, _ = select.select([0], [], [], seconds)
        if ready and os.read(0, 4096) == b"":
            return True
        return os.getppid() != first_parent
    return os.read(0, 4096) == b""


def _leave_with_parent(folder: str) -> None:
    first_parent = os.getppid()
    while not _parent_is_gone(first_parent, seconds=1.0):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)  # llama.cpp's threads hold nothing that needs an orderly end


def _send_output_to(log: Path) -> BinaryIO:
    """Point stdout and stderr at ``log`` and return the old stdout, for the one report."""
    log.parent.mkdir(parents=True, exist_ok=True)
    report = os.fdopen(os.dup(1), "wb")
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    return report


def main() -> None:
    report_to = _send_output_to(Path(sys.argv[1]))
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=ServerPlan)
    watcher = threading.Thread(target=_leave_with_parent, args=(plan.folder,), daemon=True)
    watcher.start()
    try:
        server = start_server(plan)
    except (RuntimeError, MemoryError, ImportError, OSError) as error:
        server, failed = None, " ".join(str(error).split()) or type(error).__name__
    else:
        failed = ""
    with report_to:
        report_to.write(msgspec.json.encode(Report(failed)) + b"\n")
    if server is None:
        shutil.rmtree(plan.folder, ignore_errors=True)
        os._exit(1)
    watcher.join()


if __name__ == "__main__":
    main()
