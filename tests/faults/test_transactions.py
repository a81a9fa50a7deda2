"""A sender that writes in transactions: their ends take offsets that no record has, and nobody waits for those."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded.stack import RunningStack
from infra.topics import full_name
from models.topics import DEMAND, SITES, TELEMETRY
from streams.simulator.clocks import clocked
from streams.simulator.telemetry import telemetry
from tests.faults.fleet import dirty_fleet
from tests.live.world import FOLDED, World, new_world, reached

START = 1_800_000_000_000
STEPS = 12


def send_in_transactions(world: World) -> int:
    """A step in each transaction; every third one is aborted, and then sent again."""
    from kafka import KafkaProducer

    prefix, readings = world.settings.kafka.topic_prefix, 0
    producer = KafkaProducer(
        bootstrap_servers=world.settings.kafka.bootstrap_servers, transactional_id=f"{prefix}sender", acks="all"
    )
    try:
        producer.init_transactions()
        steps = clocked(telemetry(dirty_fleet(80), START, seconds=STEPS), world.settings.kafka.telemetry_partitions)
        for number, step in enumerate(steps):
            for aborted in (True, False) if number % 3 == 0 else (False,):
                producer.begin_transaction()
                for record in step.records:
                    producer.send(
                        full_name(world.settings.kafka, record.topic),
                        value=record.value,
                        key=record.key,
                        headers=list(record.headers),
                        partition=record.partition,
                    )
                producer.flush()
                (producer.abort_transaction if aborted else producer.commit_transaction)()
                readings += step.readings
    finally:
        producer.close()
    return readings


@pytest.mark.servers
def test_offsets_without_records_are_passed_over(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path) as world:
        worker = world.start("twin")
        readings = send_in_transactions(world)
        last = {place: end - 1 for place, end in world.ends(TELEMETRY, SITES, DEMAND).items()}
        world.wait_until(lambda: reached(world.committed("twin"), last), "all but the last mark is folded")
        world.wait_until(lambda: world.done("twin", FOLDED[-1]), "the ledger is folded")
        world.stop(worker)

        verified = world.verified("--no-database")

    assert verified["differences"] == 0, verified["first_difference"]
    assert verified["readings"]["observed"] + verified["readings"]["refused"] == readings
