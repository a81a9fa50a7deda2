"""What a log holds, counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from infra.recordlog import LogDamaged, LogHeader, LogReader
from models.partitioning import NOT_PLACED
from models.record import Record
from streams.logs.merging import Place


@dataclass(slots=True)
class Content:
    """Of one partition."""

    records: int = 0
    bytes: int = 0
    """Of keys, values and headers."""
    first_offset: int | None = None
    """None where records were not sent yet, and have no offset."""
    last_offset: int | None = None
    gaps: int = 0
    """How often an offset does not follow on the one before."""
    missing: int = 0
    """Offsets that are not there between the first and the last."""
    earliest: int | None = None
    """The earliest `sent_at`."""
    latest: int | None = None

    def add(self, record: Record) -> None:
        """Count a record in."""
        self.records += 1
        self.bytes += len(record.key or b"") + len(record.value or b"")
        self.bytes += sum(len(name.encode()) + len(value) for name, value in record.headers)
        sent_at = record.sent_at
        self.earliest = sent_at if self.earliest is None else min(self.earliest, sent_at)
        self.latest = sent_at if self.latest is None else max(self.latest, sent_at)
        if record.partition == NOT_PLACED:
            return
        if self.first_offset is None or self.last_offset is None:
            self.first_offset = record.offset
        elif record.offset != self.last_offset + 1:
            self.gaps += 1
            self.missing += max(0, record.offset - self.last_offset - 1)
        self.last_offset = record.offset


@dataclass(slots=True)
class Contents:
    """Of a log."""

    header: LogHeader
    version: int
    size: int = 0
    """Bytes of the file, as far as it was read."""
    blocks: int = 0
    stored_bytes: int = 0
    """What the blocks of records take in the file."""
    raw_bytes: int = 0
    """What they hold."""
    partitions: dict[Place, Content] = field(default_factory=dict)
    damage: LogDamaged | None = None

    @property
    def records(self) -> int:
        """All that can be read."""
        return sum(one.records for one in self.partitions.values())

    @property
    def earliest(self) -> int | None:
        """The earliest `sent_at`; none where there is no record."""
        return min((one.earliest for one in self.partitions.values() if one.earliest is not None), default=None)

    @property
    def latest(self) -> int | None:
        """The latest."""
        return max((one.latest for one in self.partitions.values() if one.latest is not None), default=None)

    @property
    def ratio(self) -> float | None:
        """How many bytes of records one in the file holds; none where there are none."""
        return self.raw_bytes / self.stored_bytes if self.stored_bytes else None


def inspect_log(path: Path) -> Contents:
    """Read all of a log, or up to where it is damaged.

    Raises:
        ConfigurationError: this is no log.
        LogDamaged: not even its header can be read.
    """
    with LogReader(path) as log:
        contents = Contents(log.header, log.version)
        try:
            for record in log:
                contents.partitions.setdefault((record.topic, record.partition), Content()).add(record)
        except LogDamaged as damage:
            contents.damage = damage
        contents.size, contents.blocks = log.position, log.blocks
        contents.stored_bytes, contents.raw_bytes = log.stored_bytes, log.raw_bytes
        contents.partitions = dict(sorted(contents.partitions.items()))
    return contents
