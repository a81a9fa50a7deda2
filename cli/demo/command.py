"""The command: servers up, workers up, watch, drain, verify, report."""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.live import Live

from cli.demo.report import report_of
from cli.demo.servers import DemoServers, demo_servers
from cli.demo.watch import Watching, watching
from cli.demo.workers import Workers, new_workers
from cli.signals import stop_wished
from cli.speed import speed_of
from dashboards.terminal import Screen, render
from dashboards.terminal import picture as drawn
from infra.catalogues import chosen_catalogue
from infra.settings import ClockSource, read_settings
from infra.timescale.connection import connect
from infra.timescale.inspection import delays, newest_row
from models.errors import Unavailable
from models.instants import Instant, instant_of
from models.scenario import Scenario, load_scenario
from streams.consumers.watching import Percentiles

DRAIN_SECONDS = 90.0
"""How long the workers may take to catch up once the simulator has sent all."""

HEADLESS_SECONDS = 60.0
RECENT = 300
"""Site states over which the screen's delay is taken."""

_TOLD_EVERY_SECONDS = 10.0
_ROW_FIGURES_EVERY_SECONDS = 2.0


def demo(
    *,
    scenario: Annotated[str, typer.Option(help="A shipped scenario or a YAML file.")] = "demo",
    seconds: Annotated[float | None, typer.Option(min=1, help="Of event time; default: until Ctrl-C.")] = None,
    speed: Annotated[str, typer.Option(help="Seconds of event time to a second, or `max`.")] = "1",
    headless: Annotated[bool, typer.Option("--headless", help="No screen; ends with a report and a verdict.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report as JSON.")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Save the screen as SVG, of the moment when most was short; with --headless.")
    ] = None,
) -> None:
    """Bring a simulated fleet up on real Kafka and TimescaleDB, and show it live."""
    settings = read_settings()
    fleet = load_scenario(scenario, chosen_catalogue(settings.twin))
    length = HEADLESS_SECONDS if headless and seconds is None else seconds
    clock = ClockSource.WALL if speed_of(speed) == 1 else ClockSource.LOG
    with stop_wished() as stop, demo_servers(settings, clock) as servers:
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder) / "published.json"
            arguments: tuple[str, ...] = ("--scenario", scenario, "--speed", speed, "--report", str(told))
            if length is not None:
                arguments += ("--seconds", str(length))
            workers = new_workers(servers.logs, arguments, servers.environment)
            with workers, watching(servers.settings) as watch:
                if headless or not sys.stdout.isatty():
                    _tell(servers, workers, watch, fleet, stop, picture)
                else:
                    _show(servers, workers, watch, fleet, stop)
                if stop.is_set() or not workers.simulated:
                    typer.echo("stopping", err=True)
                    return
                published = orjson.loads(told.read_bytes())
                typer.echo("all sent; the workers catch up", err=True)
                _drain(servers, watch, workers, published, stop)
        if not stop.is_set():
            _conclude(servers, watch, published, report)


def _tell(
    servers: DemoServers, workers: Workers, watch: Watching, fleet: Scenario, stop: Event, picture: Path | None
) -> None:
    """A line now and then, until the simulator has sent all."""
    most_short = 0
    typer.echo(
        f"{fleet.title}\n  Kafka {servers.kafka}, TimescaleDB {servers.database}\n  logs in {_near(servers.logs)}",
        err=True,
    )
    next_line = time.monotonic() + _TOLD_EVERY_SECONDS
    while not (stop.is_set() or workers.simulated):
        watch.look()
        workers.see_to_all()
        if time.monotonic() >= next_line:
            next_line += _TOLD_EVERY_SECONDS
            state = watch.fleet.fleet
            observed = 0 if state is None else state.intake.observed
            short = ", ".join(event.binding.summary for event in watch.fleet.open_shortages) or "nothing"
            typer.echo(f"{observed:,} readings in the twin; short: {short}", err=True)
        if picture is not None and len(watch.fleet.open_shortages) > most_short:
            most_short = len(watch.fleet.open_shortages)
            screen = _screen(servers, workers, watch, fleet, _row_delays(servers))
            picture.write_text(drawn(screen, "make demo"), encoding="utf-8")


def _show(servers: DemoServers, workers: Workers, watch: Watching, fleet: Scenario, stop: Event) -> None:
    """The live screen, until the simulator has sent all or Ctrl-C."""
    rows, looked = Percentiles(None, None), 0.0
    with Live(console=Console(), screen=True, auto_refresh=False) as live:
        while not (stop.is_set() or workers.simulated):
            watch.look()
            workers.see_to_all()
            if time.monotonic() - looked > _ROW_FIGURES_EVERY_SECONDS:
                rows, looked = _row_delays(servers), time.monotonic()
            width, height = live.console.size
            live.update(render(_screen(servers, workers, watch, fleet, rows), width, height), refresh=True)


def _screen(servers: DemoServers, workers: Workers, watch: Watching, fleet: Scenario, rows: Percentiles) -> Screen:
    seen = watch.fleet
    state = seen.fleet
    counts = None if state is None else state.intake
    restarts = sum(worker.restarts for worker in (workers.twin, workers.store))
    return Screen(
        title=fleet.title,
        phase="live, Ctrl-C ends it" if state else "workers are starting",
        now=datetime.now(UTC),
        fleet=state,
        sites=list(seen.sites.values()),
        shortages=seen.open_shortages,
        opened=seen.opened,
        resolved=seen.resolved,
        figures=[
            ("readings", "-" if counts is None else f"{counts.observed:,} taken in, {seen.rate:,.0f}/s"),
            (
                "not taken",
                "-"
                if counts is None
                else f"{counts.refused:,} refused, {counts.duplicate:,} duplicate, "
                f"{counts.superseded:,} superseded, {counts.late:,} late",
            ),
            ("tick to state in Kafka", _seconds(seen.delays(RECENT))),
            ("tick to database row", _seconds(rows)),
            ("worker restarts", str(restarts)),
        ],
        places=[
            ("Kafka", f"{servers.kafka}   topics fleet.*, `fleettwin alerts --follow` reads the shortages"),
            ("TimescaleDB", f"{servers.database}   `fleettwin stack status --json` has the URL with its password"),
            ("Grafana", "add that URL as a PostgreSQL data source with TimescaleDB on, or see infra/compose.yaml"),
            ("logs", _near(servers.logs)),
        ],
    )


def _near(path: Path) -> str:
    """The path as seen from where the user stands."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _seconds(delay: Percentiles) -> str:
    if delay.p50 is None or delay.p99 is None:
        return "-"
    return f"p50 {delay.p50:.2f} s, p99 {delay.p99:.2f} s"


def _row_delays(servers: DemoServers) -> Percentiles:
    since = Instant(time.time_ns() // 1_000_000 - 60_000)
    with connect(servers.database_url, "fleettwin demo") as connection:
        found = delays(connection, servers.settings.database.schema_name, since)
    return Percentiles(found.p50, found.p99)


def _drain(servers: DemoServers, watch: Watching, workers: Workers, published: dict[str, Any], stop: Event) -> None:
    """Wait until the twin has closed the last tick and the store has written it.

    Raises:
        Unavailable: they do not come that far.
    """
    last = instant_of(datetime.fromisoformat(published["last_event_time"]))
    deadline = time.monotonic() + DRAIN_SECONDS
    schema = servers.settings.database.schema_name
    while not stop.is_set():
        watch.look()
        workers.see_to_all()
        state = watch.fleet.fleet
        if state is not None and instant_of(state.tick) >= last and _written(servers, schema, last):
            return
        if time.monotonic() > deadline:
            reached = "nothing" if state is None else state.tick.isoformat()
            raise Unavailable(
                "the workers", f"the twin came to {reached} of {published['last_event_time']}", f"See {servers.logs}"
            )


def _written(servers: DemoServers, schema: str, last: Instant) -> bool:
    with connect(servers.database_url, "fleettwin demo") as connection:
        newest = newest_row(connection, schema)
    return newest is not None and newest >= last


def _conclude(servers: DemoServers, watch: Watching, published: dict[str, Any], path: Path | None) -> None:
    """Verify, report, and end with 1 if anything does not add up."""
    from streams.oracle.verifying import verify  # noqa: PLC0415  # slow to import

    verification, _ = verify(servers.settings, servers.database_url, lambda step: typer.echo(f"{step} ...", err=True))
    report = report_of(servers, watch.fleet, published, verification)
    if path is not None:
        path.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
    shown = {name: report[name] for name in ("readings", "samples", "rows", "shortages", "delay_seconds", "checks")}
    typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    if not all(report["checks"].values()):
        typer.echo(f"something does not add up: {report['verify']['first_difference']}", err=True)
        raise typer.Exit(1)
