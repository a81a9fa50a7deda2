"""Records as bytes: every field as it is, strings and byte strings with their length before them."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from models.partitioning import NOT_PLACED
from models.record import Record

_FIXED = struct.Struct("<HiqqiiH")
"""Length of the topic, partition, offset, timestamp, lengths of key and value (or `_NONE`), number of headers."""
_HEADER = struct.Struct("<II")
_NONE = -1


def pack_record(record: Record) -> bytes:
    """The bytes of one record."""
    topic, key, value = record.topic.encode(), record.key, record.value
    parts = [
        _FIXED.pack(
            len(topic),
            record.partition,
            record.offset,
            record.timestamp,
            _NONE if key is None else len(key),
            _NONE if value is None else len(value),
            len(record.headers),
        ),
        topic,
        key or b"",
        value or b"",
    ]
    for name, content in record.headers:
        encoded = name.encode()
        parts += (_HEADER.pack(len(encoded), len(content)), encoded, content)
    return b"".join(parts)


def unpack_records(raw: bytes) -> Iterator[Record]:
    """The records of a block.

    Raises:
        struct.error, UnicodeDecodeError: these are not the bytes of whole records.
    """
    at = 0
    while at < len(raw):
        topic_size, partition, offset, timestamp, key_size, value_size, count = _FIXED.unpack_from(raw, at)
        at += _FIXED.size
        if key_size < _NONE or value_size < _NONE:
            raise struct.error(f"a record with a key of {key_size} and a value of {value_size} bytes")
        if partition < NOT_PLACED:
            raise struct.error(f"a record of partition {partition}")
        topic = raw[at : (at := at + topic_size)].decode()
        key = None if key_size == _NONE else raw[at : (at := at + key_size)]
        value = None if value_size == _NONE else raw[at : (at := at + value_size)]
        headers = []
        for _ in range(count):
            name_size, content_size = _HEADER.unpack_from(raw, at)
            at += _HEADER.size
            name = raw[at : (at := at + name_size)].decode()
            headers.append((name, raw[at : (at := at + content_size)]))
        if at > len(raw):
            raise struct.error("the last record is cut off")
        yield Record(topic, partition, offset, timestamp, key, value, tuple(headers))
