"""Checkpoints that are gone, damaged, or older than they were: the state is folded again, and comes to the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.embedded.stack import RunningStack
from infra.kafka_clients import opened_producer
from infra.topics import create_topics, describe, full_name
from models.record import Record
from models.topics import FLEET_CHECKPOINTS, SITE_CHECKPOINTS, STATE
from tests.faults.faults import spoil_checkpoints
from tests.live.world import FOLDED, SCENARIO, World, new_world

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

CHECKPOINTS = (SITE_CHECKPOINTS, FLEET_CHECKPOINTS)


def empty(world: World, _: list[Record]) -> None:
    """Kafka deletes no single records of a compacted topic: whoever empties it makes it anew."""
    world.admin.delete_topics([full_name(world.settings.kafka, topic) for topic in CHECKPOINTS])
    world.wait_until(lambda: _missing(world) == set(CHECKPOINTS), "the topics are gone")
    create_topics(world.settings)


def _missing(world: World) -> set[str]:
    return {found.layout.topic for found in describe(world.settings) if found.partitions is None}


def go_back(world: World, early: list[Record]) -> None:
    """The first checkpoints of all come again, as the newest words of their keys; those after them are damaged."""
    spoil_checkpoints(world.settings, random.Random(2))
    with opened_producer(world.settings) as producer:
        for record in early:
            name = full_name(world.settings.kafka, record.topic)
            producer.send(name, record.value, key=record.key, partition=record.partition)


@pytest.mark.parametrize("befall", [empty, go_back])
def test_a_worker_comes_to_the_same_without_its_newest_checkpoints(
    befall: Callable[[World, list[Record]], None],
    stack: RunningStack,
    kafka_prefix: str,
    database_url: str,
    tmp_path: Path,
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path) as world:
        worker = world.start("twin", FLEETTWIN_TWIN__CHECKPOINT_SECONDS="1")
        simulator = world.start("simulate", "--scenario", SCENARIO, "--speed", "10")
        world.wait_until(lambda: min(world.ends(*CHECKPOINTS).values()) > 0, "there are checkpoints of all")
        early = [record for topic in CHECKPOINTS for record in world.records(topic)]
        seen = world.end(STATE)
        world.wait_until(lambda: world.end(STATE) >= seen + 60, "the twin has gone on")
        world.kill(worker)
        befall(world, early)
        again = world.start("twin", name="again")
        world.wait_until(lambda: world.members("twin") == 1, "it has its partitions")
        world.stop(simulator)
        world.wait_until(lambda: world.done("twin", *FOLDED), "all is folded")
        world.stop(again)

        verified = world.verified("--no-database")

    assert verified["differences"] == 0, verified["first_difference"]
    assert verified["pending"] == 0
    assert verified["compared"][STATE]["repeated"] > 0
