"""Migrations on a real TimescaleDB."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import psycopg
import pytest
from psycopg import conninfo, sql
from typer.testing import CliRunner

from cli.db import app
from infra.timescale import rows
from infra.timescale.compression import enable_compression
from infra.timescale.connection import connect
from infra.timescale.inspection import database_status
from infra.timescale.measures import ROLLUPS, hour_columns, minute_columns
from infra.timescale.migrations import (
    Migration,
    SchemaMismatch,
    migrate,
    pending_migrations,
    require_current,
    shipped_migrations,
)
from infra.timescale.retention import Retention
from infra.timescale.roles import Role, create_login, owner_of
from models.errors import Unavailable
from models.instants import Instant
from tests.infra.timescale_builders import HOUR, T0, minute_of_everything, opened, select

pytestmark = pytest.mark.servers


def test_a_second_run_applies_nothing(database_url: str) -> None:
    with connect(database_url, "test") as connection:
        first = migrate(connection, "fleettwin", "here")
        before = database_status(connection, "fleettwin", "here")
        second = migrate(connection, "fleettwin", "here")

        assert [name[:4] for name in first.applied] == [f"{m.version:04}" for m in shipped_migrations()]
        assert second.applied == ()
        assert database_status(connection, "fleettwin", "here") == before
        assert before.pending == ()


def test_two_at_once_apply_each_migration_once(database_url: str) -> None:
    applied: list[str] = []

    def start() -> None:
        with connect(database_url, "test") as connection:
            applied.extend(migrate(connection, "fleettwin", "here").applied)

    starters = [threading.Thread(target=start) for _ in range(3)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()

    assert len(applied) == len(set(applied)) == len(shipped_migrations())


def test_an_edited_migration_is_refused(database_url: str) -> None:
    first, *others = shipped_migrations()
    with connect(database_url, "test") as connection:
        migrate(connection, "fleettwin", "here")
        edited = [replace(first, text=first.text + "-- edited"), *others]

        with pytest.raises(SchemaMismatch, match="differs"):
            migrate(connection, "fleettwin", "here", edited)


def test_a_newer_database_is_refused(database_url: str) -> None:
    with connect(database_url, "test") as connection:
        migrate(connection, "fleettwin", "here")

        with pytest.raises(SchemaMismatch, match="newer fleettwin"):
            migrate(connection, "fleettwin", "here", shipped_migrations()[:-1])


def test_a_migration_may_not_be_slipped_in_before_applied_ones() -> None:
    one, three = Migration(1, "one", ""), Migration(3, "three", "")
    applied = {1: one.checksum, 3: three.checksum}

    with pytest.raises(SchemaMismatch, match="0002 is missing"):
        pending_migrations(applied, [one, Migration(2, "two", ""), three])


def test_line_ends_do_not_change_a_checksum() -> None:
    assert Migration(1, "a", "x\r\ny").checksum == Migration(1, "a", "x\ny").checksum


def test_a_failing_migration_leaves_nothing_behind(database_url: str) -> None:
    broken = Migration(99, "broken", "create table half (a integer); select 1 / 0;")
    with connect(database_url, "test") as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            migrate(connection, "fleettwin", "here", [*shipped_migrations(), broken])

        assert migrate(connection, "fleettwin", "here").applied == ()
        assert select(connection, "select to_regclass('half')") == [(None,)]


def test_the_sink_waits_for_migrations(database_url: str) -> None:
    with connect(database_url, "test") as connection, pytest.raises(Unavailable, match="fleettwin db migrate"):
        require_current(connection, "fleettwin", "here")


def test_tables_have_the_columns_that_rows_are_made_for(database_url: str) -> None:
    with opened(database_url) as (_, look):
        found = select(
            look,
            "select relname, attname, format_type(atttypid, null) from pg_attribute join pg_class c on c.oid = attrelid"
            " where relnamespace = 'fleettwin'::regnamespace and attnum > 0 and relkind = 'r' order by relname, attnum",
        )
    columns = {table: [name for of, name, _ in found if of == table] for table, _, _ in found}

    for table in rows.TABLES:
        assert [name for name in columns[table.name] if name != "written_at"] == list(table.columns)
    for rollup in ROLLUPS:
        keys = {"time", *rollup.keys}
        assert set(columns[f"{rollup.name}_1m"]) == keys | {name for name, _ in minute_columns(rollup)}
        assert set(columns[f"{rollup.name}_1h"]) == keys | {name for name, _ in hour_columns(rollup)}
    assert columns["node_latest"] == list(rows.NODE_SAMPLES.columns)
    assert columns["shortages"] == [*rows.SHORTAGE_EVENTS.columns, "opened_at"]


def test_what_the_licence_does_not_allow_is_left_out(database_url: str) -> None:
    with connect(database_url, "test") as connection:
        edition = migrate(connection, "fleettwin", "here").edition
        refused = enable_compression(connection, "fleettwin", Role.OWNER.named("fleettwin"))

    assert edition.community == (refused is None)


def test_an_owner_of_the_database_without_further_rights_can_migrate(database_url: str) -> None:
    database = conninfo.conninfo_to_dict(database_url)["dbname"]
    with connect(database_url, "test") as connection:
        connection.execute("create role plain_user login password 'plain'")
        connection.execute(sql.SQL("alter database {} owner to plain_user").format(sql.Identifier(str(database))))
    plain = conninfo.make_conninfo(database_url, user="plain_user", password="plain")

    with connect(plain, "test") as connection:
        result = migrate(connection, "plain_app", "here")
        again = migrate(connection, "plain_app", "here")

    assert len(result.applied) == len(shipped_migrations())
    assert [reason.split(":")[0] for reason in result.skipped] == [f"role plain_app_{role}" for role in Role]
    assert again.applied == ()
    with opened(plain, "plain_app") as (sink, _):
        assert sink.roll_up() == 0


def test_who_may_create_roles_needs_no_superuser(database_url: str) -> None:
    database = conninfo.conninfo_to_dict(database_url)["dbname"]
    with connect(database_url, "test") as connection:
        connection.execute("create role deputy login createrole password 'deputy'")
        connection.execute(sql.SQL("alter database {} owner to deputy").format(sql.Identifier(str(database))))
    deputy = conninfo.make_conninfo(database_url, user="deputy", password="deputy")

    with connect(deputy, "test") as connection:
        result = migrate(connection, "deputized", "here")
        create_login(connection, "deputized", Role.READER, "deputized_screen", "s")

    assert result.skipped == ()
    with opened(deputy, "deputized") as (sink, look):
        assert owner_of(look, "deputized") == "deputized_owner"
        assert sink.write(minute_of_everything(seconds=2))["site_samples"] == 4
        assert sink.retain(Instant(T0 + 100 * HOUR), Retention(HOUR, HOUR))["site_samples"] == 1


def test_a_server_without_the_extension_says_what_to_do(database_url: str) -> None:
    with connect(database_url, "test") as connection:
        connection.execute("drop extension timescaledb")
        database = conninfo.conninfo_to_dict(database_url)["dbname"]
        connection.execute("create role without_rights login password 'w'")
        connection.execute(sql.SQL("revoke create on database {} from public").format(sql.Identifier(str(database))))
    weak = conninfo.make_conninfo(database_url, user="without_rights", password="w")

    with connect(weak, "test") as connection, pytest.raises(Unavailable, match="create extension timescaledb"):
        migrate(connection, "fleettwin", "here")
    with connect(database_url, "test") as connection:
        assert migrate(connection, "fleettwin", "here").edition.timescaledb


def test_the_commands_tell_the_state(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETTWIN_DATABASE__URL", database_url)
    before = json.loads(CliRunner().invoke(app, ["status", "--json"]).output)
    migrated = CliRunner().invoke(app, ["migrate"]).output
    again = CliRunner().invoke(app, ["migrate"]).output
    after = json.loads(CliRunner().invoke(app, ["status", "--json"]).output)
    text = CliRunner().invoke(app, ["status"]).output

    assert before["version"] == 0
    assert len(before["pending"]) == len(shipped_migrations())
    assert "applied 0001_nodes" in migrated
    assert "up to date" in again
    assert after["pending"] == []
    assert {"site_samples", "node_1h"} <= {size["table"] for size in after["tables"]}
    assert "pending: none" in text
