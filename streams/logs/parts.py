"""A part of a log: from a time, until a time, and with what people had said before, so that it makes sense by itself.

What a time means is when a record was first sent. The ledger is cut where its own clock passes that time: a twin that
folded a replay wrote it at another time than its inputs were first sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from infra.recordlog import LogHeader, LogReader
from models.cloudevents import EventType
from models.errors import ConfigurationError
from models.instants import moment_of
from models.record import Record
from models.topics import DEMAND, INPUTS, LEDGER, SITES
from streams.logs.ledger_cut import LedgerCut
from streams.logs.statements import is_clock

_SAMPLES = EventType.SAMPLES.encode()


@dataclass(frozen=True, slots=True)
class Span:
    """From an instant on, and before another, in milliseconds; without bounds it is the whole log."""

    since: int | None = None
    until: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.since is None and self.until is None

    @property
    def told(self) -> str:
        """Both bounds, for messages."""
        return " to ".join("..." if bound is None else told(bound) for bound in (self.since, self.until))


@dataclass(frozen=True)
class LogPart:
    """What a log holds of a span."""

    path: Path
    span: Span = Span()

    @cached_property
    def header(self) -> LogHeader:
        """What the log says of itself.

        Raises:
            ConfigurationError: the file is no log.
            LogDamaged: its header cannot be read.
        """
        with LogReader(self.path) as log:
            return log.header

    @cached_property
    def holds_ledger(self) -> bool:
        """Whether there is any record of the ledger: a topic can be recorded while nobody writes to it."""
        if LEDGER not in self.header.partitions:
            return False
        with LogReader(self.path) as log:
            return any(record.topic == LEDGER for record in log)

    def words_before(self) -> Iterator[Record]:
        """Facts, demand and tenants that were sent before the span, without clocks: they hold on."""
        if self.span.since is None:
            return
        with LogReader(self.path) as log:
            for record in log.records(until=self.span.since):
                if record.topic in (SITES, DEMAND) and not is_clock(record):
                    yield record

    def inputs(self) -> Iterator[Record]:
        """The inputs that were sent within the span.

        Raises:
            LogDamaged: after what stands before the damage.
        """
        with LogReader(self.path) as log:
            for record in log.records(self.span.since, self.span.until):
                if record.topic in INPUTS:
                    yield record

    def with_ledger(self) -> Iterator[Record]:
        """The inputs within the span, and the ledger cut by its own clock.

        Of the ledger before it there is what people said and which partitions were away, but neither clocks nor
        samples.
        """
        cut = LedgerCut(self.span.since, self.span.until)
        with LogReader(self.path) as log:
            for record in log:
                if record.topic in INPUTS and _within(record, self.span):
                    yield record
                elif record.topic == LEDGER:
                    kept = record if self.span.is_whole else cut.cut(record)
                    if kept is not None:
                        yield kept

    def require_inputs(self) -> None:
        """Make sure that there is something to send.

        Raises:
            ConfigurationError: no input was sent within the span, or the file is no log.
            LogDamaged: before the first input.
        """
        if next(self.inputs(), None) is not None or self.span.is_whole:
            return
        with LogReader(self.path) as log:
            times = [record.sent_at for record in log if record.topic in INPUTS]
        expected = "a log with inputs" if not times else f"some of {told(min(times))} to {told(max(times))}"
        raise ConfigurationError("the part", self.span.told, f"{expected}: nothing was sent within it")

    def require_records(self) -> None:
        """Make sure that there is something to fold.

        Raises:
            ConfigurationError: no input was sent within the span, or the ledger, which is folded where there is one,
                tells of another time.
        """
        if self.span.is_whole or not self.holds_ledger:
            self.require_inputs()
        elif not any(record.topic == LEDGER and record.header("ce_type") == _SAMPLES for record in self.with_ledger()):
            expected = "a time that the log's ledger tells of; a log without it (`fleettwin record --topics"
            raise ConfigurationError("the part", self.span.told, f"{expected} telemetry,sites,demand`) is folded anew")


def first_sent_at(path: Path) -> int | None:
    """When the log's first record was first sent; none where there is none."""
    with LogReader(path) as log:
        return log.begins()


def told(instant: int) -> str:
    """An instant as options take it: `2026-01-01T00:00:00.000Z`."""
    return moment_of(instant).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _within(record: Record, span: Span) -> bool:
    return (span.since is None or record.sent_at >= span.since) and (span.until is None or record.sent_at < span.until)
