"""Rollups on a real TimescaleDB: always what a query of the samples would give."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import datetime

import psycopg
import pytest
from psycopg import sql

from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection, connect
from infra.timescale.copying import contents_of, copy_straight
from infra.timescale.reading_back import expected_rows, stored_rows
from infra.timescale.rollups import mark_due, roll_up
from infra.timescale.sink import TimescaleSink
from infra.timescale.tables import SITE_SAMPLES
from models.instants import Instant, moment_of
from tests.infra.rolled_up import assert_rolled_up
from tests.infra.timescale_builders import (
    HOUR,
    T0,
    fleet_state,
    minute_of_everything,
    nodes,
    opened,
    select,
    site_state,
    tenant,
    waits_for_lock,
)

pytestmark = pytest.mark.servers

MINUTE = 60_000
ALL = Instant(T0 + 9000 * HOUR)


def due(look: Connection) -> list[tuple[str, str, datetime]]:
    return select(look, "select rollup, site, bucket from rollup_due order by 1, 2, 3")


def test_they_equal_a_direct_aggregate(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        sink.write(minute_of_everything(T0 + HOUR - 30_000, seconds=150))
        sink.roll_up()

        assert_rolled_up(look)
        assert due(look) == []


def test_hours_are_those_of_utc_whatever_the_zone_of_the_server(database_url: str) -> None:
    with connect(database_url, "test") as connection:
        database = sql.Identifier(str(connection.info.dbname))
        connection.execute(sql.SQL("alter database {} set timezone to 'Asia/Kolkata'").format(database))
    batch = minute_of_everything(T0 + HOUR - 30_000, seconds=150)
    with opened(database_url) as (sink, look):
        sink.write(batch)
        sink.roll_up()

        assert_rolled_up(look)
        assert list(stored_rows(look, "fleettwin", SITE_SAMPLES)) == expected_rows(batch, SITE_SAMPLES)


def test_late_rows_and_repeats_are_right_too(database_url: str) -> None:
    late = minute_of_everything(T0, seconds=70, sites=["late", "memphis"])
    with opened(database_url) as (sink, look):
        sink.write(minute_of_everything(T0, seconds=130))
        sink.roll_up()
        sink.write(RowBatch(sites=late.sites, nodes=late.nodes))
        sink.roll_up()
        assert_rolled_up(look)

        sink.write(RowBatch(sites=late.sites, nodes=late.nodes))
        assert sink.roll_up() == 0
        assert_rolled_up(look)


def test_only_closed_buckets_are_computed(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        sink.write(minute_of_everything(T0, seconds=90))
        sink.roll_up(Instant(T0 + MINUTE - 1))
        assert select(look, "select time from fleet_1m") == []

        sink.roll_up(Instant(T0 + MINUTE))
        assert select(look, "select time from fleet_1m") == [(moment_of(T0),)]
        assert select(look, "select time from fleet_1h") == []

        sink.roll_up(Instant(T0 + HOUR))
        assert_rolled_up(look)


def test_a_crash_between_writing_and_rolling_up_loses_nothing(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        sink.write(minute_of_everything(T0, seconds=70))
        sink.close()
        with TimescaleSink(database_url, "fleettwin") as other:
            other.roll_up()

        assert_rolled_up(look)


def test_a_crash_while_rolling_up_leaves_the_buckets_due(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        sink.write(minute_of_everything(T0, seconds=70))
        before = due(look)
        with closing(connect(database_url, "test")) as dying:
            dying.execute("begin")
            assert roll_up(dying, "fleettwin") > len(before)
            look.execute("select pg_terminate_backend(%s, 5000)", [dying.info.backend_pid])
            with pytest.raises(psycopg.OperationalError):
                dying.execute("commit")
        assert due(look) == before

        sink.roll_up()
        assert_rolled_up(look)


def test_rows_that_are_being_written_are_waited_for(database_url: str) -> None:
    """Whoever rolls up a bucket that a writer has touched must see what the writer then commits."""
    first = RowBatch(sites=[site_state(tick=T0)])
    second = RowBatch(sites=[site_state(tick=T0 + 1000)])
    touched = {"site_samples": {("memphis", Instant(T0 + 1000))}}
    with opened(database_url) as (sink, look), connect(database_url, "test") as writer:
        sink.write(first)
        rolling = threading.Thread(target=sink.roll_up)
        with writer.transaction():
            for content in contents_of(second):
                copy_straight(writer, "fleettwin", content)
            mark_due(writer, "fleettwin", touched)
            rolling.start()
            waited = waits_for_lock(look, rolling)
        rolling.join()
        sink.roll_up()

        assert waited
        assert select(look, "select n from site_1m") == [(2,)]


def test_more_buckets_than_one_transaction_takes_are_all_computed(database_url: str) -> None:
    batch = RowBatch(sites=[site_state(tick=T0 + minute * MINUTE) for minute in range(620)])
    with opened(database_url) as (sink, look):
        sink.write(batch)
        done = sink.roll_up()

        assert done == 2 * (620 + 11)
        assert select(look, "select count(*), sum(n) from site_1m") == [(620, 620)]
        assert select(look, "select count(*), sum(n) from site_1h") == [(11, 620)]


def test_two_workers_may_roll_up_at_once(database_url: str) -> None:
    with opened(database_url) as (sink, look), TimescaleSink(database_url, "fleettwin") as other:
        sink.write(minute_of_everything(T0, seconds=400))
        workers = [threading.Thread(target=each.roll_up) for each in (sink, other)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        assert_rolled_up(look)


def test_what_a_tenant_deserves_is_averaged_over_the_ticks_at_which_it_is_known(database_url: str) -> None:
    ticks = [
        fleet_state(T0, tenants=[tenant("a", deserved=None), tenant("b", pending=1)]),
        fleet_state(T0 + 1000, tenants=[tenant("a", deserved=10), tenant("b", pending=5)]),
        fleet_state(T0 + 2000, tenants=[tenant("a", deserved=20)]),
    ]
    with opened(database_url) as (sink, look):
        sink.write(RowBatch(fleet=ticks))
        sink.roll_up()

        for statement in (
            "select tenant, n, deserved_n, deserved_sum, deserved_max, pending_sum, pending_max"
            " from tenant_1m order by tenant",
            "select tenant, n, deserved_n, deserved_sum, deserved_max, pending_sum, pending_max"
            " from tenant_1h order by tenant",
        ):
            assert select(look, statement) == [("a", 3, 2, 30, 20, 9, 3), ("b", 2, 2, 20, 10, 6, 5)]


def test_nodes_that_were_lost_are_counted(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        sink.write(RowBatch(nodes=[nodes()]))
        sink.roll_up()

        assert select(look, "select node, n, lost_sum, power_watts_sum from node_1m order by node") == [
            ("n1", 1, 0, 5000.001),
            ("n2", 1, 0, 5000.001),
        ]
