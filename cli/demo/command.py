"""The command: servers up, workers up, watch, drain, verify, report."""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.live import Live

from cli.demo.console import Browser
from cli.demo.looking import RowLook
from cli.demo.report import report_of
from cli.demo.servers import demo_servers
from cli.demo.showing import Run, near, screen_of
from cli.demo.watch import watching
from cli.demo.workers import new_workers
from cli.signals import stop_wished
from cli.speed import speed_of
from dashboards.terminal import picture as drawn
from dashboards.terminal import render
from infra.catalogues import chosen_catalogue
from infra.settings import ClockSource, read_settings
from infra.timescale.inspection import Delays
from models.errors import Unavailable
from models.instants import instant_of
from models.scenario import load_scenario
from models.wording import printable

DRAIN_SECONDS = 90.0
"""How long the workers may take to catch up once the simulator has sent all."""

HEADLESS_SECONDS = 60.0
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
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the web page in a browser.")] = False,
) -> None:
    """Bring a simulated fleet up on real Kafka and TimescaleDB, and show it live."""
    settings = read_settings()
    fleet = load_scenario(scenario, chosen_catalogue(settings.twin))
    length = HEADLESS_SECONDS if headless and seconds is None else seconds
    clock = ClockSource.WALL if speed_of(speed) == 1 else ClockSource.LOG
    with (
        stop_wished() as stop,
        demo_servers(settings, clock) as servers,
        RowLook(servers.database_url, servers.settings.database.schema_name) as rows,
    ):
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder) / "published.json"
            arguments: tuple[str, ...] = ("--scenario", scenario, "--speed", speed, "--report", str(told))
            if length is not None:
                arguments += ("--seconds", str(length))
            workers = new_workers(servers.logs, arguments, servers.environment)
            with watching(servers.settings) as watch:
                with workers:
                    run = Run(servers, workers, watch, fleet, rows)
                    if headless or not sys.stdout.isatty():
                        _tell(run, stop, picture)
                    else:
                        _show(run, stop, Browser(servers.console, wanted=not no_open))
                    if stop.is_set() or not workers.simulated:
                        typer.echo("stopping", err=True)
                        return
                    published = orjson.loads(told.read_bytes())
                    typer.echo("all sent; the workers catch up", err=True)
                    _drain(run, published, stop)
                watch.catch_up()
        if not stop.is_set():
            _conclude(run, published, report)


def _tell(run: Run, stop: Event, picture: Path | None) -> None:
    """A line now and then, until the simulator has sent all."""
    most_short = 0
    servers, watch = run.servers, run.watch.fleet
    typer.echo(run.scenario.title, err=True)
    typer.echo(f"  Kafka {servers.kafka}, TimescaleDB {servers.database}", err=True)
    if servers.console is not None:
        typer.echo(f"  console {servers.console.told}", err=True)
    if servers.grafana is not None:
        typer.echo(f"  Grafana {servers.grafana.told}", err=True)
    typer.echo(f"  logs in {near(servers.logs)}", err=True)
    next_line = time.monotonic() + _TOLD_EVERY_SECONDS
    while not (stop.is_set() or run.workers.simulated):
        run.look()
        if time.monotonic() >= next_line:
            next_line += _TOLD_EVERY_SECONDS
            observed = 0 if watch.fleet is None else watch.fleet.intake.observed
            reasons = dict.fromkeys(printable(event.binding.summary) for event in watch.open_shortages)
            short = ", ".join(reasons) or "nothing"
            typer.echo(f"{observed:,} readings in the twin; short: {short}", err=True)
        if picture is not None and len(watch.open_shortages) > most_short:
            most_short = len(watch.open_shortages)
            picture.write_text(drawn(screen_of(run, run.rows.recent_delays()), "make demo"), encoding="utf-8")


def _show(run: Run, stop: Event, browser: Browser) -> None:
    """The live screen, until the simulator has sent all or Ctrl-C."""
    rows, looked = Delays(0, None, None), 0.0
    with Live(console=Console(), screen=True, auto_refresh=False) as live:
        while not (stop.is_set() or run.workers.simulated):
            run.look()
            browser.look()
            if time.monotonic() - looked > _ROW_FIGURES_EVERY_SECONDS:
                rows, looked = run.rows.recent_delays(), time.monotonic()
            width, height = live.console.size
            live.update(render(screen_of(run, rows), width, height), refresh=True)


def _drain(run: Run, published: dict[str, Any], stop: Event) -> None:
    """Wait until the twin has closed the last tick and the store has written it.

    Raises:
        Unavailable: they do not come that far.
    """
    last = instant_of(datetime.fromisoformat(published["last_event_time"]))
    deadline = time.monotonic() + DRAIN_SECONDS
    while not stop.is_set():
        run.look()
        state = run.watch.fleet.fleet
        if state is not None and instant_of(state.tick) >= last and (run.rows.newest() or 0) >= last:
            return
        if time.monotonic() > deadline:
            reached = "nothing" if state is None else state.tick.isoformat()
            raise Unavailable(
                "the workers",
                f"the twin came to {reached} of {published['last_event_time']}",
                f"See {run.servers.logs}",
            )


def _conclude(run: Run, published: dict[str, Any], path: Path | None) -> None:
    """Verify, report, and end with 1 if anything does not add up."""
    from streams.oracle.verifying import verify  # noqa: PLC0415  # slow to import

    servers = run.servers
    verification, _ = verify(servers.settings, servers.database_url, lambda step: typer.echo(f"{step} ...", err=True))
    report = report_of(servers, run.rows, run.watch.fleet, published, verification)
    if path is not None:
        path.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
    shown = {name: report[name] for name in ("readings", "samples", "rows", "shortages", "delay_seconds", "checks")}
    typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    if not all(report["checks"].values()):
        typer.echo(f"something does not add up: {report['verify']['first_difference']}", err=True)
        raise typer.Exit(1)
