"""Where this user gets Python packages from: the settings of pip and of uv, read without either.

A tool environment often has no pip, and uv does not read pip's settings, so both kinds are read here, in
their own order of precedence (command line excepted): later files over earlier ones, variables over files.
If neither names an index, the default of both is used. Names of settings: pip's "Configuration" page and
uv's "Settings" and "Environment variables" pages.
"""

from __future__ import annotations

import configparser
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_INDEX = "https://pypi.org/simple"


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """``indexes`` are simple-repository URLs, ``links`` are find-links places (folders, files or pages), both
    in the order to try; they may hold credentials. ``certificates`` is a file or folder of certificate
    authorities, ``trusted`` hosts (or host:port) whose certificate the user chose not to check."""

    indexes: tuple[str, ...] = (DEFAULT_INDEX,)
    links: tuple[str, ...] = ()
    certificates: str | None = None
    trusted: frozenset[str] = frozenset()
    proxy: str | None = None
    offline: bool = False
    seconds: float = 30.0
    """How long to wait for a silent server."""


def read_index_settings(
    environment: Mapping[str, str] | None = None, home: Path | None = None, system: Path = Path("/etc")
) -> IndexSettings:
    """The settings in force. A settings file that is broken or unreadable is passed over, as it names no
    index; ``home`` and ``system`` are the folders to look for files in."""
    env = os.environ if environment is None else environment
    home = home or Path.home()
    pip, uv = _pip(env, home, system), _uv(env, home, system)
    indexes = [*(uv.indexes + pip.indexes or [DEFAULT_INDEX]), *uv.more, *pip.more]
    if pip.alone or uv.alone:
        indexes = []
    certificates = pip.certificates or next(
        (
            env[name]
            for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
            if env.get(name)
        ),
        None,
    )
    return IndexSettings(
        indexes=tuple(dict.fromkeys(indexes)),
        links=tuple(dict.fromkeys(uv.links + pip.links)),
        certificates=certificates,
        trusted=frozenset(pip.trusted + uv.trusted),
        proxy=pip.proxy,
        offline=uv.offline,
        seconds=max(pip.seconds, 5.0),
    )


@dataclass(slots=True)
class _Found:
    indexes: list[str]
    more: list[str]
    links: list[str]
    trusted: list[str]
    alone: bool = False
    """Only find-links may be used (``no-index``)."""
    offline: bool = False
    certificates: str | None = None
    proxy: str | None = None
    seconds: float = 30.0


def _pip(env: Mapping[str, str], home: Path, system: Path) -> _Found:
    values: dict[str, str] = {}
    for file in _pip_files(env, home, system):
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, configparser.Error):
            continue
        for section in ("global", "install", "download"):
            if parser.has_section(section):
                values.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    for name, value in env.items():
        if name.startswith("PIP_") and value:
            values[name[4:].lower().replace("_", "-")] = value
    try:
        seconds = float(values.get("timeout") or values.get("default-timeout") or 30)
    except ValueError:
        seconds = 30.0
    return _Found(
        indexes=values.get("index-url", "").split()[:1],
        more=values.get("extra-index-url", "").split(),
        links=values.get("find-links", "").split(),
        trusted=values.get("trusted-host", "").split(),
        alone=_is_yes(values.get("no-index", "")),
        certificates=values.get("cert") or None,
        proxy=values.get("proxy") or None,
        seconds=seconds,
    )


def _pip_files(env: Mapping[str, str], home: Path, system: Path) -> list[Path]:
    chosen = env.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return []
    name = "pip.ini" if os.name == "nt" else "pip.conf"
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    files = [system / "xdg" / "pip" / name, system / name, home / ".pip" / name]
    if sys.platform == "darwin":
        files.append(home / "Library" / "Application Support" / "pip" / name)
    if os.name == "nt" and env.get("APPDATA"):
        files.append(Path(env["APPDATA"]) / "pip" / name)
    files += [config / "pip" / name, Path(env.get("VIRTUAL_ENV") or sys.prefix) / name]
    return [*files, Path(chosen)] if chosen else files


def _uv(env: Mapping[str, str], home: Path, system: Path) -> _Found:
    chosen = env.get("UV_CONFIG_FILE")
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    files = [Path(chosen)] if chosen else [system / "uv" / "uv.toml", config / "uv" / "uv.toml"]
    table: dict[str, Any] = {}
    for file in files if not _is_yes(env.get("UV_NO_CONFIG", "")) else []:
        try:
            read = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            continue
        table.update(read.get("pip", {}) if isinstance(read.get("pip"), dict) else {})
        table.update(read)
    named = [entry for entry in _list(table.get("index")) if isinstance(entry, dict) and "url" in entry]
    named = [entry for entry in named if not entry.get("explicit")]
    defaults = [_signed(entry, env) for entry in named if entry.get("default")] or _texts(
        table.get("index-url")
    )
    more = [_signed(entry, env) for entry in named if not entry.get("default")]
    more += _texts(table.get("extra-index-url"))
    chosen_default = env.get("UV_DEFAULT_INDEX") or env.get("UV_INDEX_URL")
    if chosen_default:
        defaults = [_unnamed(chosen_default, env)]
    from_variables = (env.get("UV_INDEX") or "").split() + (env.get("UV_EXTRA_INDEX_URL") or "").split()
    return _Found(
        indexes=defaults[:1],
        more=[_unnamed(url, env) for url in from_variables] + more,
        links=(env.get("UV_FIND_LINKS") or "").replace(",", " ").split() + _texts(table.get("find-links")),
        trusted=(env.get("UV_INSECURE_HOST") or "").split() + _texts(table.get("allow-insecure-host")),
        alone=_is_yes(env.get("UV_NO_INDEX", "")) or table.get("no-index") is True,
        offline=_is_yes(env.get("UV_OFFLINE", "")) or table.get("offline") is True,
    )


def _unnamed(index: str, env: Mapping[str, str]) -> str:
    """uv's variables take ``name=url``; a name leads to credentials in variables of their own."""
    name, mark, url = index.partition("=")
    if mark and "/" not in name and ":" not in name:
        return _signed({"name": name, "url": url}, env)
    return index


def _signed(entry: Mapping[str, Any], env: Mapping[str, str]) -> str:
    url = str(entry["url"])
    name = "".join(c if c.isalnum() else "_" for c in str(entry.get("name", ""))).upper()
    user, password = env.get(f"UV_INDEX_{name}_USERNAME"), env.get(f"UV_INDEX_{name}_PASSWORD")
    scheme, mark, rest = url.partition("://")
    if not name or not (user or password) or not mark or "@" in rest.split("/", 1)[0]:
        return url
    from urllib.parse import quote

    return f"{scheme}://{quote(user or '', safe='')}:{quote(password or '', safe='')}@{rest}"


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in _list(value) if isinstance(item, str)]


def _is_yes(value: str) -> bool:
    return value.strip().lower() in ("1", "true", "yes", "on", "t", "y")
