"""Reads what the console shows from Kafka, from a quarter of an hour ago on; a broker that is away is waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import ValidationError

from infra.kafka_clients import MOST_MESSAGE_BYTES
from infra.kafka_security import client_security
from infra.settings import KafkaSettings
from infra.topics import full_name
from models.record import Record
from models.topics import OPEN_SHORTAGES, SHORTAGES, STATE, WORKERS
from streams.console.history import SPAN_MILLISECONDS
from streams.console.live import RESOLVED_KEPT, LiveFleet
from streams.console.owners import Owners

log = structlog.get_logger()

OWNERS_MILLISECONDS = 120_000
"""Owners repeat themselves several times in it."""
EVENTS_READ = 20_000
"""The last shortage events, read in any case: an episode older than the topic of what is open is among them."""

_POLL_MILLISECONDS = 200
_TOLD_SECONDS = 0.25
"""Between two ticks that are told, however fast they come."""
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0


@dataclass
class Follower:
    """Feeds the live fleet and the owners; goes on where it was when Kafka comes back."""

    address: str
    kafka: KafkaSettings
    live: LiveFleet
    owners: Owners
    caught_up: bool = False
    """Whether all that was there at the last start of reading has been read."""
    _positions: dict[TopicPartition, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Follow until cancelled."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            begun = time.monotonic()
            try:
                await self._follow()
            except Exception as away:  # noqa: BLE001 - the outermost edge: the twin goes on without its console
                self.caught_up = False
                if time.monotonic() - begun > _LONGEST_PAUSE_SECONDS:
                    pause = _FIRST_PAUSE_SECONDS
                log.warning("the console cannot read from Kafka", why=repr(away), seconds_until_next=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.address,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MOST_MESSAGE_BYTES,
            **client_security(self.kafka),
        )
        try:
            await consumer.start()
            ends = await self._assign(consumer)
            told = 0.0
            while True:
                batches = await consumer.getmany(timeout_ms=_POLL_MILLISECONDS, max_records=500)
                for place, records in batches.items():
                    for one in records:
                        self._take(_record(one, self.kafka))
                        self._positions[place] = one.offset + 1
                if not self.caught_up and await _reached(consumer, ends):
                    self.live.settle()
                    self.caught_up = True
                if time.monotonic() - told >= _TOLD_SECONDS:
                    told = time.monotonic()
                    self.live.tell()
                await asyncio.sleep(0)  # a long backlog must not keep the twin from its own records
        finally:
            await consumer.stop()

    async def _assign(self, consumer: AIOKafkaConsumer) -> Mapping[TopicPartition, int]:
        """Give the consumer its places, and tell where each ends now."""
        state, shortages, standing, workers = (
            TopicPartition(full_name(self.kafka, topic), 0) for topic in (STATE, SHORTAGES, OPEN_SHORTAGES, WORKERS)
        )
        places = [state, shortages, standing, workers]
        # All offsets before the first fetch: behind that, on the same connection, each would wait half a second.
        begins: dict[TopicPartition, int] = await consumer.beginning_offsets(places)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
        if not self._positions:
            now = time.time_ns() // 1_000_000
            since = {
                state: now - SPAN_MILLISECONDS,
                shortages: now - round(RESOLVED_KEPT.total_seconds() * 1000),
                workers: now - OWNERS_MILLISECONDS,
            }
            found = await consumer.offsets_for_times(since)
            self._positions = {place: ends[place] if (at := found[place]) is None else at.offset for place in since}
            self._positions[shortages] = min(self._positions[shortages], max(ends[shortages] - EVENTS_READ, 0))
            self._positions[standing] = begins[standing]
        consumer.assign(places)
        for place in places:
            consumer.seek(place, max(self._positions[place], begins[place]))
        return ends

    def _take(self, record: Record) -> None:
        try:
            if record.topic == WORKERS:
                self.owners.take(record)
            else:
                self.live.take(record)
        except ValidationError as invalid:
            why = f"{invalid.error_count()} faults, first: {invalid.errors()[0]['msg']}"
            log.warning("a record is none of ours", topic=record.topic, offset=record.offset, why=why)


async def _reached(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    return all([await consumer.position(place) >= end for place, end in ends.items()])


def _record(message: Any, kafka: KafkaSettings) -> Record:
    """The record that aiokafka's message holds; its topic without our prefix."""
    return Record(
        message.topic.removeprefix(kafka.topic_prefix),
        message.partition,
        message.offset,
        message.timestamp,
        message.key,
        message.value,
        tuple((name, value or b"") for name, value in message.headers),
    )
