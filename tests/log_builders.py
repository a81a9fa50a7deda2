"""Builders of record logs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from hypothesis import strategies as st

from infra.recordlog import LogHeader, LogReader, LogWriter
from infra.recordlog.writer import BLOCK_BYTES
from models.cloudevents import EventType
from models.record import Record
from models.topics import SITES, TELEMETRY

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
contents = st.binary(max_size=40) | names.map(str.encode)
records = st.builds(
    Record,
    topic=names,
    partition=st.integers(-1, 2**31 - 1),
    offset=st.integers(-(2**63), 2**63 - 1),
    timestamp=st.integers(-(2**63), 2**63 - 1),
    key=st.none() | contents,
    value=st.none() | st.binary(max_size=500) | names.map(str.encode),
    headers=st.lists(st.tuples(names, contents), max_size=4).map(tuple),
)
"""Whatever a log can hold."""

CLOCK = (("ce_type", EventType.CLOCK.encode()),)


def written(path: Path, records: Iterable[Record], header: LogHeader | None = None, block_bytes: int = 300) -> Path:
    """A log of these records."""
    with LogWriter(path, header or LogHeader(created_by="test"), block_bytes) as log:
        for record in records:
            log.append(record)
    return path


def write_log(path: Path, records: Iterable[Record], partitions: Mapping[str, int] | None = None) -> Path:
    """A log of these records in blocks as usual, of topics with so many partitions."""
    return written(path, records, LogHeader(created_by="test", partitions=partitions or {}), BLOCK_BYTES)


def read(path: Path) -> list[Record]:
    """Its records, all of them."""
    with LogReader(path) as log:
        return list(log)


def header_of(path: Path) -> LogHeader:
    """What it says of itself."""
    with LogReader(path) as log:
        return log.header


def cut_off(path: Path, whole: Path, kept: float = 0.5) -> Path:
    """A log that ends before it is whole."""
    content = whole.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    return path


def reading(site: str, offset: int, timestamp: int, partition: int = 0) -> Record:
    """A reading that says next to nothing."""
    return Record(TELEMETRY, partition, offset, timestamp, site.encode(), b'{"site":"%s"}' % site.encode())


def clock(offset: int, timestamp: int, topic: str = TELEMETRY) -> Record:
    """A clock."""
    return Record(topic, 0, offset, timestamp, b"clock", b"{}", CLOCK)


def facts(site: str, offset: int, timestamp: int) -> Record:
    """Site facts that say next to nothing."""
    return Record(SITES, 0, offset, timestamp, site.encode(), b"{}")


def placed_in(topics: Mapping[str, int], count: int, step: int = 100) -> list[Record]:
    """So many records, in turns over the partitions of these topics."""
    places = [(topic, partition) for topic, partitions in topics.items() for partition in range(partitions)]
    return [
        Record(*places[number % len(places)], number // len(places), step * number, b"k", b"%d" % number * 9)
        for number in range(count)
    ]
