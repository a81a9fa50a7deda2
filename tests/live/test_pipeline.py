"""What whole workers say of their own work, as rows: of every partition, with nothing taken for known that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded.stack import RunningStack
from infra.settings import ClockSource
from models.topics import DEMAND, LEDGER, NODES, PIPELINE, SHORTAGES, SITES, STATE, TELEMETRY, dead_letters
from tests.live.world import SCENARIO, World, new_world

READ = {
    "twin": {TELEMETRY, SITES, DEMAND, LEDGER},
    "store": {NODES, STATE, SHORTAGES, PIPELINE, *map(dead_letters, (TELEMETRY, SITES, DEMAND, LEDGER))},
}
STAGES = {"twin": {"site_state"}, "store": {"site_row", "node_row", "shortage_row"}}


def column(world: World, statement: str) -> set[object]:
    """The first column of a statement in the world's schema."""
    world.database.execute(f'set search_path to "{world.schema}"'.encode())
    return {row[0] for row in world.database.execute(statement.encode())}


def caught_up(world: World, app: str) -> bool:
    """Whether the app's newest word is that it has nothing left to read."""
    newest = f"(select max(time) from pipeline_flows where app = '{app}')"
    lags = column(world, f"select lag from pipeline_flows where app = '{app}' and time = {newest}")
    return lags == {0}


@pytest.mark.servers
def test_workers_say_what_they_read_how_late_it_was_and_that_nothing_is_left(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path, clock=ClockSource.WALL) as world:
        twin, store = world.start("twin"), world.start("store")
        simulator = world.start("simulate", "--scenario", SCENARIO)
        for app, stages in STAGES.items():
            said = f"select stage from pipeline_delays where app = '{app}' and p50_seconds between 0 and 120"
            world.wait_until(lambda s=said, all_=stages: column(world, s) == all_, f"{app} has told all its delays")  # type: ignore[misc]
        world.stop(simulator)
        world.wait_until(lambda: caught_up(world, "twin"), "the twin says that it has caught up")
        world.stop(twin)
        world.wait_until(lambda: caught_up(world, "store"), "the store says that it has caught up")
        world.stop(store)

        for app, topics in READ.items():
            assert column(world, f"select topic from pipeline_flows where app = '{app}'") == topics
            assert column(world, f"select count(distinct worker) from pipeline_workers where app = '{app}'") == {1}
        rows = column(world, "select sum(rows_written) from pipeline_workers where app = 'twin'")
        assert rows == {0}
        read = column(world, f"select sum(records) from pipeline_flows where topic = '{STATE}'")
        assert 0 < max(int(str(value)) for value in read) <= world.end(STATE)
        refused = column(world, "select count(*) from dead_letters")
        assert refused == {world.end(dead_letters(TELEMETRY))} != {0}
