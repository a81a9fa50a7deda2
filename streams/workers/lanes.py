"""All lanes of a worker: opened from their checkpoints after a rebalance, stored now and then, closed when revoked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from faust.types import TP

from infra.kafka_security import client_security
from infra.settings import KafkaSettings
from infra.topics import full_name
from models.errors import ConfigurationError, SnapshotDamaged
from models.record import Headers, Outgoing, Record
from streams.workers.checkpointing import Checkpoint, furthest, records_of
from streams.workers.faust_app import assigned_places, commit
from streams.workers.giving_up import give_up
from streams.workers.lane import Disordered, Lane, Machine
from streams.workers.leaving import LEAVE_SECONDS, end_within
from streams.workers.watchdog import Vitals

log = structlog.get_logger()

GAP_PATIENCE_SECONDS = 10.0
"""How long a lane waits for its next record while later ones come; then the worker starts anew from its checkpoint."""


@dataclass(frozen=True, slots=True)
class LaneKind:
    """An input topic, where its machines' checkpoints are, and how one is made for a partition."""

    topic: str
    checkpoints: str
    machine: Callable[[int], Machine]


@dataclass
class Lanes:
    """The lanes that this worker owns. Faust's own acks are off: nothing is committed but what is stored here."""

    app: Any
    kafka: KafkaSettings
    address: str
    kinds: Mapping[str, LaneKind]
    open: dict[tuple[str, int], Lane] = field(default_factory=dict)
    settled: bool = False
    """Whether `open` is what this worker was assigned last; not before the first assignment, nor while one changes."""
    on_open: list[Callable[[], None]] = field(default_factory=list)
    """Called whenever lanes have been opened."""
    on_fold: list[Callable[[Record], None]] = field(default_factory=list)
    """Called with each record once it is folded, and its outputs are handed over."""
    on_send: list[Callable[[Outgoing], None]] = field(default_factory=list)
    """Called with each output once the producer has it."""
    _gap_since: dict[tuple[str, int], float] = field(default_factory=dict)

    def attach(self) -> None:
        """Follow the app's rebalances and its end."""
        self.app.on_rebalance_complete.connect(self._on_rebalance_complete)
        self.app.on_partitions_revoked.connect(self._on_revoked)
        self.app.on_before_shutdown.connect(self._on_shutdown)

    def position(self, place: tuple[str, int]) -> int | None:
        """The next offset that a lane will fold; none where it is not open."""
        lane = self.open.get(place)
        return None if lane is None else lane.next_offset

    def vitals(self) -> Vitals:
        """How far this worker is, for its watchdog."""
        return Vitals({place: self.position(place) for place in self._assigned()})

    def _assigned(self) -> list[tuple[str, int]]:
        places = assigned_places(self.app.consumer, self.kafka)
        return [place for place in places if place[0] in self.kinds]

    async def accept(self, message: Any) -> None:
        """Fold a message of Faust's; one of a lane that is not ours any more is left to its owner."""
        record = record_of(message, self.kafka)
        topic = record.topic
        lane = self.open.get((topic, record.partition))
        if lane is None:
            return
        try:
            if await lane.accept(record):
                for hear in self.on_fold:
                    hear(record)
            if self._gap_since:
                self._gap_since.pop((topic, message.partition), None)
        except Disordered as gap:
            await self._go_back(lane, message, gap)
        except Exception as error:  # noqa: BLE001 - the outermost edge: Faust would log it and skip the record
            give_up("a record could not be folded", topic=topic, offset=message.offset, error=repr(error))

    async def _go_back(self, lane: Lane, message: Any, gap: Disordered) -> None:
        """Have Faust read again from where the lane stands: after quick rebalances it may have begun further on.

        Or go on where no record is left between: the end of a sender's transaction has an offset, and is no record.
        """
        known = self._gap_since.get((lane.topic, message.partition))
        if known is not None:
            if time.monotonic() - known > GAP_PATIENCE_SECONDS:
                give_up("a lane misses a record", topic=lane.topic, partition=message.partition, error=str(gap))
            return
        try:
            next_offset = await self._next_record(message, lane.next_offset)
        except KafkaError as error:
            give_up("a gap in the log cannot be looked into", topic=lane.topic, error=repr(error))
        if next_offset > lane.next_offset:
            log.info("no record is left between", topic=lane.topic, begin=lane.next_offset, end=next_offset)
            lane.skip_to(next_offset)
            await self.accept(message)
            return
        self._gap_since[lane.topic, message.partition] = time.monotonic()
        log.info("reading again", topic=lane.topic, partition=message.partition, why=str(gap))
        await self.app.consumer.seek(TP(message.topic, message.partition), lane.next_offset)

    async def _next_record(self, message: Any, offset: int) -> int:
        """The offset of the first record from there on, asked of Kafka itself; there is one, as `message` follows."""
        place = TopicPartition(message.topic, message.partition)
        consumer = self._reader()
        await consumer.start()
        try:
            consumer.assign([place])
            consumer.seek(place, offset)
            record = await consumer.getone(place)
        finally:
            await consumer.stop()
        return int(record.offset)

    def _reader(self) -> AIOKafkaConsumer:
        """A consumer beside Faust's, of no group."""
        return AIOKafkaConsumer(
            bootstrap_servers=self.address,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            retry_backoff_ms=10,  # it learns of one topic after another, and pauses so long before each
            **client_security(self.kafka),
        )

    async def send(self, output: Outgoing) -> Any:
        """Hand a record to the producer; the result is awaitable and done when the record is stored."""
        stored = await self.app.producer.send(
            full_name(self.kafka, output.topic), output.key, output.value, output.partition, None, list(output.headers)
        )
        for hear in self.on_send:
            hear(output)
        return stored

    async def store_all(self) -> None:
        """Checkpoint every lane that has folded something."""
        for lane_id, lane in list(self.open.items()):
            await self._store(lane_id, lane)

    async def _store(self, lane_id: tuple[str, int], lane: Lane) -> None:
        topic, partition = lane_id
        try:
            async with lane.storing:
                generation = self.app.consumer_generation_id
                checkpoint = await lane.cut(generation)
                if checkpoint is None:
                    return
                target = full_name(self.kafka, self.kinds[topic].checkpoints)
                records = await asyncio.to_thread(lambda: list(records_of(checkpoint)))
                sent = [
                    await self.app.producer.send(target, key, value, partition, None, None) for key, value in records
                ]
                await asyncio.gather(*sent)
                if self.app.consumer_generation_id == generation:
                    place = TP(full_name(self.kafka, topic), partition)
                    await commit(self.app.consumer, {place: checkpoint.next_offset})
        except Exception as error:  # noqa: BLE001 - going on would leave a hole: start anew from what is stored
            give_up("a checkpoint could not be stored", topic=topic, partition=partition, error=repr(error))

    async def _on_revoked(self, _app: Any, _revoked: Iterable[Any], **_: Any) -> None:
        self.settled = False
        await self.store_all()
        self.open.clear()

    async def _on_shutdown(self, _app: Any, **_: Any) -> None:
        await self.store_all()
        end_within(LEAVE_SECONDS, int(self.app.crashed))

    async def _on_rebalance_complete(self, _app: Any, **_: Any) -> None:
        """Open the lanes of all partitions assigned, and have Faust read on from where each one stands."""
        try:
            await self._open_assigned()
        except ConfigurationError as wrong:
            give_up(str(wrong), exit_code=2)
        except SnapshotDamaged as damaged:
            give_up(f"{damaged}; delete the topics of checkpoints and make them again: the logs are then folded anew")
        except Exception as error:  # noqa: BLE001 - without its state a lane must not run
            give_up("checkpoints could not be read", error=repr(error))

    async def _open_assigned(self) -> None:
        begun = time.monotonic()
        lanes = await self._loaded(sorted(self._assigned()))
        positions = {
            TP(full_name(self.kafka, topic), partition): lane.next_offset for (topic, partition), lane in lanes.items()
        }
        # After this signal Faust seeks to the committed offsets, whatever the position was before.
        if positions and not await commit(self.app.consumer, positions):
            log.info("another rebalance came while checkpoints were read")
        for place, offset in positions.items():
            if offset == 0:  # a committed offset of 0 is no place to seek to, says aiokafka, and stays where it was
                await self.app.consumer.seek(place, 0)
        self.open, self._gap_since, self.settled = lanes, {}, True
        for hear in self.on_open:
            hear()
        log.info("lanes open", lanes=len(lanes), seconds=round(time.monotonic() - begun, 3))

    async def _loaded(self, assigned: list[tuple[str, int]]) -> dict[tuple[str, int], Lane]:
        if not assigned:
            return {}
        consumer = self._reader()
        sources = {
            lane_id: TopicPartition(full_name(self.kafka, self.kinds[lane_id[0]].checkpoints), lane_id[1])
            for lane_id in assigned
        }
        inputs = {lane_id: TopicPartition(full_name(self.kafka, lane_id[0]), lane_id[1]) for lane_id in assigned}
        places = sorted({*sources.values(), *inputs.values()})
        await consumer.start()
        try:
            # All offsets before the first fetch: behind that, on the same connection, each would wait half a second.
            begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
            stored = await _read_whole(consumer, set(sources.values()), begins, ends)
        finally:
            await consumer.stop()
        lanes = {}
        for lane_id in assigned:
            checkpoint = furthest(lane_id[0], stored[sources[lane_id]])
            lanes[lane_id] = self._lane(lane_id, checkpoint, begins[inputs[lane_id]], ends[inputs[lane_id]])
        return lanes

    def _lane(self, lane_id: tuple[str, int], checkpoint: Checkpoint | None, begin: int, end: int) -> Lane:
        topic, partition = lane_id
        machine = self.kinds[topic].machine(partition)
        if checkpoint is not None and checkpoint.next_offset > end:
            log.warning(
                "the log is shorter than its checkpoint says; folding it anew", topic=topic, partition=partition
            )
            checkpoint = None
        if checkpoint is None:
            return Lane(topic, machine, self.send, begin)
        machine.restore(checkpoint.state)
        if checkpoint.next_offset < begin:
            lost = begin - checkpoint.next_offset
            log.warning("records expired before they were folded", topic=topic, partition=partition, records=lost)
        return Lane(topic, machine, self.send, max(checkpoint.next_offset, begin), checkpoint.slot)


async def _read_whole(
    consumer: AIOKafkaConsumer,
    partitions: Collection[TopicPartition],
    begins: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> dict[TopicPartition, dict[bytes, bytes]]:
    """The last value of every key of these partitions."""
    values: dict[TopicPartition, dict[bytes, bytes]] = {tp: {} for tp in partitions}
    behind = {tp for tp in partitions if begins[tp] < ends[tp]}
    consumer.assign(list(behind))
    for tp in behind:
        consumer.seek(tp, begins[tp])
    while behind := {tp for tp in behind if await consumer.position(tp) < ends[tp]}:
        for tp, records in (await consumer.getmany(*behind, timeout_ms=200)).items():
            values[tp].update((record.key, record.value) for record in records if record.key and record.value)
    return values


def record_of(message: Any, kafka: KafkaSettings) -> Record:
    """The record that Faust's message holds; its topic without our prefix."""
    return Record(
        message.topic.removeprefix(kafka.topic_prefix),
        message.partition,
        message.offset,
        round(message.timestamp * 1000),
        message.key,
        message.value,
        _pairs(message.headers),
    )


def _pairs(headers: Any) -> Headers:
    """A header without a value, which Kafka allows, becomes an empty one, as it does for every other reader of ours."""
    pairs = tuple(headers.items() if isinstance(headers, dict) else headers or ())
    for _, value in pairs:
        if value is None:
            return tuple((name, known or b"") for name, known in pairs)
    return pairs
