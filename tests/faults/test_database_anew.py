"""A database that is made anew, or set back, while Kafka keeps its topics: all rows come again by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded.stack import RunningStack
from infra.settings import ClockSource
from infra.timescale.connection import server_name
from infra.timescale.migrations import migrate
from models.topics import STATE, TELEMETRY
from tests.faults.crew import Crew, crew, worker
from tests.live.world import SCENARIO, STORED, World, new_world, reached

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

PATIENCE_SECONDS = 180.0


def make_anew(world: World) -> None:
    """As `fleettwin stack reset` would, and then `fleettwin db migrate`."""
    world.database.execute(f'drop schema "{world.schema}" cascade')
    migrate(world.database, world.schema, server_name(world.environment["FLEETTWIN_DATABASE__URL"]))


def set_back(world: World) -> None:
    """As a backup would that knows nothing of the last few seconds."""
    tables = ("site_samples", "site_pools", "fleet_samples", "fleet_pools", "tenant_samples", "node_samples")
    for table in tables:
        world.database.execute(f"delete from \"{world.schema}\".{table} where time > now() - interval '5 s'")
    world.database.execute(f'update "{world.schema}".store_positions set next_offset = greatest(0, next_offset - 60)')


@pytest.mark.parametrize(
    ("befall", "at_work"),
    [pytest.param(make_anew, True, id="made-anew-at-work"), pytest.param(set_back, False, id="set-back-while-stopped")],
)
def test_all_rows_come_again(
    befall: object, at_work: bool, stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path, clock=ClockSource.WALL) as world, crew() as hired:
        twin, simulator = world.start("twin"), world.start("simulate", "--scenario", SCENARIO)
        store = hired.hire("store", worker("store"), world.environment, tmp_path)
        _wait_for_rows(world, hired)
        if not at_work:
            assert store.stop() == 0
        befall(world)  # type: ignore[operator]
        store.wanted = True
        _wait_for_rows(world, hired)
        world.stop(simulator)
        sent = world.ends(TELEMETRY)  # the worker goes on adding clocks
        hired.wait_until(lambda: reached(world.committed("twin"), sent), "the twin has folded all", PATIENCE_SECONDS)
        world.stop(twin)
        hired.wait_until(lambda: world.done("store", *STORED), "the store has written all", PATIENCE_SECONDS)
        assert store.stop() == 0

        verified = world.verified()

    assert verified["differences"] == 0, verified["first_difference"]
    assert (store.ends[1] > 0) == at_work, hired.told()


def _wait_for_rows(world: World, hired: Crew) -> None:
    """Wait until what is there now has become rows."""
    seen = world.end(STATE) + 9
    hired.wait_until(
        lambda: world.committed("store").get((STATE, 0), 0) >= seen, "the store has gone on", PATIENCE_SECONDS
    )
