"""A reader of record logs that knows docs/log-format.md and nothing else: what stands there is enough."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import zstandard

from infra.recordlog import LogReader
from tests.golden_logs import RECORDS, VERSION_1, VERSION_2


@dataclass
class Foreign:
    """A record as another program may hold it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]

    @property
    def sent_at(self) -> int:
        stated = [content for name, content in self.headers if name == "fleettwin_sent_at"]
        if stated and 0 < len(stated[-1]) < 18 and all(digit in b"0123456789" for digit in stated[-1]):
            return int(stated[-1])
        return self.timestamp


def block(file: BinaryIO, version: int) -> tuple[bytes, int, tuple[int, ...], bytes]:
    head = file.read(20 if version == 1 else 36)
    assert struct.unpack("<I", file.read(4))[0] == zlib.crc32(head)
    kind, count, stored_size, raw_size, checksum, *times = struct.unpack(
        "<4sIIII" if version == 1 else "<4sIIIIqq", head
    )
    stored = file.read(stored_size)
    assert zlib.crc32(stored) == checksum
    raw = zstandard.ZstdDecompressor().decompress(stored, max_output_size=raw_size)
    assert len(raw) == raw_size
    return kind, count, tuple(times), raw


def records_in(raw: bytes) -> Iterator[Foreign]:
    file = io.BytesIO(raw)
    while fixed := file.read(32):
        topic, partition, offset, timestamp, key, value, headers = struct.unpack("<HiqqiiH", fixed)
        record = Foreign(
            file.read(topic).decode(),
            partition,
            offset,
            timestamp,
            None if key < 0 else file.read(key),
            None if value < 0 else file.read(value),
            [],
        )
        for _ in range(headers):
            name, content = struct.unpack("<II", file.read(8))
            record.headers.append((file.read(name).decode(), file.read(content)))
        yield record


def read_all(file: BinaryIO) -> tuple[dict[str, Any], list[Foreign]]:
    """From the beginning to the end."""
    magic, version = struct.unpack("<8sI", file.read(12))
    assert (magic, version in (1, 2)) == (b"fleetlog", True)
    kind, _, _, raw = block(file, version)
    assert kind == b"HEAD"
    header, records, entries = json.loads(raw), [], b""
    begins = file.tell()
    kind, count, times, raw = block(file, version)
    while kind == b"RECS":
        found = list(records_in(raw))
        sent = [record.sent_at for record in found]
        assert len(found) == count
        assert version == 1 or times == (min(sent), max(sent))
        entries += struct.pack("<QIqqqq", begins, count, sent[0], sent[-1], min(sent), max(sent))
        records += found
        begins = file.tell()
        kind, count, times, raw = block(file, version)
    index, told = begins, b""
    while kind == b"INDX":
        assert len(raw) == 44 * count
        told += raw
        kind, count, times, raw = block(file, version)
    assert (kind, struct.unpack("<Q", raw)) == (b"DONE", (len(records),))
    if version == 2:
        assert told == entries
        place = struct.pack("<Q", index)
        assert file.read(20) == place + struct.pack("<I", zlib.crc32(place)) + b"fleetidx"
    assert file.read() == b""
    return header, records


def read_since(file: BinaryIO, since: int) -> list[Foreign]:
    """By the index of version 2."""
    file.seek(-20, io.SEEK_END)
    index, checksum, magic = struct.unpack("<QI8s", file.read())
    assert (magic, checksum) == (b"fleetidx", zlib.crc32(struct.pack("<Q", index)))
    file.seek(index)
    entries = []
    while (one := block(file, 2))[0] == b"INDX":
        entries += list(struct.iter_unpack("<QIqqqq", one[3]))
    records = []
    for begins, count, _, _, earliest, latest in entries:
        file.seek(begins)
        if latest >= since:
            records += [record for record in records_in(block(file, 2)[3]) if record.sent_at >= since]
        else:
            assert struct.unpack("<4sI12xqq", file.read(36)) == (b"RECS", count, earliest, latest)
    return records


def as_foreign(since: int = 0) -> list[Foreign]:
    return [
        Foreign(one.topic, one.partition, one.offset, one.timestamp, one.key, one.value, list(one.headers))
        for one in RECORDS
        if one.sent_at >= since
    ]


@pytest.mark.parametrize("path", [VERSION_1, VERSION_2], ids=["version-1", "version-2"])
def test_the_page_is_enough_to_read_a_log(path: Path) -> None:
    with path.open("rb") as file:
        header, records = read_all(file)

    with LogReader(path) as log:
        assert header["created_by"] == log.header.created_by
        assert header["partitions"] == log.header.partitions
        assert header["rules"] == log.header.rules
    assert records == as_foreign()


@pytest.mark.parametrize("after", [0, 900, 1001, 9999])
def test_the_page_is_enough_to_use_the_index(after: int) -> None:
    since = RECORDS[1].timestamp + after
    with VERSION_2.open("rb") as file:
        assert read_since(file, since) == as_foreign(since)
