"""The store while its database is away: it waits, goes on by itself, and writes every row once."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest

from infra.embedded.stack import RunningStack
from models.topics import SHORTAGES, STATE
from tests.live.relay import relayed
from tests.live.world import SCENARIO, World, new_world

SPEED = 5


def wait_for_more_rows(world: World) -> None:
    """Wait until ticks are written that are not there now."""
    newest = world.newest_tick() or 0
    world.wait_until(lambda: (world.newest_tick() or 0) > newest, "more rows are written")


def end_the_stores_connections(world: World) -> int:
    """As an administrator would, or a restart of the server; tells how many there were."""
    ended = world.database.execute(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
    ).fetchone()
    return 0 if ended is None else int(ended[0])


@pytest.mark.servers
def test_a_database_that_goes_and_comes_back_costs_no_row(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    published = tmp_path / "published.json"
    address = urlsplit(database_url)
    assert address.hostname is not None
    assert address.port is not None
    with (
        relayed(address.hostname, address.port) as relay,
        new_world(stack, kafka_prefix, database_url, tmp_path) as world,
    ):
        through_relay = database_url.replace(f":{address.port}/", f":{relay.own_port}/")
        twin, store = world.start("twin"), world.start("store", FLEETTWIN_DATABASE__URL=through_relay)
        simulator = world.start("simulate", "--scenario", SCENARIO, "--speed", str(SPEED), "--report", published)
        wait_for_more_rows(world)

        relay.cut()
        seen = world.end(STATE)
        world.wait_until(lambda: relay.turned_away > 1, "the store has tried in vain")
        world.wait_until(lambda: world.end(STATE) > seen, "the twin has gone on all the while")
        assert "the database is away" in store.log.read_text()

        relay.mend()
        wait_for_more_rows(world)
        world.wait_until(lambda: end_the_stores_connections(world) > 0, "a connection of the store's was ended")
        wait_for_more_rows(world)

        world.stop(simulator)
        world.wait_until_all_is_stored()
        world.stop(twin, store)
        verified = world.told("verify")

    compared = verified["compared"]
    assert (verified["differences"], verified["pending"]) == (0, 0), verified["first_difference"]
    assert compared["table shortage_events"]["found"] == compared[SHORTAGES]["expected"] > 0
    told = orjson.loads(published.read_bytes())
    assert verified["readings"]["observed"] + verified["readings"]["refused"] == told["published"]
