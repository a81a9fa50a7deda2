"""Reads all of a log and says whether it is whole, and what else a replay would stumble over."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from infra.recordlog import LogDamaged, LogReader
from models.partitioning import NOT_PLACED
from models.record import SENT_AT, Record
from streams.logs.merging import Place

_TEXT = ("ce_type", "content-type", "ce_id", "ce_source", "ce_time", "ce_specversion")
"""Headers that are text wherever they are understood."""


@dataclass(slots=True)
class Verdict:
    """What was found of one log."""

    version: int = 0
    records: int = 0
    """Good ones: all, or those before the damage."""
    blocks: int = 0
    partitions: int = 0
    damage: LogDamaged | None = None
    disorder: list[str] = field(default_factory=list)
    """Where offsets do not grow, and records of partitions that the header does not know; the first of each."""
    unreadable: int = 0
    """Records with a header that nobody can read, which a log may well hold."""

    @property
    def is_good(self) -> bool:
        """Whether all of it can be relied upon."""
        return self.damage is None and not self.disorder

    @property
    def checked(self) -> tuple[str, ...]:
        """What was looked at."""
        index = "the index against the blocks" if self.version > 1 else "no index, which version 1 has not"
        return (
            "the checksums and sizes of all blocks",
            "the log's header",
            "the headers of all records",
            f"that offsets grow in each of {self.partitions} partitions, and the header knows of these",
            index,
            "the number of records",
        )


def verify_log(path: Path) -> Verdict:
    """Read a log from its beginning to its end, or to where it is damaged.

    Raises:
        ConfigurationError: this is no log.
    """
    verdict = Verdict()
    try:
        with LogReader(path) as log:
            verdict.version = log.version
            try:
                _read(log, verdict)
            finally:
                verdict.blocks = log.blocks
    except LogDamaged as damage:
        verdict.damage = damage
    return verdict


def _read(log: LogReader, verdict: Verdict) -> None:
    last: dict[Place, int] = {}
    told: set[Place] = set()
    for record in log:
        verdict.records += 1
        verdict.unreadable += not _readable(record)
        place = record.topic, record.partition
        if record.partition == NOT_PLACED:
            continue
        before = last.get(place)
        if before is None:
            verdict.partitions += 1
            count = log.header.partitions.get(record.topic)
            if count is not None and record.partition >= count:
                verdict.disorder.append(f"{record.topic}/{record.partition}: the header says {count} partitions")
        elif record.offset <= before and place not in told:
            told.add(place)
            verdict.disorder.append(f"{record.topic}/{record.partition}: offset {record.offset} after {before}")
        last[place] = record.offset


def _readable(record: Record) -> bool:
    sent_at = record.header(SENT_AT)
    if sent_at is not None and not sent_at.isdigit():
        return False
    try:
        for name in _TEXT:
            (record.header(name) or b"").decode()
    except UnicodeDecodeError:
        return False
    return True
