"""Partitions added to telemetry: sites would change their places, so workers say so and end instead of guessing."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded.stack import RunningStack
from infra.topics import full_name
from models.topics import TELEMETRY
from tests.live.world import new_world


@pytest.mark.servers
@pytest.mark.parametrize("worker", ["twin", "store"])
def test_a_worker_does_not_start_where_partitions_were_added(
    worker: str, stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path) as world:
        name = full_name(world.settings.kafka, TELEMETRY)
        world.admin.create_partitions({name: 6})
        world.wait_until(lambda: len(world.ends(TELEMETRY)) == 6, "Kafka has added them")
        done = world.fleettwin(worker)

    assert done.returncode == 2
    assert f"the number of partitions of {name} is 6; expected 4" in done.stderr
    assert "FLEETTWIN_KAFKA__TELEMETRY_PARTITIONS" in done.stderr
