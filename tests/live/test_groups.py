"""A worker that was killed is dismissed by its successor, which need not wait until Kafka misses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded.stack import RunningStack
from infra.groups import dismiss
from streams.workers.identity import has_ended
from tests.live.world import new_world


@pytest.mark.servers
def test_only_members_that_have_ended_are_dismissed(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path) as world:
        worker = world.start("twin")
        world.wait_until(lambda: world.members("twin") == 1, "the worker has partitions")
        while_it_lives = dismiss(world.settings, "twin", has_ended)
        world.kill(worker)
        once_it_is_dead = dismiss(world.settings, "twin", has_ended)

        assert (while_it_lives, once_it_is_dead, world.members("twin")) == (0, 1, 0)
