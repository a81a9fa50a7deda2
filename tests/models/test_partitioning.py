"""Partitions by key: Kafka's choice, and the place of what nobody has sent yet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import murmur2 as murmur2_of_kafka_python

from models.cloudevents import EventType
from models.errors import ConfigurationError
from models.partitioning import NOT_PLACED, murmur2, partition_of, placed
from models.record import Record


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        pytest.param(b"21", -973932308, id="two-bytes"),
        pytest.param(b"abc", 479470107, id="three-bytes"),
        pytest.param(b"foobar", -790332482, id="six-bytes"),
        pytest.param(b"a-little-bit-long-string", -985981536, id="whole-words"),
        pytest.param(b"a-little-bit-longer-string", -1486304829, id="two-bytes-over"),
        pytest.param(b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971, id="long"),
    ],
)
def test_the_hash_is_that_of_kafkas_java_client(key: bytes, hashed: int) -> None:
    assert murmur2(key) == hashed % 2**32


@given(key=st.binary(max_size=200), partitions=st.integers(1, 1000))
def test_the_partition_is_the_one_that_kafka_python_chooses(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (murmur2_of_kafka_python(key) & 0x7FFFFFFF) % partitions


def record(key: bytes, partition: int = NOT_PLACED, offset: int = 0, topic: str = "t", clock: bool = False) -> Record:
    headers = (("ce_type", EventType.CLOCK.encode()),) if clock else ()
    return Record(topic, partition, offset, 0, key, b"", headers)


def places(*records: Record, partitions: int = 3) -> list[tuple[bytes | None, int, int]]:
    return [(r.key, r.partition, r.offset) for r in placed(records, {"t": partitions})]


def test_what_has_a_place_keeps_it() -> None:
    assert places(record(b"a", 2, 40), record(b"b", 0, 7)) == [(b"a", 2, 40), (b"b", 0, 7)]


def test_data_without_a_place_goes_by_its_key_to_the_next_free_offset() -> None:
    partition = partition_of(b"memphis", 3)

    assert places(record(b"memphis"), record(b"memphis")) == [(b"memphis", partition, 0), (b"memphis", partition, 1)]


def test_a_clock_without_a_place_is_for_every_partition() -> None:
    assert places(record(b"", 1, 5), record(b"c", clock=True)) == [
        (b"", 1, 5),
        (b"c", 0, 0),
        (b"c", 1, 6),
        (b"c", 2, 0),
    ]


@pytest.mark.parametrize(
    ("stranger", "said"),
    [
        pytest.param(record(b"", topic="u"), "one of t", id="unknown-topic"),
        pytest.param(record(b"", partition=3), "more than 3", id="partition-that-is-not-there"),
    ],
)
def test_a_record_that_has_no_place_is_an_error(stranger: Record, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        places(stranger)
