"""What the checkpoints of a twin worker cost: bytes on Kafka, seconds of CPU, and how long its event loop stands still.

Taken from a checkpoint topic as a worker has left it: its states are restored, and cut and packed again here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from infra.kafka_clients import opened_consumer
from infra.rules import rules_of
from infra.settings import Settings
from infra.topics import partition_counts
from models.catalogue import shipped_catalogue
from models.record import Record
from models.topics import SITE_CHECKPOINTS, TELEMETRY
from streams.logs.topic_reading import read_batches
from streams.workers.checkpointing import Checkpoint, furthest, records_of
from twin.telemetry import TelemetryMachine

WINDOW_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class CheckpointCost:
    """Of one round over all telemetry partitions; the loop stands still for one partition at a time."""

    state_mb: float
    packed_mb: float
    mb_per_second: float
    """Written to Kafka over the last 20 s."""
    restore_seconds: float
    snapshot_seconds: float
    """In the event loop, all partitions together."""
    longest_snapshot_seconds: float
    pack_seconds: float
    """Of CPU, in a thread beside the loop."""


def cost_of_checkpoints(settings: Settings, before: int) -> CheckpointCost:
    """Of those in the topic; `before` is the end of the window, in milliseconds."""
    values: dict[int, dict[bytes, bytes]] = {}
    written = 0
    with opened_consumer(settings) as consumer:
        counts = partition_counts(settings, [SITE_CHECKPOINTS])
        for batch in read_batches(consumer, settings.kafka, counts):
            for record in batch:
                values.setdefault(record.partition, {})[record.key or b""] = record.value or b""
                written += size_within(record, before)
    found = {partition: furthest(TELEMETRY, of) for partition, of in values.items()}
    return _measured(settings, {number: one for number, one in found.items() if one is not None}, written)


def size_within(record: Record, before: int) -> int:
    """The bytes of a record that was written within the window, else none."""
    within = before - WINDOW_SECONDS * 1000 < record.timestamp <= before
    return len(record.key or b"") + len(record.value or b"") if within else 0


def _measured(settings: Settings, checkpoints: Mapping[int, Checkpoint], written: int) -> CheckpointCost:
    rules, catalogue = rules_of(settings.twin), shipped_catalogue()
    restoring, packing, snapshots = 0.0, 0.0, list[float]()
    packed = 0
    for partition, checkpoint in checkpoints.items():
        machine = TelemetryMachine(partition, settings.kafka.telemetry_partitions, rules, catalogue)
        began = time.process_time()
        machine.restore(checkpoint.state)
        restored = time.process_time()
        state = machine.snapshot()
        cut = time.process_time()
        again = Checkpoint(checkpoint.lane, checkpoint.next_offset, state, 0, checkpoint.generation)
        packed += sum(len(value) for _, value in records_of(again))
        packing += time.process_time() - cut
        restoring += restored - began
        snapshots.append(cut - restored)
    return CheckpointCost(
        round(sum(len(one.state) for one in checkpoints.values()) / 1e6, 2),
        round(packed / 1e6, 2),
        round(written / 1e6 / WINDOW_SECONDS, 3),
        round(restoring, 4),
        round(sum(snapshots), 4),
        round(max(snapshots, default=0.0), 4),
        round(packing, 4),
    )
