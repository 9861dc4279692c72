"""``monkeys config``: the settings in force, where each is from, and where things are kept."""

from __future__ import annotations

from app.cli.options import OutputOption
from app.cli.out import Output, print_one


def config(output: OutputOption = Output.text) -> None:
    """Show the settings and their sources."""
    import msgspec

    from app import settings
    from app.runs.redact import redact

    loaded = settings.load()
    values = msgspec.to_builtins(loaded.settings)
    values["api_keys"] = dict.fromkeys(values["api_keys"], "***")
    values["base_urls"] = {name: redact(urls) for name, urls in values["base_urls"].items()}
    where = paths()
    row = {
        "settings": {name: {"value": values[name], "source": loaded.sources[name]} for name in values},
        "paths": where,
    }
    lines = [f"{name:16} {_shown(value):24} {loaded.sources[name]}" for name, value in values.items()]
    lines += ["", *(f"{name:16} {path}" for name, path in where.items())]
    print_one(output, row, lines)


def paths() -> dict[str, str]:
    """Where things are kept, by name."""
    from app import locations

    return {
        "config": str(locations.config_file()),
        "journal": str(locations.journal_file()),
        "weights": str(locations.weights_folder()),
        "exports": str(locations.exports_folder()),
        "logs": str(locations.log_file("any").parent),
    }


def _shown(value: object) -> str:
    if value is None:
        return "—"
    return ", ".join(f"{k}={v}" for k, v in value.items()) or "—" if isinstance(value, dict) else str(value)
