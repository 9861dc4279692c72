"""What LiteLLM's exceptions mean, in the kinds that every server's faults are told in.

LiteLLM wraps whatever a provider said in classes of its own, some of which name a status that nobody sent. A
status counts as the provider's answer only where nothing had come yet and no network fault stands behind it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from app.models.litellm_wire import Fault
from app.models.openai_faults import (
    Refusal,
    Told,
    causes_of,
    fault_in_stream,
    fault_of_connection,
    harmless,
    retry_after,
)

_PREFIXES = re.compile(r"^(?:litellm\.|[A-Z]\w*(?:Error|Exception|Fallback):?\s*(?:-\s*)?)+")
_AFTERMATH = re.compile(r"\n\s*Traceback|\. To drop these, set |\s+Original exception: ", re.IGNORECASE)
_SECRET_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)$")
_SHORTEST_SECRET = 8
_NOT_ANSWERS = frozenset({"APIConnectionError", "Timeout", "MidStreamFallbackError", "APITimeoutError"})
_NETWORK = re.compile(
    r"^(Connect|Read|Write|Pool)(Error|Timeout)$|^(ServerDisconnected|ClientConnector|ClientOS|ClientPayload)"
    r"\w*Error$|^RemoteProtocolError$|^ConnectionRe(set|fused)Error$|^ConnectionTimeoutError$"
)


def read_fault(error: Exception, server: str, *, started: bool, key: str) -> Refusal | Fault:
    """What ``error`` says. ``started``: some of the answer had come. ``key`` and the keys of the environment
    are kept out of it."""
    words = plain_words(error, key)
    status = getattr(error, "status_code", None)
    names = {type(link).__name__ for link in causes_of(error)}
    network = any(_NETWORK.match(name) for name in names)
    answered = not network and type(error).__name__ not in _NOT_ANSWERS
    if not started and answered and isinstance(status, int) and status >= 300:
        told = Told(words, str(getattr(error, "code", None) or ""), str(getattr(error, "param", None) or ""))
        return Refusal(status, told, retry_after(_headers(error)))
    if network or "Timeout" in type(error).__name__:
        found = fault_of_connection(error, server, sent=True)
    else:
        found = fault_in_stream({"message": words})
    return Fault(found.kind, found.message, found.retry)


def plain_words(error: BaseException, key: str) -> str:
    """The provider's own words: without the names of LiteLLM's classes, its advice, and any key."""
    said = _AFTERMATH.split(str(getattr(error, "message", "") or error), maxsplit=1)[0]
    said = _PREFIXES.sub("", said).strip()
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST_SECRET and _SECRET_NAME.search(name):
            said = said.replace(value, "***")
    return harmless(said or type(error).__name__, key)


def _headers(error: BaseException) -> Mapping[str, str]:
    """The headers of the answer, which LiteLLM keeps now here, now there."""
    response = getattr(error, "response", None)
    for headers in (getattr(error, "litellm_response_headers", None), getattr(response, "headers", None)):
        if headers:
            return {str(name).lower(): str(value) for name, value in dict(headers).items()}
    return {}
