"""The sender's own clock: how a log that is written ahead of time, or later, says that event time has passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from models.clock import Clock
from models.cloudevents import EventType, headers
from models.instants import moment_of
from models.record import SENT_AT, Outgoing
from models.topics import DEMAND, SITES, TELEMETRY
from streams.simulator.telemetry import Step

AFTERWARDS = 120_000
"""Milliseconds after the last step that the last clock says have passed: by then the silent are lost."""

_SOURCE = "/fleettwin/simulator/clock"


def clocked(steps: Iterable[Step], partitions: int) -> Iterator[Step]:
    """The steps, each closed by its clock in every partition of telemetry and in those of facts and demand.

    Every record says that it was sent at the event time of its step. The last step is followed by one that holds
    nothing but a clock `AFTERWARDS`.
    """
    last: int | None = None
    for step in steps:
        last = step.at
        yield replace(step, records=(*(_stamped(record, last) for record in step.records), *_clocks(last, partitions)))
    if last is not None:
        end = last + AFTERWARDS
        yield Step(end, tuple(_clocks(end, partitions)), readings=0, facts=0, demands=0, closing=True)


def _clocks(until: int, partitions: int) -> Iterator[Outgoing]:
    value = Clock(until=moment_of(until)).model_dump_json().encode()
    for topic, partition in (*((TELEMETRY, number) for number in range(partitions)), (SITES, 0), (DEMAND, 0)):
        identity = f"clock/{topic}/{partition}/{until}"
        described = headers(EventType.CLOCK, _SOURCE, identity, until)
        yield _stamped(Outgoing(topic, b"clock", value, described, identity, partition), until)


def _stamped(record: Outgoing, at: int) -> Outgoing:
    return replace(record, headers=(*record.headers, (SENT_AT, str(at).encode())))
