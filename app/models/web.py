"""HTTP as a package installer does it: certificates, proxies, credentials and redirects, by urllib alone.

Credentials go to the origin they were given for and nowhere else: they travel in a header that redirects do
not repeat, never in a URL, and ``shown`` is the only form in which an address may reach a message.
"""

from __future__ import annotations

import base64
import netrc
import os
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from app.models.index_settings import IndexSettings


class UnreachableError(Exception):
    """A page or file could not be had. The message is one line and holds no credentials; ``status`` is the
    server's answer where there was one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def shown(url: str) -> str:
    """``url`` without credentials and without its query, which may hold a signature."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


class Web:
    """Opens http, https and file URLs under one set of settings."""

    def __init__(self, settings: IndexSettings) -> None:
        self._settings = settings
        self._signatures = {
            _origin(url): _basic(url) for url in (*settings.indexes, *settings.links) if _basic(url)
        }

    def open(self, url: str, headers: dict[str, str] | None = None) -> Any:
        """An open response, to be closed by the caller. Raises UnreachableError."""
        scheme = urlsplit(url).scheme.lower()
        if scheme not in ("http", "https", "file"):
            raise UnreachableError(f"{shown(url)} is no address that can be fetched")
        if self._settings.offline and scheme != "file":
            raise UnreachableError("uv's settings say to stay offline")
        request = urllib.request.Request(_bare(url), headers={"User-Agent": "monkeys"} | (headers or {}))  # noqa: S310 (checked above)
        signature = _basic(url) or self._signatures.get(_origin(url)) or _from_netrc(url)
        if signature:
            request.add_unredirected_header("Authorization", signature)
        try:
            return self._opener(url).open(request, timeout=self._settings.seconds)
        except urllib.error.HTTPError as error:
            error.close()
            raise UnreachableError(f"{shown(url)} answered {error.code} {error.reason}", error.code) from None
        except urllib.error.URLError as error:
            raise UnreachableError(f"{shown(url)}: {_reason(error.reason)}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise UnreachableError(f"{shown(url)}: {_reason(error)}") from None

    def text(self, url: str, accept: str, most: int = 20_000_000) -> tuple[str, str, str]:
        """A page: its text, its media type, and the address it came from after redirects."""
        response: HTTPResponse
        with self.open(url, {"Accept": accept}) as response:
            try:
                body = response.read(most)
            except (OSError, HTTPException) as error:
                raise UnreachableError(f"{shown(url)}: {_reason(error)}") from None
            return body.decode("utf-8", "replace"), response.headers.get_content_type(), response.geturl()

    def _opener(self, url: str) -> urllib.request.OpenerDirector:
        handlers: list[urllib.request.BaseHandler] = []
        if self._settings.proxy:
            proxy = self._settings.proxy
            handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
        parts = urlsplit(url)
        if parts.scheme.lower() == "https":
            host = parts.netloc.rpartition("@")[2]
            checked = not {host, parts.hostname or ""} & self._settings.trusted
            handlers.append(urllib.request.HTTPSHandler(context=self._tls(checked)))
        return urllib.request.build_opener(*handlers)

    def _tls(self, checked: bool) -> ssl.SSLContext:
        named = self._settings.certificates
        if named:
            place = Path(named).expanduser()
            if not place.exists():
                raise UnreachableError(f"the certificate file {place} of your settings does not exist")
            try:
                context = ssl.create_default_context(
                    cafile=None if place.is_dir() else str(place),
                    capath=str(place) if place.is_dir() else None,
                )
            except (OSError, ssl.SSLError):
                fault = f"{place}, named by your settings, holds no certificates"
                raise UnreachableError(fault) from None
        else:
            context = ssl.create_default_context()
            _add_bundled_certificates(context)
        if not checked:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _add_bundled_certificates(context: ssl.SSLContext) -> None:
    """A Python that was built elsewhere may find no certificates of the system's."""
    try:
        import certifi
    except ImportError:
        return
    context.load_verify_locations(certifi.where())


def _reason(cause: object) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message})"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(cause).__name__ if isinstance(cause, BaseException) else str(cause)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.hostname, parts.port


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def _basic(url: str) -> str:
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return ""
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _from_netrc(url: str) -> str:
    host = urlsplit(url).hostname
    named = os.environ.get("NETRC")
    files = [Path(named)] if named else [Path.home() / ".netrc", Path.home() / "_netrc"]
    for file in files if host else []:
        try:
            entry = netrc.netrc(str(file)).authenticators(host or "")
        except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
            continue
        if entry is not None:
            login, _, password = entry
            return "Basic " + base64.b64encode(f"{login}:{password or ''}".encode()).decode()
    return ""
