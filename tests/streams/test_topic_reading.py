"""Reading whole topics: all that is there, in one order, however much of one partition comes before the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded.stack import RunningStack
from infra.kafka_clients import opened_consumer
from infra.recordlog import LogHeader, LogWriter
from infra.settings import KafkaSettings, Settings
from infra.topics import create_topics
from models.record import Record
from models.topics import SITES, TELEMETRY
from streams.logs.parts import LogPart
from streams.logs.replaying import send_log
from streams.logs.topic_reading import MOST_WAITING_BYTES, read_batches

EACH = 7_000
"""More than one poll gives."""


@pytest.fixture
def filled(stack: RunningStack, kafka_prefix: str, tmp_path: Path) -> Settings:
    """Two partitions with much of one, then of the other, and again; a topic with little; one with nothing."""
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=stack.kafka, topic_prefix=kafka_prefix, telemetry_partitions=2)
    )
    create_topics(settings)
    with LogWriter(tmp_path / "log", LogHeader(created_by="test")) as log:
        for partition in (0, 1, 0, 1):
            for number in range(EACH):
                log.append(Record(TELEMETRY, partition, number, 0, b"site", b"%09d" % number * 10))
        log.append(Record(SITES, 0, 0, 0, b"site", b"facts"))
    send_log(settings, LogPart(tmp_path / "log"))
    return settings


def read(settings: Settings, most_waiting_bytes: int) -> list[Record]:
    with opened_consumer(settings) as consumer:
        batches = read_batches(
            consumer, settings.kafka, {TELEMETRY: 2, SITES: 1}, most_waiting_bytes=most_waiting_bytes
        )
        return [record for batch in batches for record in batch]


@pytest.mark.servers
def test_holding_partitions_back_changes_neither_the_records_nor_their_order(filled: Settings) -> None:
    held = read(filled, most_waiting_bytes=1)

    assert [record.offset for record in held if record.topic == TELEMETRY and record.partition == 1] == list(
        range(2 * EACH)
    )
    assert len(held) == 4 * EACH + 1
    assert held == read(filled, MOST_WAITING_BYTES)
