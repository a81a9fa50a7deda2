"""A worker that sleeps: what it keeps to itself is carried as unknown, and said to be, until it wakes."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from infra.embedded import process
from infra.embedded.stack import RunningStack
from infra.settings import ClockSource
from models.cloudevents import EventType
from models.topics import LEDGER, STATE
from tests.live.world import SCENARIO, World, new_world

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

LONGEST_SLEEP_SECONDS = 7.0
"""Less than the group's session timeout, so that the sleeper keeps its partitions."""


def decisions(world: World) -> Counter[str]:
    """How often partitions were said to be away, and back."""
    kinds = Counter((record.header("ce_type") or b"").decode() for record in world.records(LEDGER))
    return Counter({"away": kinds[EventType.AWAY], "back": kinds[EventType.BACK]})


def test_partitions_of_a_sleeping_worker_are_away_until_it_wakes(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path, clock=ClockSource.WALL) as world:
        workers = [world.start("twin", name=name, FLEETTWIN_TWIN__SITE_TIMEOUT_SECONDS="2") for name in ("one", "two")]
        world.wait_until(lambda: world.members("twin") == 2, "both have partitions")
        simulator = world.start("simulate", "--scenario", SCENARIO)
        world.wait_until(lambda: world.end(STATE) > 0, "the twin is live")

        for worker in workers:  # the one that reads the ledger cannot speak of itself, but the other one sleeps too
            os.kill(worker.child.pid, signal.SIGSTOP)
            process.await_condition(lambda: decisions(world)["away"] > 0, LONGEST_SLEEP_SECONDS)
            os.kill(worker.child.pid, signal.SIGCONT)
        world.wait_until(lambda: decisions(world)["back"] >= decisions(world)["away"], "partitions are back")
        told = decisions(world)
        seen = world.end(STATE)
        world.wait_until(lambda: world.end(STATE) >= seen + 12, "the twin has gone on")
        world.stop(simulator, *workers)

        verified = world.told("verify", "--no-database")

    assert told["away"] == told["back"] > 0
    assert verified["differences"] == 0, verified["first_difference"]
