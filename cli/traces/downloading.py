"""`fleettwin traces download`: a trace's files from where they are published, each known to the byte."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.settings import read_settings
from models.errors import ConfigurationError
from streams.traces.known import trace_named
from streams.traces.manifest import Manifest, at_another_address, read_manifest, shipped_manifest
from streams.traces.trace import Trace


def download(
    name: Annotated[str, typer.Argument(metavar="TRACE", help="One that `fleettwin traces list` shows.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder to fill; .fleettwin/traces/TRACE if unset.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="Where the files are instead, such as a mirror of yours.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="Other files, as docs/traces.md tells, instead of those shipped.")
    ] = None,
) -> None:
    """Fetch a trace's files and check each one; what is there already is not fetched again."""
    import httpx  # noqa: PLC0415  # slow to import

    from streams.traces.fetching import TIMEOUT, Fetching  # noqa: PLC0415  # imports httpx

    trace = trace_named(name)
    pinned = _manifest(trace, manifest)
    if base_url is not None:
        pinned = at_another_address(pinned, base_url)
    folder = out or read_settings().stack.home / "traces" / trace.name
    typer.echo(f"{trace.title}\n{trace.source}\nlicence: {trace.licence}")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it writes whole addresses, passwords and all
    with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as client, _shown(pinned.size) as tell:
        fetching = Fetching(client, pinned.base, folder, tell)
        fetched = sum(fetching.fetch(file) for file in pinned.files)
    files = len(pinned.files)
    typer.echo(f"{folder}: {files} files, {pinned.size} bytes; {fetched} fetched, {files - fetched} were there")


def _manifest(trace: Trace[Any], path: Path | None) -> Manifest:
    if path is not None:
        try:
            return read_manifest(path.read_text("utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError("--manifest", str(path), f"a file that can be read ({error})") from None
    shipped = shipped_manifest(trace.name)
    if shipped is None:
        raise ConfigurationError("--manifest", None, f"yours: none is shipped for {trace.name}, from {trace.source}")
    return shipped


@contextmanager
def _shown(total: int) -> Iterator[Callable[[int], None]]:
    """On a terminal, how far it is."""
    from rich.console import Console  # noqa: PLC0415  # slow to import
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn  # noqa: PLC0415

    console = Console(stderr=True)
    with Progress(
        BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console, disable=not sys.stderr.isatty()
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda count: progress.advance(task, count)
