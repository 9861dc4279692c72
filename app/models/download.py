"""Brings one large file here, whole or not at all: resumed after a break, checked, renamed into place."""

from __future__ import annotations

import os
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from app.models.checksum import Content, sha256_of
from app.models.web import UnreachableError, Web, shown

_PIECE = 1 << 18  # bytes
_TRIES = 4
RANGE_REFUSED = 416  # the status of a server that has no such bytes


def download(web: Web, url: str, target: Path, content: Content, report: Callable[[float], None]) -> None:
    """Fetch ``url`` into ``target``. What an earlier attempt left in ``target.part`` is continued. ``report``
    is told the fraction that is here; an exception of its own ends the download.

    Raises UnreachableError when it cannot be had from there, OSError when it cannot be written here.
    """
    part = target.with_name(target.name + ".part")
    fault = ""
    for _ in range(_TRIES):
        resumed = part.stat().st_size if part.exists() else 0
        if resumed < content.size:
            fault = _continue(web, url, part, content.size, report)
        if part.exists() and part.stat().st_size >= content.size:
            if part.stat().st_size == content.size and sha256_of(part) == content.sha256:
                os.replace(part, target)
                return
            part.unlink()
            fault = f"{shown(url)} is not the expected file (its SHA-256 differs)"
            if not resumed:
                break
    raise UnreachableError(fault)


def _continue(web: Web, url: str, part: Path, size: int, report: Callable[[float], None]) -> str:
    """Add to ``part`` what ``url`` gives. Returns why it ended early, or an empty string."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        response = web.open(url, headers)
    except UnreachableError as error:
        if not have or error.status != RANGE_REFUSED:
            raise
        part.unlink()
        return f"{shown(url)} cannot be continued"
    with response:
        place = response.headers.get("Content-Range") or ""
        continued = getattr(response, "status", 200) == 206 and place.startswith(f"bytes {have}-")
        have = have if continued else 0
        with part.open("ab" if continued else "wb") as file:
            while have <= size:
                try:
                    piece = response.read(_PIECE)
                except (OSError, HTTPException):
                    break
                if not piece:
                    break
                file.write(piece)
                have += len(piece)
                report(min(1.0, have / size))
    return "" if have >= size else f"{shown(url)} broke off after {have:,} of {size:,} bytes"
