"""Far more than the workers can take at once: it waits in Kafka and not in their memory, and none of it is lost."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from benchmarks.burst import Burst, Sending
from infra.embedded.stack import RunningStack
from infra.kafka_clients import opened_producer
from models.topics import TELEMETRY
from tests.live.world import FOLDED, STORED, Running, World, new_world

NODES = 20_000
ROUNDS = 100
"""Readings of every node, a second of event time apart; held as rows all at once they would fill over 200 MB."""
MOST_GROWTH_MB = 130
"""Of each worker, over what it takes with all nodes known and nothing waiting."""
STEP = 1000


def resident_mb(worker: Running) -> float:
    return float(psutil.Process(worker.child.pid).memory_info().rss / 1e6)


def lag(world: World) -> int:
    """Records of telemetry that are not stored as folded."""
    committed = world.committed("twin")
    return sum(max(end - committed.get(place, 0), 0) for place, end in world.ends(TELEMETRY).items())


@pytest.mark.servers
@pytest.mark.timeout(900)
def test_a_flood_waits_in_kafka_and_becomes_every_row(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    start = time.time_ns() // 1_000_000 // 10_000 * 10_000 - ROUNDS * STEP - 20_000
    burst = Burst(NODES, sites=4)
    with (
        new_world(stack, kafka_prefix, database_url, tmp_path) as world,
        opened_producer(world.settings) as producer,
    ):
        sending = Sending(producer, world.settings.kafka)
        twin, store = world.start("twin"), world.start("store")
        for second in range(3):
            sending.send_round(burst, start + second * STEP)
            sending.send_clock(start + second * STEP + 900)
        sending.settle()
        world.wait_until(lambda: world.done("twin", *FOLDED) and lag(world) == 0, "all nodes are known")
        before = {worker.name: resident_mb(worker) for worker in (twin, store)}

        for second in range(3, ROUNDS):
            sending.send_round(burst, start + second * STEP)
            sending.send_clock(start + second * STEP + 900)
        sending.settle()
        most_behind, most = lag(world), dict(before)

        def caught_up() -> bool:
            for worker in (twin, store):
                most[worker.name] = max(most[worker.name], resident_mb(worker))
            return world.done("twin", *FOLDED) and world.done("store", *STORED)

        world.wait_until(caught_up, "both have caught up")
        assert lag(world) == 0
        world.stop(twin, store)
        verified = world.told("verify")

    assert most_behind > ROUNDS * burst.frames / 2, "the workers kept up: this was no flood"
    grown = {name: round(most[name] - before[name]) for name in before}
    assert max(grown.values()) < MOST_GROWTH_MB, grown
    assert (verified["differences"], verified["pending"]) == (0, 0), verified["first_difference"]
    assert verified["readings"] == {"observed": sending.readings, "refused": 0}
    assert sending.readings == NODES * ROUNDS
