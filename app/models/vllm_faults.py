"""Why a vLLM server did not come up, and what can be done about it."""

from __future__ import annotations

from pathlib import Path

from app.errors import BadInput, MonkeysError, PartMissing
from app.models.vllm_card import About
from app.models.vllm_log import is_about_memory, is_about_name, is_about_network, why_it_ended


def explained(about: About) -> MonkeysError:
    """What to tell people of a server that ended before it was ready."""
    why = (why_it_ended(Path(about.log)) or "it ended without a word").rstrip(".")
    rest = f"The log has the rest: {about.log}"
    if is_about_memory(why):
        return PartMissing(
            f"vLLM has not enough memory for {about.name}: {why}.", f"{_what_fits(about)} {rest}"
        )
    if is_about_name(why):
        fix = "Give OWNER/MODEL of a model hub, or a folder; a gated model needs HF_TOKEN."
        return BadInput(f"vLLM cannot get {about.name}: {why}.", f"{fix} {rest}")
    if is_about_network(why):
        fix = "Give a folder or a model that is here, or see that the hub can be reached (HF_ENDPOINT)."
        return PartMissing(f"vLLM cannot fetch {about.name}: {why}.", f"{fix} {rest}")
    if "address already in use" in why.lower():
        return port_taken(about.port)
    return PartMissing(f"vLLM could not start {about.name}: {why}.", rest)


def _what_fits(about: About) -> str:
    from app.models.gpus import find_gpus, models_that_fit
    from app.models.machine import memory_available

    memory = memory_available()
    if about.device != "cpu":
        memory = max((gpu.free for gpu in find_gpus()), default=0)
    names = models_that_fit(memory)
    return f"These fit: {', '.join(names)}." if names else "Free some of the memory."


def port_taken(port: int) -> BadInput:
    return BadInput(f"Port {port} is in use.", "Give another --port, or none to have a free one found.")
