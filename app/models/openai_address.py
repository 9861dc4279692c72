"""Where an OpenAI-compatible server is: people write its address in many ways, and one of them is meant.

``localhost:8000``, ``http://localhost:8000/``, ``http://localhost:8000/v1`` and
``http://localhost:8000/v1/chat/completions`` are the same server. Credentials in an address reach the server
and nothing else: what is shown to people is ``Address.shown``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from app.errors import BadInput

OPENAI = "https://api.openai.com/v1"
_ENDPOINTS = re.compile(r"/(chat/completions|completions|models)$")
_EXAMPLE = "Write it like http://localhost:8000/v1 or https://api.example.com/v1."


PRICED_UNDER = {
    "api.openai.com": "",
    "api.deepseek.com": "deepseek/",
    "api.groq.com": "groq/",
    "api.mistral.ai": "mistral/",
    "api.together.xyz": "together_ai/",
    "api.x.ai": "xai/",
    "api.deepinfra.com": "deepinfra/",
    "openrouter.ai": "openrouter/",
}
"""Hosts whose prices are published, and what a model's name begins with in that table. Any other server may
charge what it likes, whatever its models are called."""


@dataclass(frozen=True, slots=True)
class Address:
    """``url`` is what requests go to, without a slash at its end; ``shown`` is its host, for people."""

    url: str
    shown: str
    loopback: bool
    encrypted: bool

    @property
    def needs_key(self) -> bool:
        """Servers on the open network do; a plain http server on a desk or in a cluster mostly has none."""
        return self.encrypted and not self.loopback


def read_address(text: str | None) -> Address:
    """The address behind what a person wrote, OpenAI's own where nothing is written.

    Raises ``BadInput`` for anything that is no address of a web server.
    """
    written = (text or OPENAI).strip()
    if "://" not in written:
        written = ("http://" if _is_near(written) else "https://") + written
    try:
        parts = urlsplit(written)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadInput("The base URL is not an address of a server.", _EXAMPLE) from None
    if parts.scheme.lower() not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f]", written):
        raise BadInput(f"The base URL {_harmless(parts)!r} is not an address of a server.", _EXAMPLE)
    path = _ENDPOINTS.sub("", parts.path.rstrip("/")).rstrip("/")
    url = urlunsplit((parts.scheme.lower(), parts.netloc, path or "/v1", parts.query, ""))
    return Address(
        url=url,
        shown=f"{host}:{port}" if port else host,
        loopback=_is_loopback(host),
        encrypted=parts.scheme.lower() == "https",
    )


def addresses(given: str | Sequence[str] | None) -> list[str]:
    """The addresses in what a person wrote, one or several, separated by commas or given one by one."""
    texts = [given] if isinstance(given, str) else given or ()
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def with_version(address: Address) -> Address | None:
    """The same server one step down, at ``/v1``, ``None`` if the address is there already."""
    parts = urlsplit(address.url)
    if re.search(r"/v\d[^/]*(/|$)", parts.path):
        return None
    return read_address(urlunsplit(parts._replace(path=parts.path + "/v1")))


def _is_near(written: str) -> bool:
    """Whether an address without a scheme looks like this machine or this desk, where http is spoken."""
    host = re.split(r"[/:]", written.rpartition("@")[2], maxsplit=1)[0]
    if "." not in host or _is_loopback(host):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _harmless(parts: SplitResult) -> str:
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))[:80]
