"""Where things live. ``MONKEYS_HOME`` moves all of it into one folder; nothing else knows a path."""

from __future__ import annotations

import os
from pathlib import Path


def _folder(kind: str) -> Path:
    home = os.environ.get("MONKEYS_HOME")
    if home:
        return Path(home).expanduser() / kind
    from platformdirs import PlatformDirs  # imported late: help and the first paint do not need it

    dirs = PlatformDirs("manymonkeys", appauthor=False)
    return {"config": dirs.user_config_path, "data": dirs.user_data_path, "cache": dirs.user_cache_path}[kind]


def config_file() -> Path:
    return _folder("config") / "config.toml"


def journal_file() -> Path:
    return _folder("data") / "journal.sqlite3"


def weights_folder() -> Path:
    return _folder("data") / "weights"


def servers_folder() -> Path:
    """One file for each model server that is up."""
    return _folder("data") / "servers"


def history_file() -> Path:
    return _folder("data") / "prompt-history.jsonl"


def favourites_file() -> Path:
    return _folder("data") / "favourites.json"


def habits_file() -> Path:
    return _folder("cache") / "habits.json"


def exports_folder() -> Path:
    return _folder("data") / "exports"


def log_file(name: str) -> Path:
    """The log of one part (``llama``, ``tui``); its folder is made by whoever writes it."""
    return _folder("cache") / "logs" / f"{name}.log"
