"""Retention on a real TimescaleDB."""

from __future__ import annotations

import pytest
from psycopg import conninfo

from infra.settings import DatabaseSettings
from infra.timescale.batch import RowBatch
from infra.timescale.logins import create_login
from infra.timescale.retention import Retention
from infra.timescale.roles import Role
from infra.timescale.sink import TimescaleSink
from models.errors import ConfigurationError
from models.instants import Instant, moment_of
from tests.infra.timescale_builders import (
    HOUR,
    T0,
    fleet_state,
    letter,
    nodes,
    opened,
    pipeline_sample,
    select,
    shortage,
    site_state,
    tenant,
)

pytestmark = pytest.mark.servers

TWO_DAYS = Retention.of(DatabaseSettings(raw_retention_hours=48, rollup_retention_days=60))


def at(hours: int) -> RowBatch:
    tick = T0 + hours * HOUR
    return RowBatch(
        sites=[site_state(tick=tick)],
        fleet=[fleet_state(tick, tenants=[tenant()])],
        shortages=[shortage(hours, tick=tick)],
        nodes=[nodes(tick=tick)],
    )


def test_only_what_is_older_is_dropped(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        for hours in range(0, 100, 4):
            sink.write(at(hours))
        dropped = sink.retain(Instant(T0 + 100 * HOUR), TWO_DAYS)

        assert select(look, "select distinct time from node_samples order by time") == [
            (moment_of(T0 + hours * HOUR),) for hours in range(52, 100, 4)
        ]
        oldest = select(look, "select min(time) from site_samples")[0][0]
        assert moment_of(T0 + 46 * HOUR) < oldest <= moment_of(T0 + 52 * HOUR)
        assert select(look, "select min(time) from tenant_samples") == [(oldest,)]
        assert dropped["node_samples"] == 13
        assert dropped["tenant_samples"] == dropped["fleet_samples"] > 0
        assert dropped["site_1h"] == 0
        assert select(look, "select count(*) from shortage_events") == [(25,)]


def test_what_is_dropped_has_been_rolled_up_before(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        sink.write(at(0))
        sink.retain(Instant(T0 + 100 * HOUR), TWO_DAYS)

        assert select(look, "select count(*) from node_samples") == [(0,)]
        assert select(look, "select n from site_1h") == [(1,)]
        assert select(look, "select tenant, n, granted_sum, servable_max from tenant_1h") == [("research", 1, 8, 1)]
        assert select(look, "select n from node_1h") == [(1,), (1,)]


def test_rows_that_come_after_their_time_was_dropped_do_not_spoil_the_rollups(database_url: str) -> None:
    late = RowBatch(sites=[site_state(tick=T0 + 1000)], nodes=[nodes(tick=T0 + 10_000)])
    with opened(database_url) as (sink, look):
        sink.write(RowBatch(sites=[site_state(tick=T0 + s * 1000) for s in range(0, 60, 2)], nodes=[nodes()]))
        sink.retain(Instant(T0 + 100 * HOUR), TWO_DAYS)
        sink.write(late)
        sink.roll_up()

        assert select(look, "select n from site_1m") == [(30,)]
        assert select(look, "select n from site_1h") == [(30,)]
        assert select(look, "select n from node_1h") == [(1,), (1,)]


def test_nodes_whose_samples_are_dropped_are_known_as_they_were_until_they_come_back(database_url: str) -> None:
    newest = "select node, time from node_latest where site = 'abilene' order by node"
    with opened(database_url) as (sink, look):
        sink.write(RowBatch(nodes=[nodes("abilene", names=["n1", "n2"])]))
        sink.write(at(100))
        sink.retain(Instant(T0 + 100 * HOUR), TWO_DAYS)
        dropped = select(look, newest)
        sink.write(RowBatch(nodes=[nodes("abilene", T0 + 101 * HOUR, names=["n2"])]))

        assert dropped == [("n1", moment_of(T0)), ("n2", moment_of(T0))]
        assert select(look, newest) == [("n1", moment_of(T0)), ("n2", moment_of(T0 + 101 * HOUR))]


def test_rollups_go_after_their_own_time(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        sink.write(at(0))
        sink.write(at(24 * 100))
        sink.roll_up()
        dropped = sink.retain(Instant(T0 + 24 * 101 * HOUR), TWO_DAYS)

        assert dropped["site_1m"] == dropped["node_1h"] == dropped["tenant_1m"] == 1
        assert select(look, "select time from site_1m") == [(moment_of(T0 + 2400 * HOUR),)]


def test_what_has_the_time_of_the_wall_is_counted_back_from_its_own_newest_row(database_url: str) -> None:
    days = [T0 + day * 24 * HOUR for day in (0, 1, 4, 100)]
    with opened(database_url) as (sink, look):
        sink.write(at(0))
        sink.write(RowBatch(pipeline=[pipeline_sample(at=day) for day in days[:3]]))
        sink.write(RowBatch(letters=[letter(n, day) for n, day in enumerate(days)]))
        dropped = sink.retain(Instant(T0), TWO_DAYS)

        look.execute("set search_path to fleettwin")
        for table in ("pipeline_workers", "pipeline_flows", "pipeline_delays"):
            assert dropped[table] == 2
            rows = look.execute(f"select distinct time from {table}".encode()).fetchall()
            assert rows == [(moment_of(days[2]),)]
        assert select(look, "select max(time) - min(time) < '91 days' from dead_letters") == [(True,)]
        assert select(look, "select count(*) from site_samples") == [(1,)]


def test_a_second_time_drops_nothing(database_url: str) -> None:
    with opened(database_url) as (sink, _):
        sink.write(at(0))
        sink.retain(Instant(T0 + 100 * HOUR), TWO_DAYS)

        assert set(sink.retain(Instant(T0 + 100 * HOUR), TWO_DAYS).values()) == {0}


def test_a_writer_may_not_drop(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        sink.write(at(0))
        create_login(look, "fleettwin", Role.WRITER, "only_writes", "w")
    writer = conninfo.make_conninfo(database_url, user="only_writes", password="w")

    with TimescaleSink(writer, "fleettwin") as sink, pytest.raises(ConfigurationError, match="right to do this"):
        sink.retain(Instant(T0 + 100 * HOUR), TWO_DAYS)
