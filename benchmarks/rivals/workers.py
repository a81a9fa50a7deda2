"""Runs programs that read from Kafka, and measures what they cost from when they have their partitions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import Tree, program
from benchmarks.stage import Stage
from infra.embedded import process
from infra.groups import await_coordinator
from infra.kafka_clients import opened_admin
from models.errors import Unavailable

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

PATIENCE_SECONDS = 150.0
START_SECONDS, LOOK_AGAIN_SECONDS = 0.02, 0.25
"""Between two questions to Kafka: while a worker starts, every bit that it is ahead counts; its end can wait, and too
many questions would be work for Kafka."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A program that is the only member of a consumer group."""

    name: str
    group: str
    line: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reading:
    """That a group has safely read all that these topics hold; full names."""

    group: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds: of each worker by its name, and of the servers meanwhile."""

    workers: Mapping[str, float]
    kafka: float
    database: float


def measured(stage: Stage, workers: Sequence[Worker], until: Sequence[Reading]) -> Cost:
    """Start workers one after the other, and let them work until all of this has been read, in this order.

    What is counted begins when the last of them has its partitions: no start is in it, and no stop.

    Raises:
        Unavailable: one of them does not get there.
    """
    await_coordinator(stage.settings, "rivals")
    with opened_admin(stage.settings) as admin, ExitStack() as running:
        trees = [stage.kafka, stage.database]
        for worker in workers:
            log = stage.logs / f"rival-{worker.name}.log"
            child = running.enter_context(program(worker.name, worker.line, worker.environment, log))
            _wait(partial(_has_partitions, admin, worker.group), START_SECONDS, worker.name, log)
            trees.append(Tree(worker.name, child.pid))
        before = [tree.cpu_seconds() for tree in trees]
        for reading in until:
            _wait(partial(_holds, admin, reading), LOOK_AGAIN_SECONDS, reading.group, log)
        kafka, database, *each = (tree.cpu_seconds() - was for tree, was in zip(trees, before, strict=True))
    return Cost({worker.name: cpu for worker, cpu in zip(workers, each, strict=True)}, kafka, database)


def _wait(holds: Callable[[], bool], pause: float, name: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            why = f"it does not get there in {PATIENCE_SECONDS:.0f} s: {process.last_lines(log)}"
            raise Unavailable(name, why, f"Its log is {log}")
        time.sleep(pause)


def _has_partitions(admin: KafkaAdminClient, group: str) -> bool:
    from kafka.errors import GroupIdNotFoundError  # noqa: PLC0415  # slow to import

    try:
        described = admin.describe_groups([group])[group]
    except GroupIdNotFoundError:
        return False
    return bool(described["group_state"] == "Stable" and described["members"])


def _holds(admin: KafkaAdminClient, reading: Reading) -> bool:
    from kafka import TopicPartition  # noqa: PLC0415  # slow to import
    from kafka.admin import OffsetSpec  # noqa: PLC0415

    places = [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in admin.describe_topics(list(reading.topics))
        for partition in topic["partitions"]
    ]
    ends = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
    safe = admin.list_group_offsets(reading.group)[reading.group]
    return all(
        ends[place].offset == 0 or (place in safe and safe[place].offset >= ends[place].offset) for place in places
    )
