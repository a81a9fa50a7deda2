"""A million accelerators at a reading a second: what the workers make of them is what the oracle says, to the byte."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import orjson
import pytest

from infra.embedded.stack import RunningStack
from infra.settings import ClockSource
from models.instants import instant_of
from models.topics import NODES, SHORTAGES, STATE
from tests.live.world import new_world

pytestmark = [pytest.mark.servers, pytest.mark.timeout(900)]

SECONDS = 24
READINGS = 125_000 * (SECONDS - 1)
"""The first step of a simulation states facts and demand, and has no readings."""

PATIENCE_SECONDS = 300.0
"""A machine that is too slow for this rate falls behind, and has to arrive at the same all the same."""


def test_at_full_rate_and_after_a_kill_no_topic_and_no_row_differs_from_the_oracle(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    published = tmp_path / "published.json"
    with new_world(stack, kafka_prefix, database_url, tmp_path, clock=ClockSource.WALL) as world:
        first, store = world.start("twin", name="first"), world.start("store")
        world.wait_until(lambda: world.members("twin") == 1, "the twin has its partitions")
        world.start("simulate", "--scenario", "million", "--seconds", str(SECONDS), "--report", published)
        world.wait_until(lambda: world.end(NODES) > 0, "node frames are on their way", PATIENCE_SECONDS)
        world.kill(first)
        second = world.start("twin", name="second")
        world.wait_until(published.exists, "everything is sent", PATIENCE_SECONDS)
        told = orjson.loads(published.read_bytes())
        last = instant_of(datetime.fromisoformat(told["last_event_time"]))
        world.wait_until(lambda: (world.newest_tick() or 0) >= last, "all of it has become rows", PATIENCE_SECONDS)
        world.stop(second)
        world.wait_until(lambda: world.done("store", NODES, STATE, SHORTAGES), "the store has written all")
        world.stop(store)

        verified = world.told("verify")

    assert verified["differences"] == 0, verified["first_difference"]
    assert verified["readings"] == {"observed": told["published"], "refused": 0}
    assert told["published"] >= READINGS
    assert verified["compared"]["table node_samples"]["found"] >= 2 * 125_000
