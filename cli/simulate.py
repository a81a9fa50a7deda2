"""`fleettwin simulate`: publish a scenario to Kafka."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Event
from typing import Annotated

import orjson
import typer

from cli.speed import speed_of
from cli.times import instant_said
from infra.catalogues import chosen_catalogue
from infra.kafka_sender import opened_sender
from infra.settings import ClockSource, Settings, read_settings
from infra.topics import partition_counts
from models.catalogue import Catalogue
from models.errors import ConfigurationError
from models.scenario import Scenario, load_scenario, shipped_scenarios
from models.topics import DEMAND, SITES, TELEMETRY
from streams.simulator.clocks import clocked
from streams.simulator.fleet import STEP
from streams.simulator.pacing import Pace
from streams.simulator.publisher import Published, publish
from streams.simulator.telemetry import Step, telemetry


def simulate(
    *,
    scenario: Annotated[str, typer.Option(help="A shipped scenario (see --list) or a YAML file.")] = "demo",
    speed: Annotated[str, typer.Option(help="Seconds of event time to a second, or `max`.")] = "1",
    seconds: Annotated[float | None, typer.Option(min=0, help="Of event time; default: until interrupted.")] = None,
    clock: Annotated[
        ClockSource | None,
        typer.Option(help="Who says that time passes: the live workers (wall) or this log. Default: the setting."),
    ] = None,
    start: Annotated[str | None, typer.Option(help="ISO 8601 with offset, for --clock log; default: now.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write what was published as JSON.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show the shipped scenarios.")] = False,
) -> None:
    """Publish the telemetry, site facts and demand of a scenario."""
    settings = read_settings()
    catalogue = chosen_catalogue(settings.twin)
    if list_:
        for name in shipped_scenarios():
            typer.echo(f"{name:<20}  {_summary(load_scenario(name, catalogue), catalogue)}")
        return
    fleet = load_scenario(scenario, catalogue)
    rate = speed_of(speed)
    source = _clock(clock, rate, settings)
    began = time.time() * 1000
    first = _start(start, source, began)
    origin = began if source is ClockSource.LOG else first
    typer.echo(f"{fleet.title}: {_summary(fleet, catalogue)}", err=True)
    stop = Event()
    pace = Pace(first, origin, rate, stop)
    earlier = _stopped_by_signals(stop)
    try:
        published = _publish(settings, telemetry(fleet, first, catalogue, seconds), source, pace)
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
    if report is not None:
        report.write_bytes(orjson.dumps(published.report(), option=orjson.OPT_INDENT_2) + b"\n")
    typer.echo(_told(published, time.time() - began / 1000, pace.worst_lag), err=True)


def _publish(settings: Settings, told: Iterable[Step], source: ClockSource, pace: Pace) -> Published:
    partitions = partition_counts(settings, (TELEMETRY, SITES, DEMAND))[TELEMETRY]
    steps = pace.paced(told)
    if source is ClockSource.LOG:
        steps = clocked(steps, partitions)
    with opened_sender(settings, _warn) as sender:
        return publish(steps, sender)


def _warn(text: str) -> None:
    typer.echo(text, err=True)


def _clock(asked: ClockSource | None, speed: float | None, settings: Settings) -> ClockSource:
    if speed == 1:
        return asked or settings.twin.clock
    if asked is ClockSource.WALL:
        raise ConfigurationError("--clock", asked.value, "log, unless --speed is 1")
    return ClockSource.LOG


def _start(text: str | None, source: ClockSource, now: float) -> int:
    """Event time of the first step; on the wall's clock, the next whole second."""
    if text is None:
        return math.ceil(now / STEP) * STEP
    if source is ClockSource.WALL:
        raise ConfigurationError("--start", text, "no start unless --clock is log; the wall's clock starts now")
    return math.ceil(instant_said("--start", text, "ISO 8601, such as 2026-01-01T00:00:00Z") / STEP) * STEP


def _stopped_by_signals(stop: Event) -> dict[signal.Signals, signal.Handlers]:
    """Let Ctrl-C and SIGTERM end the run after its step; the second one ends it at once."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    earlier = {number: signal.getsignal(number) for number in numbers}

    def end(number: int, _: object) -> None:
        stop.set()
        signal.signal(number, earlier[signal.Signals(number)])

    for number in numbers:
        signal.signal(number, end)
    return earlier  # type: ignore[return-value]  # handlers of Python or of the system


def _summary(fleet: Scenario, catalogue: Catalogue) -> str:
    sums = fleet.accelerators(catalogue)
    types = ", ".join(f"{count:,} {type_}" for type_, count in sorted(sums.items(), key=lambda item: -item[1]))
    return f"{len(fleet.sites)} sites, {fleet.nodes:,} nodes: {types}"


def _told(published: Published, elapsed: float, lag: float) -> str:
    line = (
        f"published {published.readings:,} readings, {published.facts} facts and {published.demands} demands"
        f" in {published.records:,} records: {published.seconds:,.0f} s of event time in {elapsed:,.1f} s"
    )
    return line + (f"; up to {lag:.1f} s late: this machine is too slow for it" if lag > 1 else "")
