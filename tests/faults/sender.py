"""A sender of telemetry that notes each record once Kafka has said that it is stored: what must never be lost.

    python -m tests.faults.sender SCENARIO NOTES

It sends by the clock on the wall until SIGTERM. It may be killed at any moment: what it has noted, it was told.
"""

from __future__ import annotations

import math
import signal
import sys
import time
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import orjson

from infra.kafka_clients import opened_producer
from infra.kafka_sender import handed
from infra.settings import read_settings
from infra.topics import full_name
from models.instants import moment_of
from models.record import Outgoing
from models.scenario import load_scenario
from models.topics import TELEMETRY
from streams.simulator.fleet import STEP
from streams.simulator.pacing import Pace
from streams.simulator.telemetry import Step, telemetry
from tests.faults.fleet import TYPE

if TYPE_CHECKING:
    from kafka.producer.future import FutureRecordMetadata

    Waiting = deque[tuple[FutureRecordMetadata, Outgoing, int]]

MOST_WAITING = 2_000
"""Records on their way; then the sender waits, and sends later what it would have sent meanwhile."""

PATIENCE_SECONDS = 600.0

SILENT_SITE, SILENT_SECONDS = b"site-2", 20
SKEWED_SITE, HOUR = "site-3", 3_600_000


def main(scenario: str, notes: str) -> None:
    """Send until told to stop."""
    settings, stop = read_settings(), Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    first = math.ceil(time.time() * 1000 / STEP) * STEP
    pace = Pace(first, first, 1.0, stop)
    waiting: Waiting = deque()
    with Path(notes).open("w", encoding="utf-8") as noted, opened_producer(settings) as producer:
        for step in pace.paced(telemetry(load_scenario(scenario), first)):
            for record in (*_spoken(step), *_skewed(step.at)):
                topic = full_name(settings.kafka, record.topic)
                waiting.append((handed(producer, topic, record, PATIENCE_SECONDS, print), record, step.at))
            _note(waiting, noted.write, MOST_WAITING)
            noted.flush()
        _note(waiting, noted.write, 0)


def _spoken(step: Step) -> Iterator[Outgoing]:
    """The records of a step; one site is silent a third of the time."""
    silent = step.at // 1000 % 60 < SILENT_SECONDS
    for record in step.records:
        if not (silent and record.topic == TELEMETRY and record.key == SILENT_SITE):
            yield record


def _skewed(at: int) -> Iterator[Outgoing]:
    """Two nodes whose clocks are an hour ahead and an hour behind, as the JSON that a small sender would write."""
    for node, skew in (("ahead", HOUR), ("behind", -HOUR)):
        body = {
            "site": SKEWED_SITE,
            "node": node,
            "type": TYPE,
            "at": moment_of(at + skew).isoformat(),
            "sequence": at,
            "installed": 8,
            "in_service": 8,
            "power_watts": 4000.0,
        }
        yield Outgoing(TELEMETRY, SKEWED_SITE.encode(), orjson.dumps(body), (), f"{node}/{at}")


def _note(waiting: Waiting, write: object, most: int) -> None:
    """Note what has arrived; wait for the oldest while more than `most` are on their way."""
    while waiting and (waiting[0][0].is_done or len(waiting) > most):
        future, record, at = waiting.popleft()
        arrived = future.get(timeout=PATIENCE_SECONDS)
        checksum = zlib.crc32(record.value or b"")
        write(f"{record.topic} {arrived.partition} {arrived.offset} {checksum} {at} {record.identity}\n")  # type: ignore[operator]


if __name__ == "__main__":
    main(*sys.argv[1:])
