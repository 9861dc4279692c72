"""``monkeys models serve``: a vLLM server in the foreground, until it is stopped."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.options import OutputOption
from app.cli.out import Output


def serve(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="OWNER/MODEL of a model hub, or a folder.")],
    flags: Annotated[list[str] | None, typer.Argument(help="Flags for vLLM, after --.")] = None,
    reward: Annotated[bool, typer.Option("--reward", help="Serve a reward model or a classifier.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="A port; any free one without.")] = None,
    output: OutputOption = Output.text,
) -> int:
    """Start a vLLM server for a model, and keep it until ctrl+c.

    While it is up, every run that asks for vllm:MODEL uses it.
    """
    from dataclasses import replace

    from app.cli.serving import serve_until_told
    from app.models.vllm_backend import wanted_by_settings

    wanted = wanted_by_settings(name.removeprefix("vllm:"))
    more = tuple(flags or ())
    wanted = replace(wanted, pooling=reward, port=port, flags=wanted.flags + more, exact=bool(more))
    return serve_until_told(wanted, output)
