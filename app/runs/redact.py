"""Secrets out of the texts that other programs wrote.

Nothing of ours puts a key into an event. A server's error message may: some quote the key they refuse, and
most quote the address they were called at, with the user and password in it.
"""

from __future__ import annotations

import os
import re

import msgspec

from app.runs import events as ev

_IN_ADDRESS = re.compile(r"(?<=://)[^/\s@\"']+@")
_KEY_LIKE = re.compile(
    r"\b(?:sk|pk|rk|gsk|hf|xai)[-_][A-Za-z0-9_\-*]{12,}|\b(?:Bearer|Basic)\s+[^\s\"',]{8,}"
)
_SECRET_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)$")
_SHORTEST = 8
"""Shorter values of variables are left alone: blanking every ``1`` out of a text helps nobody."""


def redact(text: str) -> str:
    """``text`` with credentials in addresses, known shapes of keys, and this process's own keys blanked."""
    text = _KEY_LIKE.sub("***", _IN_ADDRESS.sub("***@", text))
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST and _SECRET_NAME.search(name) and value in text:
            text = text.replace(value, "***")
    return text


def redacted(event: ev.Event) -> ev.Event:
    """The event as it may be kept. What a model wrote is left as it is: it never saw a key."""
    match event:
        case ev.SampleFailed():
            return msgspec.structs.replace(event, message=redact(event.message))
        case ev.Notice():
            return msgspec.structs.replace(event, text=redact(event.text))
        case ev.ModelStatus():
            return msgspec.structs.replace(event, detail=redact(event.detail))
        case ev.Rewarded() if event.why:
            return msgspec.structs.replace(event, why=redact(event.why))
        case ev.ProgramChecked():
            return msgspec.structs.replace(event, reason=redact(event.reason))
        case ev.RunEnded():
            return msgspec.structs.replace(event, reason=redact(event.reason))
        case _:
            return event
