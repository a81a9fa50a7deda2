"""The publisher at work: beat by beat it asks its source, folds what that says, and leaves the records in the spool."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from streams.publish.asking import Asking
from streams.publish.complaints import Complaints
from streams.publish.folding import Folding, Told
from streams.publish.measures import Failure
from streams.publish.metrics import PublishMetrics
from streams.publish.parcels import parcels_of
from streams.publish.schedule import Beats
from streams.publish.spool import Spool

log = structlog.get_logger()

BETWEEN_SECONDS = 1.0
"""From one sample to the next, where a single reading needs two of them."""


@dataclass
class Measuring:
    """Asks and folds."""

    asking: Asking
    folding: Folding
    metrics: PublishMetrics
    clock: Callable[[], int] = field(default=lambda: time.time_ns() // 1_000_000)
    """Milliseconds since 1970."""

    def told(self) -> Told:
        """What is to be told now."""
        began = time.monotonic()
        sampled = self.asking.sample()
        took = time.monotonic() - began
        told = self.folding.fold(sampled, self.clock())
        self.metrics.sampled(took, told)
        return told

    def told_once(self, wait: Callable[[float], object]) -> Told:
        """The same where nothing was asked before: counters of energy need a sample to differ from."""
        sampled = self.asking.sample()
        if self.folding.note(sampled, self.clock()):
            wait(BETWEEN_SECONDS)
            later = self.asking.sample()
            sampled = later if later.nodes else sampled  # a file need not have been written anew
        return self.folding.fold(sampled, self.clock())


@dataclass
class Publisher:
    """Keeps to its beats, whatever its source and Kafka do.

    Args:
        name: With which its records say who sends them.
        measuring: What is asked.
        spool: Where records go.
        complaints: Tells what fails.
    """

    name: str
    measuring: Measuring
    spool: Spool
    complaints: Complaints = field(default_factory=Complaints)

    def run(self, beats: Beats, wait: Callable[[float], bool]) -> None:
        """Beat until `wait`, which is given seconds, says that somebody wants the end."""
        while not wait(max(0.0, beats.due - time.monotonic())):
            self.publish(self.measuring.told())
            overrun = beats.passed(time.monotonic())
            if overrun:
                self.measuring.metrics.overrun(overrun)
                log.warning("beats were skipped: asking takes longer than the interval", beats=overrun)

    def publish(self, told: Told) -> None:
        """Leave all that is told in the spool."""
        metrics = self.measuring.metrics
        parcels = list(parcels_of(told, self.name))
        failures = list(told.failures)
        try:
            dropped = self.spool.write(parcels, self.measuring.folding.conditions.dumped())
        except sqlite3.Error as error:
            metrics.dropped(len(parcels), sum(one.readings for one in parcels))
            failures.append(Failure("spool", f"{error}; {len(parcels)} records are lost"))
        else:
            metrics.dropped(dropped.records, dropped.readings)
            if dropped.records:
                fill = self.spool.fill
                why = f"it is full, with {fill.records} records in {fill.bytes} bytes; the oldest are lost"
                failures.append(Failure("spool", why))
        self.complaints.tell(failures)
