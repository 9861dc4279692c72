"""The openai client as we use it: for keys, connections and addresses, and for nothing else.

Its retries are off (ours are budgeted), its time-outs too (ours end a silence wherever it falls), and its
stream objects are never made. Importing it takes most of a second, which is why all of it happens in a thread
and only when a model is opened.
"""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from app.errors import BadInput, PartMissing
from app.models.openai_address import Address, read_address, with_version
from app.models.openai_faults import fault_of, fault_of_connection, harmless, read_refusal

if TYPE_CHECKING:
    from openai import AsyncOpenAI

SECONDS_TO_CONNECT = 10.0
_SECONDS_TO_LIST = 15.0
_SECONDS_TO_SHAKE_HANDS = 3.0
_MOST_NAMED = 12
_NO_KEY = "none"


class Listed(msgspec.Struct):
    """A model as ``/models`` lists it. ``max_model_len`` and ``owned_by`` tell vLLM from others."""

    id: str
    owned_by: str | None = None
    max_model_len: int | None = None


class _Listing(msgspec.Struct):
    data: list[Listed]


class _NoListError(Exception):
    """The server does not say which models it has."""


async def make_client(address: Address, key: str | None) -> AsyncOpenAI:
    """A client without retries and time-outs of its own. Raises ``PartMissing`` or ``BadInput`` for keys."""
    if not key and address.needs_key:
        raise PartMissing(f"{address.shown} needs a key.", "Set it: export OPENAI_API_KEY=…")
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise BadInput("The key holds characters that no key has.", "Set it anew: export OPENAI_API_KEY=…")

    def make() -> AsyncOpenAI:
        import httpx
        import openai

        ours = urlsplit(address.url).hostname == "api.openai.com"
        client = openai.AsyncOpenAI(
            api_key=key or _NO_KEY,
            base_url=address.url,
            organization=None if ours else "",
            project=None if ours else "",
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(
                timeout=httpx.Timeout(None, connect=SECONDS_TO_CONNECT),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
                follow_redirects=False,
                trust_env=not address.loopback,  # no proxy knows the way to this machine itself
            ),
        )
        # Each of these imports its part of the client when it is first named, for a third of a second.
        _ = client.models.with_raw_response, client.completions.with_streaming_response
        _ = client.chat.completions.with_streaming_response
        return client

    return await asyncio.to_thread(make)


async def find_model(
    client: AsyncOpenAI, address: Address, name: str, key: str
) -> tuple[Address, list[Listed], Listed | None]:
    """Where the server really is, the models it lists, and the one that is meant, if it is among them.

    Costs no tokens. Raises ``PartMissing`` for a server that is not there or a key that it refuses, and
    ``BadInput`` for a model that it does not have, with those it has.
    """
    models: list[Listed] = []
    try:
        async with asyncio.timeout(_SECONDS_TO_LIST):
            address, models = await _list_models(client, address, key)
            found = next((model for model in models if model.id == name), None)
            if found is None and models and not _takes_any_name(models):
                await _ask_for(client, name, models, address)
            return address, models, found
    except (_NoListError, TimeoutError):
        return address, models, None


def _takes_any_name(models: Sequence[Listed]) -> bool:
    """Proxies list patterns; llama.cpp has one model and answers to every name."""
    return any("*" in model.id or model.owned_by == "llamacpp" for model in models)


async def _list_models(client: AsyncOpenAI, address: Address, key: str) -> tuple[Address, list[Listed]]:
    import openai

    for _ in range(3):  # as given; then moved to https, or one step down at /v1
        try:
            raw = await client.models.with_raw_response.list()
            return address, _read_listing(raw.content)
        except openai.APIStatusError as error:
            better = _better_address(address, error)
            if better is None:
                _raise_final(error, address, key)
                raise _NoListError from None
            address = better
            client.base_url = address.url
        except openai.APIConnectionError as error:
            fault = fault_of_connection(error, address.shown, sent=False)
            if fault.kind == "refused":
                raise PartMissing(fault.message, "Start the server, or check --base-url.") from None
            if not address.encrypted and await _speaks_tls(address):
                raise _speaks_https(address) from None
            raise _NoListError from None
    raise _NoListError


def _better_address(address: Address, error: Any) -> Address | None:
    if error.status_code in (301, 302, 307, 308):
        target = urlsplit(error.response.headers.get("location", ""))
        here = urlsplit(address.url)
        if target.scheme == "https" and here.scheme == "http" and target.hostname == here.hostname:
            return read_address(target._replace(query="").geturl())
    if error.status_code in (404, 405):
        return with_version(address)
    return None


def _raise_final(error: Any, address: Address, key: str) -> None:
    """Refuse early what no later request would mend."""
    refusal = read_refusal(error, key)
    lists_only_for_others = re.search(r"scope|permission", refusal.told.words, re.IGNORECASE)
    if refusal.status in (401, 403) and not lists_only_for_others:
        message = fault_of(refusal, address.shown).message
        raise PartMissing(message, "Set the right one: export OPENAI_API_KEY=…") from None
    if refusal.status == 400 and "https" in refusal.told.message.lower():
        raise _speaks_https(address) from None


async def _speaks_tls(address: Address) -> bool:
    """Whether a server that hangs up on plain words listens to encrypted ones. Its certificate is not looked
    at, and nothing is said to it."""
    import ssl

    parts = urlsplit(address.url)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(_SECONDS_TO_SHAKE_HANDS):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, ssl=context)
    except (OSError, TimeoutError):  # a refused handshake is an OSError too
        return False
    writer.close()
    return True


def _speaks_https(address: Address) -> BadInput:
    return BadInput(f"{address.shown} speaks https.", "Write https:// in the base URL.")


def _read_listing(content: bytes) -> list[Listed]:
    try:
        return msgspec.json.decode(content, type=_Listing).data
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _NoListError from None


async def _ask_for(client: AsyncOpenAI, name: str, models: Sequence[Listed], address: Address) -> None:
    """A name that the list lacks may still be an alias: the server is asked for it alone, and refused names
    are only final where the refusal is about the model, or where the list is known to be whole (vLLM)."""
    import openai

    try:
        await client.models.with_raw_response.retrieve(name)
    except openai.NotFoundError as error:
        whole = any(model.owned_by == "vllm" for model in models)
        if whole or "model" in error.response.text.lower():
            raise BadInput(*missing_model(name, models, address.shown)) from None
    except openai.OpenAIError:
        return


def missing_model(name: str, models: Sequence[Listed], server: str) -> tuple[str, str]:
    """What to say of a model that a server lacks, and the names it has, likeliest first."""
    names = [harmless(model.id) for model in models]
    likely = difflib.get_close_matches(name, names, n=_MOST_NAMED, cutoff=0.4)
    shown = list(dict.fromkeys([*likely, *sorted(names)]))[:_MOST_NAMED]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"{server} has no model {harmless(name)!r}.", f"It has: {', '.join(shown)}{more}."
