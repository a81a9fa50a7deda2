"""`fleettwin traces`: public measurements as logs to replay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.traces.converting import add_conversions
from cli.traces.downloading import download
from models.errors import ConfigurationError
from streams.traces.known import TRACES, trace_named

app = typer.Typer(no_args_is_help=True, help=__doc__)
converted = typer.Typer(no_args_is_help=True, help="Write a trace, or a part of it, as a log.")
add_conversions(converted, TRACES)
app.add_typer(converted, name="convert")
app.command()(download)


@app.command("list")
def list_traces(
    trace: Annotated[str | None, typer.Argument(help="A trace; without it, all that are known.")] = None,
    folder: Annotated[Path | None, typer.Argument(help="Where its files are: show what is in them.")] = None,
) -> None:
    """Show the traces that fleettwin knows, or what is in a folder of one."""
    if trace is None:
        for known in TRACES:
            typer.echo(f"{known.name:<8} {known.title}\n{'':8} {known.source}\n{'':8} licence: {known.licence}")
        return
    if folder is None:
        raise ConfigurationError("FOLDER", None, f"a folder of {trace_named(trace).name}: {trace_named(trace).files}")
    for listed in trace_named(trace).runs(folder):
        typer.echo(f"{listed.name:<32} {listed.size}")
