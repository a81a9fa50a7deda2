"""The demo's look at the rows: one connection, and another once it is gone."""

from __future__ import annotations

import pytest
from psycopg import conninfo

from cli.demo.looking import RowLook
from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection
from models.errors import Unavailable
from tests.infra.timescale_builders import T0, fleet_state, opened, site_state

pytestmark = pytest.mark.servers


def connections(look: Connection) -> list[int]:
    found = look.execute(
        "select pid from pg_stat_activity where application_name = 'fleettwin demo' and datname = current_database()"
    )
    return [pid for (pid,) in found.fetchall()]


def test_all_looks_are_taken_over_one_connection(database_url: str) -> None:
    with opened(database_url) as (sink, look), RowLook(database_url, "fleettwin") as rows:
        assert rows.newest() is None
        first = connections(look)
        sink.write(RowBatch(fleet=[fleet_state(T0)], sites=[site_state(tick=T0)]))

        assert rows.newest() == T0
        assert rows.counts()["fleet_samples"] == 1
        assert (rows.all_delays().rows, rows.recent_delays().rows) == (1, 1)  # event time lies ahead of the wall
        assert connections(look) == first
        assert len(first) == 1


def test_a_look_that_finds_the_connection_gone_connects_again(database_url: str) -> None:
    with opened(database_url) as (sink, look), RowLook(database_url, "fleettwin") as rows:
        sink.write(RowBatch(fleet=[fleet_state(T0)]))
        rows.newest()
        (gone,) = connections(look)
        look.execute("select pg_terminate_backend(%s, 5000)", [gone])

        assert rows.newest() == T0
        (new,) = connections(look)
        assert new != gone


def test_a_server_that_is_gone_is_told(database_url: str) -> None:
    gone = conninfo.make_conninfo(database_url, port="1")

    with RowLook(gone, "fleettwin") as rows, pytest.raises(Unavailable):
        rows.newest()


def test_a_look_that_is_over_leaves_no_connection(database_url: str) -> None:
    with opened(database_url) as (_, look):
        with RowLook(database_url, "fleettwin") as rows:
            rows.newest()
            assert connections(look)

        while connections(look):  # the server notices in its own time; if never, the test's time is up
            pass
