"""What a run of the pipeline has left on its topics: how late samples, states and rows were, and what was taken in."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import orjson

from infra.kafka_clients import opened_consumer
from infra.settings import Settings
from infra.topics import partition_counts
from models.cloudevents import EventType
from models.instants import instant_of
from models.pipeline import PipelineSample, Stage
from models.record import Record
from models.topics import LEDGER, PIPELINE, STATE, TELEMETRY
from streams.logs.topic_reading import read_batches

ROWS = (Stage.SITE_ROW, Stage.NODE_ROW)


@dataclass(frozen=True, slots=True)
class Window:
    """The ticks that are measured: after `begin` and up to `end`, in milliseconds."""

    begin: int
    end: int

    @property
    def half(self) -> int:
        """Where the second half begins."""
        return (self.begin + self.end) // 2

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.begin) / 1000

    def holds(self, instant: int) -> bool:
        """Whether an instant is in it."""
        return self.begin < instant <= self.end


@dataclass(frozen=True, slots=True)
class Lateness:
    """Seconds from the end of a tick."""

    p50: float
    p99: float
    most: float


@dataclass(frozen=True, slots=True)
class Left:
    """What was found of a window."""

    intake: dict[str, int]
    """What became of the readings of the window."""
    samples: Lateness
    """Until Kafka had the sample of a site."""
    planning: Lateness
    """From the last sample of a tick in the ledger until Kafka had the state of the fleet, plan and all."""
    worst_row_p99: float
    """The worst p99 of all ten-second periods, until the rows of sites and nodes were committed; none: infinite."""
    lag: dict[str, int]
    """Records of telemetry not yet read, at the end of the first period after the half, and of the last one."""
    total: dict[str, int]
    """What became of all readings of the run."""


def left(settings: Settings, window: Window) -> Left:
    """Read the ledger, the states and what the workers said."""
    sampled: dict[int, int] = {}
    delays, taken = [], {window.begin: Counter[str](), window.end: Counter[str]()}
    for record in _records(settings, LEDGER, EventType.SAMPLES):
        for sample in orjson.loads(record.value or b"")["samples"]:
            tick = sample["tick"]
            if window.holds(tick):
                delays.append((record.timestamp - tick) / 1000)
                sampled[tick] = max(record.timestamp, sampled.get(tick, 0))
            if tick in taken:
                taken[tick].update(sample["intake"])
    planned, total = [], {}
    for record in _records(settings, STATE, EventType.FLEET_STATE):
        tick = int((record.header("ce_id") or b"").rpartition(b"@")[2])
        total = orjson.loads(record.value or b"")["intake"]
        if tick in sampled:
            planned.append((record.timestamp - sampled[tick]) / 1000)
    told = [
        PipelineSample.model_validate_json(record.value or b"")
        for record in _records(settings, PIPELINE, EventType.PIPELINE_SAMPLE)
    ]
    rows = [
        delay.p99
        for sample in told
        if sample.app == "store" and window.holds(instant_of(sample.since))
        for delay in sample.delays
        if delay.stage in ROWS
    ]
    return Left(
        intake={name: count - taken[window.begin][name] for name, count in taken[window.end].items()},
        samples=_lateness(delays),
        planning=_lateness(planned),
        worst_row_p99=max(rows, default=math.inf),
        lag=_lag(told, window),
        total=total,
    )


def _records(settings: Settings, topic: str, kind: EventType) -> Iterator[Record]:
    with opened_consumer(settings) as consumer:
        for batch in read_batches(consumer, settings.kafka, partition_counts(settings, [topic])):
            yield from (record for record in batch if record.header("ce_type") == kind.encode())


def _lateness(seconds: list[float]) -> Lateness:
    p50, p99, most = (round(float(value), 3) for value in np.percentile(seconds, (50, 99, 100)))
    return Lateness(p50, p99, most)


def _lag(told: list[PipelineSample], window: Window) -> dict[str, int]:
    of_twin = sorted((sample for sample in told if sample.app == "twin"), key=lambda sample: sample.at)
    lags = [
        (instant_of(sample.at), sum(flow.lag or 0 for flow in sample.flows if flow.topic == TELEMETRY))
        for sample in of_twin
        if window.holds(instant_of(sample.since))
    ]
    return {"half": next((lag for at, lag in lags if at >= window.half), 0), "end": lags[-1][1]}
