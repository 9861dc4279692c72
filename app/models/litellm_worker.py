"""The process that holds LiteLLM, alone, so that its 2.7 seconds of import, 166 MB, threads, global settings
and printing are not ours, and so that what it spends on each chunk is not spent on our event loop.

    stdin    commands (``litellm_wire``), one JSON object a line; at its end the process leaves
    stdout   events, likewise

Started as ``python -m app.models.litellm_worker``. Nothing is sent to anybody but the provider that is asked:
prices are local, callbacks and telemetry are off, ``.env`` files of the current folder are not read.
Retries are off too: they cost money, and the budget belongs to the run.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from typing import Any

import msgspec

from app.models.litellm_faults import plain_words, read_fault
from app.models.litellm_wire import Account, Ask, Command, Event, Fault, Look, Looked, Stop
from app.models.openai_faults import Refusal

SETTINGS = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "CRITICAL",
    "LITELLM_TELEMETRY": "False",
    "REPEATED_STREAMING_CHUNK_LIMIT": "1000000000",
}
"""The last one: a sample may well repeat itself a hundred times, which is no fault of the stream."""
COMPROMISED = frozenset({"1.82.7", "1.82.8", "1.107.0"})
_LONGEST_REQUEST = 3600.0
"""Seconds. The program ends a silence itself, and much sooner."""

Tell = Callable[[Event], None]
_encoder = msgspec.json.Encoder()


def load_litellm() -> Any:
    """Import LiteLLM the quiet way. Raises ``RuntimeError`` for a release that must never be imported."""
    installed = version("litellm")
    if installed in COMPROMISED:
        raise RuntimeError(f"release {installed} is reported as compromised; install another")
    os.environ.update(SETTINGS)
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.drop_params = False
    litellm.num_retries = 0
    litellm.callbacks = litellm.success_callback = litellm.failure_callback = []
    return litellm


class Worker:
    """Does what commands say, all requests at once, and tells what comes of it."""

    def __init__(self, litellm: Any, tell: Tell) -> None:
        self._litellm = litellm
        self._tell = tell
        self._asked: dict[int, asyncio.Task[None]] = {}

    def do(self, command: Command) -> None:
        match command:
            case Look(id=number, account=account):
                self._tell(Event(number, looked=self._look(account)))
            case Stop(id=number):
                if task := self._asked.get(number):
                    task.cancel()
            case Ask(id=number):
                task = asyncio.create_task(self._answer(command))
                self._asked[number] = task
                task.add_done_callback(lambda _: self._asked.pop(number, None))

    def _look(self, account: Account) -> Looked:
        litellm = self._litellm
        try:
            model, provider, _, _ = litellm.get_llm_provider(account.model, api_base=account.url or None)
            taken = litellm.get_supported_openai_params(model=model, custom_llm_provider=provider)
            found = litellm.validate_environment(model=account.model, api_key=account.key or None)
        except Exception as error:  # noqa: BLE001 - whatever it is, the model cannot be asked
            return Looked(unknown=plain_words(error, account.key) or "unknown")
        return Looked(provider, frozenset(taken or ()), tuple(found.get("missing_keys") or ()))

    async def _answer(self, ask: Ask) -> None:
        started = False
        try:
            stream = await self._send(ask)
            try:
                async for chunk in stream:
                    started = True
                    if fields := _fields_of(chunk, stream):
                        self._tell(Event(ask.id, chunk=msgspec.Raw(_encoder.encode(fields))))
            finally:
                with suppress(Exception):
                    await stream.aclose()
            self._tell(Event(ask.id, end=True, whole=_ended_itself(stream)))
        except asyncio.CancelledError:
            return  # whoever gave the request up expects no answer
        except Exception as error:  # noqa: BLE001 - told, not raised: one request must not end the others
            found = read_fault(error, ask.account.server, started=started, key=ask.account.key)
            if isinstance(found, Refusal):
                self._tell(Event(ask.id, refusal=found))
            else:
                self._tell(Event(ask.id, fault=found))

    async def _send(self, ask: Ask) -> Any:
        fields: dict[str, Any] = {
            **ask.fields,
            "model": ask.account.model,
            "stream": True,
            "timeout": _LONGEST_REQUEST,
            "num_retries": 0,
            "max_retries": 0,
        }
        if ask.account.url:
            fields["api_base"] = ask.account.url
        if ask.account.key:
            fields["api_key"] = ask.account.key
        if ask.text is not None:
            return await self._litellm.atext_completion(prompt=ask.text, **fields)
        return await self._litellm.acompletion(messages=ask.messages, **fields)


def _fields_of(chunk: Any, stream: Any) -> dict[str, Any]:
    """A chunk as OpenAI would have sent it, without what LiteLLM made up: the end of a stream that broke, and
    counts of its own where the provider gave none. Empty where nothing is left."""
    choices = []
    for choice in getattr(chunk, "choices", None) or ():
        found: dict[str, Any] = {"index": getattr(choice, "index", 0) or 0}
        reason = getattr(choice, "finish_reason", None)
        if reason is not None and _ended_itself(stream):
            found["finish_reason"] = str(reason)
        delta = getattr(choice, "delta", None)
        text = getattr(choice if delta is None else delta, "text" if delta is None else "content", None)
        thought = getattr(delta, "reasoning_content", None)
        if text:
            found["delta"] = {"content": str(text)}
        elif thought:
            found["delta"] = {"reasoning_content": str(thought)}
        if len(found) > 1:
            choices.append(found)
    fields: dict[str, Any] = {"choices": choices} if choices else {}
    usage = getattr(chunk, "usage", None)
    if usage is not None and _was_counted(stream):
        fields["usage"] = usage.model_dump(exclude_none=True)
    return fields


def _ended_itself(stream: Any) -> bool:
    """Whether the provider has said why it stopped. LiteLLM says "stop" of a stream that broke."""
    return getattr(_wrapper(stream), "received_finish_reason", "unknown") is not None


def _was_counted(stream: Any) -> bool:
    """Whether the provider has counted the tokens. LiteLLM counts itself where it has not."""
    chunks = getattr(_wrapper(stream), "chunks", None)
    return chunks is None or any(getattr(chunk, "usage", None) for chunk in chunks)


def _wrapper(stream: Any) -> Any:
    """What keeps LiteLLM's own record of a stream; plain completions have another layer around it."""
    if hasattr(stream, "received_finish_reason"):
        return stream
    return getattr(stream, "completion_stream", stream)


async def _serve(litellm: Any, commands: Any, events: Any) -> None:
    """Read commands until there are no more, in a thread, because not every system can wait for a pipe."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    decoder = msgspec.json.Decoder(Command)

    def tell(event: Event) -> None:
        try:
            events.write(_encoder.encode(event) + b"\n")
            events.flush()
        except OSError:
            ended.set()  # nobody listens any more

    worker = Worker(litellm, tell)

    def read() -> None:
        for line in commands:
            loop.call_soon_threadsafe(worker.do, decoder.decode(line))
        loop.call_soon_threadsafe(ended.set)

    tell(Event(0))
    threading.Thread(target=read, name="commands", daemon=True).start()
    await ended.wait()
    os._exit(0)  # LiteLLM's threads hold nothing that needs an orderly end


def main() -> None:
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what LiteLLM prints must not be taken for an event
    try:
        litellm = load_litellm()
    except Exception as error:  # noqa: BLE001 - told to the one who waits
        said = f"LiteLLM cannot be loaded: {error or type(error).__name__}."
        events.write(_encoder.encode(Event(0, fault=Fault("crashed", said[:300], retry=False))) + b"\n")
        events.flush()
        return
    asyncio.run(_serve(litellm, sys.stdin.buffer, events))


if __name__ == "__main__":
    main()
