"""Which partition a record belongs to: Kafka's own choice by key, so that what is sent and what is folded agree.

Source: murmur2 as in Kafka's Java client (`org.apache.kafka.common.utils.Utils`), whose sign bit is cleared before the
remainder is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from models.cloudevents import EventType
from models.errors import ConfigurationError
from models.record import Record

NOT_PLACED = -1
"""The partition of a record that nobody has sent yet: a clock is for every partition, the rest goes by key."""

_MASK = 0xFFFFFFFF
_MULTIPLIER = 0x5BD1E995
_SEED = 0x9747B28C


def murmur2(key: bytes) -> int:
    """The 32-bit hash of a key, unsigned."""
    whole = len(key) & ~3
    state = _SEED ^ len(key)
    for at in range(0, whole, 4):
        word = int.from_bytes(key[at : at + 4], "little") * _MULTIPLIER & _MASK
        word = (word ^ word >> 24) * _MULTIPLIER & _MASK
        state = (state * _MULTIPLIER & _MASK) ^ word
    if len(key) > whole:
        state = (state ^ int.from_bytes(key[whole:], "little")) * _MULTIPLIER & _MASK
    state = (state ^ state >> 13) * _MULTIPLIER & _MASK
    return state ^ state >> 15


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key among so many."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def placed(records: Iterable[Record], partitions: Mapping[str, int]) -> Iterator[Record]:
    """The records with a partition and an offset each, in the same order.

    What is `NOT_PLACED` takes the next free offset of its partition, as if it were sent there now; a clock becomes one
    record for each partition of its topic. What has its place keeps it.

    Args:
        records: In the order of their log.
        partitions: How many partitions each topic has.

    Raises:
        ConfigurationError: a record's topic is not among `partitions`, or its partition is not there.
    """
    free: dict[tuple[str, int], int] = {}
    clock = EventType.CLOCK.encode()
    for record in records:
        count = partitions.get(record.topic)
        if count is None:
            raise ConfigurationError("topic", record.topic, f"one of {', '.join(sorted(partitions))}")
        if record.partition >= count:
            raise ConfigurationError(f"partitions of {record.topic}", count, f"more than {record.partition}")
        if record.partition != NOT_PLACED:
            free[record.topic, record.partition] = record.offset + 1
            yield record
            continue
        everywhere = record.header("ce_type") == clock
        for partition in range(count) if everywhere else (partition_of(record.key or b"", count),):
            offset = free.get((record.topic, partition), 0)
            free[record.topic, partition] = offset + 1
            yield replace(record, partition=partition, offset=offset)
