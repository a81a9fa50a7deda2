"""Who may do what, on a real TimescaleDB: the owner, the writer and the reader."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import conninfo, sql

from infra.timescale.batch import RowBatch
from infra.timescale.connection import connect
from infra.timescale.logins import create_login
from infra.timescale.roles import Role
from infra.timescale.sink import TimescaleSink
from models.errors import ConfigurationError
from tests.infra.timescale_builders import (
    T0,
    minute_of_everything,
    opened,
    site_state,
)

pytestmark = pytest.mark.servers


def test_the_writer_cannot_drop_and_the_reader_cannot_write(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        sink.write(minute_of_everything(seconds=5))
        for role, forbidden in (
            ("writer", "drop table fleettwin.site_samples"),
            ("writer", "truncate fleettwin.site_samples"),
            ("writer", "delete from fleettwin.site_samples"),
            ("writer", "insert into fleettwin.schema_migrations values (99, '', '')"),
            ("writer", "update fleettwin.retained_from set time = now()"),
            ("writer", "select drop_chunks('fleettwin.site_samples', older_than => now() + interval '9 years')"),
            ("reader", "insert into fleettwin.node_absent (time, site, node) values (now(), '', '')"),
            ("reader", "update fleettwin.site_samples set installed = 0"),
            ("reader", "delete from fleettwin.rollup_due"),
        ):
            look.execute(sql.SQL("set role {}").format(sql.Identifier(f"fleettwin_{role}")))
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidTableDefinition)):
                look.execute(forbidden.encode())
        assert look.execute("select count(*) from fleettwin.nodes_now").fetchone() == (4,)
        assert look.execute("select count(*) from fleettwin.tenants_now").fetchone() == (2,)
        assert look.execute("select count(*) from fleettwin.shortages_now").fetchone() == (1,)


def test_later_tables_can_be_read_by_the_reader(database_url: str) -> None:
    with opened(database_url) as (_, look):
        look.execute("set role fleettwin_owner")
        look.execute("create table fleettwin.later (a integer)")
        look.execute("set role fleettwin_reader")

        assert look.execute("select * from fleettwin.later").fetchall() == []


def test_users_have_only_their_role(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        create_login(look, "fleettwin", Role.READER, 'screen "1"', "first")
        create_login(look, "fleettwin", Role.READER, 'screen "1"', "pass'word")
        create_login(look, "fleettwin", Role.WRITER, "store", "written")
        sink.write(RowBatch(sites=[site_state()]))
    reader = conninfo.make_conninfo(database_url, user='screen "1"', password="pass'word")
    writer = conninfo.make_conninfo(database_url, user="store", password="written")

    with connect(reader, "test") as connection:
        assert connection.execute("select count(*) from fleettwin.site_samples").fetchone() == (1,)
    with TimescaleSink(reader, "fleettwin") as sink, pytest.raises(ConfigurationError):
        sink.write(RowBatch(sites=[site_state(tick=T0 + 1000)]))
    with TimescaleSink(writer, "fleettwin") as sink:
        assert sink.write(minute_of_everything(seconds=3))["site_samples"] == 5
        assert sink.write(minute_of_everything(seconds=4))["site_samples"] == 2
        assert sink.roll_up() > 0
