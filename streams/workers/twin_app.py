"""The Faust app `twin`: agents around pure machines, and the clock that they live by."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from faust.types import TP

from infra.rules import rules_of
from infra.settings import ClockSource, Settings
from infra.topics import full_name
from models.catalogue import Catalogue
from models.clock import Clock
from models.cloudevents import EventType, headers
from models.errors import ConfigurationError
from models.instants import moment_of
from models.names import FLEET
from models.pipeline import Stage
from models.record import Outgoing, Record
from models.topics import DEMAND, FLEET_CHECKPOINTS, INPUTS, LEDGER, SITE_CHECKPOINTS, SITES, STATE, TELEMETRY
from streams.workers.faust_app import follow, new_app
from streams.workers.lane import Machine
from streams.workers.lanes import LaneKind, Lanes
from streams.workers.metering import Meter
from streams.workers.pipeline import metered
from streams.workers.presence import PresenceWatch
from streams.workers.watchdog import Watchdog
from twin.admission import admit, presence
from twin.fleet import FleetMachine
from twin.telemetry import TelemetryMachine

AGENTS = {"site_twin": TELEMETRY, "admit_facts": SITES, "admit_demand": DEMAND, "fleet_twin": LEDGER}

LONGEST_CLOCK_PERIOD = 1000
"""Milliseconds between clocks of a live worker, unless ticks are shorter."""

ABOUT_TO_BEGIN_SECONDS = 0.05
"""Faust opens the lanes a moment before it counts the rebalance as over."""

LAGGING_RECORDS = 500
"""A worker further behind in the ledger cannot tell a silent partition from its own delay."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Admission as a machine without state."""

    catalogue: Catalogue

    def fold(self, record: Record) -> list[Outgoing]:
        """Check it and give it its place in the ledger."""
        return [admit(record, self.catalogue)]

    def snapshot(self) -> bytes:
        """Nothing to remember."""
        return b""

    def restore(self, packed: bytes) -> None:
        """Nothing to remember."""


@dataclass(frozen=True, slots=True)
class TwinWorker:
    """The app, and the lanes it folds; whoever looks into their machines does so from the app's own loop."""

    app: Any
    lanes: Lanes


def twin_worker(settings: Settings, address: str, catalogue: Catalogue) -> TwinWorker:
    """The worker, ready to be started; nothing is connected yet."""
    rules, kafka = rules_of(settings.twin), settings.kafka
    app = new_app("twin", kafka, address)

    def telemetry(partition: int) -> Machine:
        if partition >= kafka.telemetry_partitions:
            raise ConfigurationError(
                f"the number of partitions of {full_name(kafka, TELEMETRY)}",
                f"{partition + 1} or more",
                f"{kafka.telemetry_partitions}, which it was made with: sites would change their places; make topics"
                " with another FLEETTWIN_KAFKA__TOPIC_PREFIX, and let senders go on there",
            )
        return TelemetryMachine(partition, kafka.telemetry_partitions, rules, catalogue)

    lanes = Lanes(
        app,
        kafka,
        address,
        {
            TELEMETRY: LaneKind(TELEMETRY, SITE_CHECKPOINTS, telemetry),
            SITES: LaneKind(SITES, FLEET_CHECKPOINTS, lambda _: Admission(catalogue)),
            DEMAND: LaneKind(DEMAND, FLEET_CHECKPOINTS, lambda _: Admission(catalogue)),
            LEDGER: LaneKind(LEDGER, FLEET_CHECKPOINTS, lambda _: FleetMachine(rules, catalogue)),
        },
    )
    lanes.attach()
    _measure(lanes, metered(app, kafka, "twin", lanes.position))
    Watchdog(app, settings, lanes.vitals).attach()

    follow(app, kafka, AGENTS, lanes.accept)

    @app.task
    async def store_checkpoints() -> None:
        while not app.should_stop:
            await app.sleep(settings.twin.checkpoint_seconds)
            if not app.rebalancing:
                await lanes.store_all()

    if settings.twin.clock is ClockSource.WALL:

        @app.task
        async def tell_time() -> None:
            watch, opened = PresenceWatch(settings.twin.site_timeout_seconds), asyncio.Event()
            lanes.on_open.append(opened.set)
            while not app.should_stop:
                with suppress(TimeoutError):  # lanes that were just opened are told the time at once
                    until_next = _until_next(settings.twin.tick_milliseconds, settings.twin.grace_milliseconds)
                    await asyncio.wait_for(opened.wait(), until_next)
                if app.should_stop:
                    return
                if app.rebalancing or not lanes.open:
                    watch.forget()
                    if opened.is_set():
                        await app.sleep(ABOUT_TO_BEGIN_SECONDS)
                    continue
                opened.clear()
                await _tell_time(lanes)
                await _tell_presence(app, lanes, watch, kafka.telemetry_partitions)

    return TwinWorker(app, lanes)


def _measure(lanes: Lanes, meter: Meter) -> None:
    """Note every record that is folded, and how old a tick is when the state of a site at its end is sent."""

    def sent(output: Outgoing) -> None:
        if output.topic == STATE and output.key != FLEET.encode():
            tick = int(output.identity.rpartition("@")[2])
            meter.done(Stage.SITE_STATE, (tick,), time.time_ns() // 1_000_000)

    lanes.on_send.append(sent)
    lanes.on_fold.append(lambda record: meter.read((record.topic, record.partition), len(record.value or b"")))


def _until_next(tick: int, grace: int) -> float:
    """Seconds until the next tick can close: clocks said just then make it close at once."""
    now = time.time_ns() // 1_000_000
    return ((grace - now) % min(tick, LONGEST_CLOCK_PERIOD) + 2) / 1000


async def _tell_time(lanes: Lanes) -> None:
    now = time.time_ns() // 1_000_000
    body = Clock(until=moment_of(now)).model_dump_json().encode()
    for topic, partition in sorted(lanes.open):
        if topic in INPUTS:
            identity = f"{topic}/{partition}@{now}"
            named = headers(EventType.CLOCK, "//fleettwin/clock", identity, now)
            await lanes.send(Outgoing(topic, None, body, named, identity, partition))


async def _tell_presence(app: Any, lanes: Lanes, watch: PresenceWatch, partitions: int) -> None:
    """Let the worker that reads the ledger say which partitions have fallen silent; one that lags cannot tell."""
    lane, place = lanes.open.get((LEDGER, 0)), TP(full_name(lanes.kafka, LEDGER), 0)
    end = app.consumer.highwater(place) if lane is not None and place in app.consumer.assignment() else None
    if lane is None or end is None or end - lane.next_offset > LAGGING_RECORDS:
        watch.forget()
        return
    fleet = cast("FleetMachine", lane.machine)
    now = time.time_ns() // 1_000_000
    for partition, away in watch.judge(fleet.through, fleet.away, partitions, time.monotonic()):
        await lanes.send(presence(partition, away=away, instant=now))
