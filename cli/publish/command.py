"""`fleettwin publish`: measure nodes and send what they say to Kafka."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.publish.wishes import state_folder, wanted_of
from cli.signals import stop_wished
from infra.catalogues import chosen_catalogue
from infra.settings import Settings, read_settings
from models.errors import ConfigurationError
from streams.publish.configuration import Wanted
from streams.publish.planning import Guessing, Plan, planned
from streams.publish.registry import SOURCES


def publish(  # noqa: PLR0913  # each is an option
    *,
    source: Annotated[str | None, typer.Option("--source", help=f"Where from: {', '.join(SOURCES)}.")] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", help="The address or file to ask; several times for several. Default: this machine."),
    ] = None,
    site: Annotated[str | None, typer.Option("--site", help="The site that the nodes are at.")] = None,
    node: Annotated[str | None, typer.Option("--node", help="The node's name, unique within the site.")] = None,
    rack: Annotated[str | None, typer.Option("--rack", help="The rack that it stands in.")] = None,
    type_: Annotated[
        str | None, typer.Option("--type", help="Its type, an id of the catalogue; default: what the source finds.")
    ] = None,
    interval: Annotated[
        float | None, typer.Option("--interval", min=0.1, max=3600, help="Seconds from beat to beat. Default: 5.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=0.1, max=3600, help="Seconds that a target has. Default: 5.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="A YAML file that says all of this, and of several targets.")
    ] = None,
    state_dir: Annotated[
        Path | None, typer.Option("--state-dir", help="A folder of its own for its numbers and what waits for Kafka.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Send one beat, and end.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure once, show it, and send nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: the readings as a JSON list.")] = False,
    metrics_port: Annotated[
        int | None, typer.Option("--metrics-port", min=1, max=65535, help="Serve its own metrics. Default: no.")
    ] = None,
    metrics_host: Annotated[
        str | None, typer.Option("--metrics-host", help="At this address. Default: 127.0.0.1.")
    ] = None,
) -> None:
    """Measure nodes every few seconds and send what they say, until SIGTERM or Ctrl-C; Kafka may be away meanwhile."""
    if as_json and not dry_run:
        raise ConfigurationError("--json", "without --dry-run", "both: what is sent goes to Kafka")
    settings = read_settings()
    file = config or settings.publish.config
    options: dict[str, Any] = {
        "source": source,
        "targets": target,
        "site": site,
        "node": node,
        "rack": rack,
        "type": type_,
        "interval_seconds": interval,
        "timeout_seconds": timeout,
        "state_dir": state_dir,
        "metrics_port": metrics_port,
        "metrics_host": metrics_host,
    }
    wanted = wanted_of(options, settings.publish, file)
    guessing = Guessing(socket.gethostname(), _say) if dry_run else None
    plan = planned(wanted, chosen_catalogue(settings.twin), None if file is None else str(file), guessing)
    if dry_run:
        from cli.publish.looking import look  # noqa: PLC0415  # slow to import

        found = look(plan, _say, as_json=as_json)
    else:
        found = _work(settings, wanted, plan, once=once)
    if not found:
        raise typer.Exit(1)


def _work(settings: Settings, wanted: Wanted, plan: Plan, *, once: bool) -> bool:
    """Publish; says whether there was anything, where it is once."""
    from cli.publish.working import Work  # noqa: PLC0415  # slow to import
    from infra.plain_log import log_plainly  # noqa: PLC0415  # the same

    log_plainly()
    with stop_wished() as wished:
        work = Work(settings, wanted, plan, state_folder(wanted), wished)
        if once:
            return work.once()
        work.until_stopped()
        return True


def _say(text: str) -> None:
    typer.echo(f"fleettwin: {text}", err=True)
