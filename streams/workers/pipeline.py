"""Has a worker say every few seconds of its own work: what it read, how far behind it is, how old it was when done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from faust.types import TP

from infra.settings import KafkaSettings
from infra.topics import full_name
from models.cloudevents import EventType, headers
from models.instants import instant_of
from models.pipeline import PipelineSample
from models.topics import PIPELINE
from streams.workers.faust_app import assigned_places
from streams.workers.identity import worker_name
from streams.workers.metering import Meter, Place

PERIOD_SECONDS = 10.0

Position = Callable[[Place], int | None]
"""The next offset that the worker will read; none where it does not know."""


def metered(app: Any, kafka: KafkaSettings, name: str, position: Position) -> Meter:
    """A meter, and a task of the app's that publishes what it has measured, beginning with the first assignment."""
    meter = Meter(worker_name(name), name, _now())

    async def say_what_was_done() -> None:
        while not app.should_stop:
            await app.sleep(PERIOD_SECONDS)
            if not app.rebalancing:
                await _send(app, kafka, meter.sample(_now(), lags(app.consumer, kafka, position)))

    app.task(say_what_was_done)
    return meter


def lags(consumer: Any, kafka: KafkaSettings, position: Position) -> dict[Place, int | None]:
    """How many records each assigned partition still has; none where Kafka has not said yet where it ends."""
    found: dict[Place, int | None] = {}
    for place in assigned_places(consumer, kafka):
        topic, partition = place
        end, at = consumer.highwater(TP(full_name(kafka, topic), partition)), position(place)
        found[place] = 0 if end == 0 else None if end is None or at is None else max(end - at, 0)
    return found


async def _send(app: Any, kafka: KafkaSettings, sample: PipelineSample) -> None:
    instant, source = instant_of(sample.at), f"//fleettwin/workers/{sample.worker}"
    named = headers(EventType.PIPELINE_SAMPLE, source, f"{sample.worker}@{instant}", instant)
    value = sample.model_dump_json().encode()
    await app.producer.send(full_name(kafka, PIPELINE), sample.worker.encode(), value, None, None, list(named))


def _now() -> int:
    return time.time_ns() // 1_000_000
