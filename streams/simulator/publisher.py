"""Sends steps in order, and counts what has arrived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from models.instants import moment_of
from models.record import Outgoing
from streams.simulator.telemetry import Step


class Sender(Protocol):
    """Takes records on their way."""

    def send(self, record: Outgoing) -> None:
        """Take a record; it may not have arrived yet."""

    def settle(self) -> None:
        """Wait until all have arrived."""

    @property
    def next_offsets(self) -> Mapping[int, int]:
        """By partition of telemetry: the offset after the last record of ours that has arrived."""


@dataclass(frozen=True, slots=True)
class Published:
    """What has arrived."""

    readings: int
    records: int
    facts: int
    tenants: int
    demands: int
    seconds: float
    """Of event time."""
    last_event_time: int | None
    """In milliseconds; none where nothing was sent."""
    next_offsets: Mapping[int, int]

    def report(self) -> dict[str, object]:
        """As `--report` writes it."""
        last = self.last_event_time
        return {
            "published": self.readings,
            "records": self.records,
            "facts": self.facts,
            "tenants": self.tenants,
            "demands": self.demands,
            "seconds": self.seconds,
            "last_event_time": None if last is None else moment_of(last).isoformat(),
            "partitions": {str(partition): offset for partition, offset in sorted(self.next_offsets.items())},
        }


def publish(steps: Iterable[Step], sender: Sender) -> Published:
    """Send all steps, and return once all of their records have arrived."""
    readings = records = facts = tenants = demands = 0
    first = last = None
    for step in steps:
        for record in step.records:
            sender.send(record)
        records += len(step.records)
        readings += step.readings
        facts += step.facts
        tenants += step.tenants
        demands += step.demands
        if not step.closing:
            first, last = step.at if first is None else first, step.at
    sender.settle()
    seconds = 0.0 if first is None or last is None else (last - first) / 1000
    return Published(readings, records, facts, tenants, demands, seconds, last, dict(sender.next_offsets))
