"""Workers killed in mid-stream: others take up what they leave behind, and nothing is lost, doubled or changed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import orjson
import pytest

from infra.embedded.stack import RunningStack
from infra.settings import ClockSource
from models.instants import instant_of
from models.topics import SHORTAGES, STATE
from tests.infra.rolled_up import assert_rolled_up
from tests.live.world import SCENARIO, World, new_world

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

SOME_STATES = 12
"""Four ticks of two sites and the fleet."""


def wait_for_more_states(world: World) -> None:
    """Wait until the twin has gone on from where it is now."""
    seen = world.end(STATE)
    world.wait_until(lambda: world.end(STATE) >= seen + SOME_STATES, "the twin has gone on")


def wait_for_more_rows(world: World) -> None:
    """Wait until the store has stored what is there now."""
    seen = world.end(STATE)
    world.wait_until(lambda: world.committed("store").get((STATE, 0), 0) >= seen, "the store has gone on")


def test_nothing_is_lost_or_doubled_however_often_workers_are_killed(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    published = tmp_path / "published.json"
    with new_world(stack, kafka_prefix, database_url, tmp_path, clock=ClockSource.WALL) as world:
        first, store = world.start("twin", name="first"), world.start("store")
        simulator = world.start("simulate", "--scenario", SCENARIO, "--report", published)
        world.wait_until(lambda: world.end(SHORTAGES) > 0, "a shortage has opened")
        wait_for_more_rows(world)

        world.kill(first)
        first = world.start("twin", name="first-again")
        wait_for_more_states(world)

        second = world.start("twin", name="second")
        world.wait_until(lambda: world.members("twin") == 2, "both have partitions")
        wait_for_more_states(world)

        world.kill(first)
        world.kill(store)
        store = world.start("store", name="store-again")
        wait_for_more_states(world)
        wait_for_more_rows(world)

        world.stop(simulator)
        told = orjson.loads(published.read_bytes())
        last = instant_of(datetime.fromisoformat(told["last_event_time"]))
        world.wait_until(lambda: (world.newest_tick() or 0) >= last, "all that was sent has become rows")
        world.stop(second)
        world.wait_until(lambda: world.done("store", STATE, SHORTAGES), "the store has written all")
        world.stop(store)

        verified = world.told("verify")
        assert_rolled_up(world.database, world.schema)

    compared = verified["compared"]
    assert verified["differences"] == 0, verified["first_difference"]
    assert verified["readings"]["observed"] + verified["readings"]["refused"] == told["published"]
    assert verified["readings"]["refused"] > 0
    assert compared["fleet.shortages.v1"]["found"] > 0
    assert {where for where, tally in compared.items() if where.startswith("table ") and tally["found"] == 0} == set()
