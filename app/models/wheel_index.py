"""Finds one file of one package in the places a user's settings name.

Reads the simple repository API in both its forms (HTML, PEP 503, and JSON, PEP 691) and find-links places.
Only the address is looked for: which bytes are right is decided by a checksum that does not come from here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

from app.models.index_settings import IndexSettings
from app.models.web import UnreachableError, Web, shown

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


def find_file(web: Web, settings: IndexSettings, project: str, file: str) -> Iterator[str | UnreachableError]:
    """The addresses of ``file``, nearest place first, with what went wrong at places that had none."""
    for place in settings.links:
        try:
            yield _in_links(web, place, file)
        except UnreachableError as error:
            yield error
    for index in settings.indexes:
        try:
            yield _in_index(web, index, project, file)
        except UnreachableError as error:
            yield error


def _in_index(web: Web, index: str, project: str, file: str) -> str:
    if "://" not in index and not index.startswith("file:"):
        index = Path(index).expanduser().absolute().as_uri()
    page = f"{index.rstrip('/')}/{project}/"
    if (folder := _local(page)) is not None:
        if (folder / file).is_file():
            return (folder / file).as_uri()
        page += "index.html"
    return _on_page(web, page, file)


def _in_links(web: Web, place: str, file: str) -> str:
    path = _local(place) if place.startswith("file:") else Path(place).expanduser()
    if path is None or ("://" in place and not place.startswith("file:")):
        return place if _name(place) == file else _on_page(web, place, file)
    if path.is_dir():
        if (path / file).is_file():
            return (path / file).absolute().as_uri()
        raise UnreachableError(f"{path} has no {file}")
    if path.name == file and path.is_file():
        return path.absolute().as_uri()
    return _on_page(web, path.absolute().as_uri(), file)


def _on_page(web: Web, page: str, file: str) -> str:
    text, kind, came_from = web.text(page, _ACCEPT)
    links = _json_links(text) if kind.endswith("json") else _html_links(text)
    for link in links:
        address = urljoin(came_from, link)
        if _name(address) == file:
            return address
    raise UnreachableError(f"{shown(page)} has no {file}")


def _json_links(text: str) -> list[str]:
    try:
        page = json.loads(text)
        return [str(file["url"]) for file in page["files"]]
    except (ValueError, KeyError, TypeError):
        return []


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = dict(attrs).get("href")
        if target and tag == "a":
            self.links.append(urljoin(self.base, target))
        elif target and tag == "base" and not self.base:
            self.base = target


def _html_links(text: str) -> list[str]:
    anchors = _Anchors()
    anchors.feed(text)
    return anchors.links


def _name(address: str) -> str:
    return unquote(urlsplit(address).path.rpartition("/")[2])


def _local(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(url2pathname(parts.path)) if parts.scheme.lower() == "file" else None
