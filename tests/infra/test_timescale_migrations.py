"""Migrations on a real TimescaleDB."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import psycopg
import pytest
from psycopg import conninfo, sql
from psycopg.types.json import Jsonb
from typer.testing import CliRunner

from cli.db import app
from infra.timescale import rows, tables
from infra.timescale.batch import RowBatch
from infra.timescale.compression import enable_compression
from infra.timescale.connection import Connection, connect
from infra.timescale.copying import contents_of
from infra.timescale.inspection import database_status
from infra.timescale.logins import create_login
from infra.timescale.measures import ROLLUPS, hour_columns, minute_columns
from infra.timescale.migrations import (
    Migrated,
    Migration,
    SchemaMismatch,
    migrate,
    pending_migrations,
    require_current,
    shipped_migrations,
)
from infra.timescale.reading_back import expected_rows, stored_rows
from infra.timescale.retention import Retention
from infra.timescale.roles import Role, owner_of
from models.errors import Unavailable
from models.instants import Instant
from models.shortage import Binding, Constraint, Shortage
from tests.infra.timescale_builders import (
    HOUR,
    T0,
    fleet_state,
    minute_of_everything,
    opened,
    select,
    shortage,
    site_state,
    tenant,
    waits_for_lock,
)

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


def test_a_deadlock_with_somebody_at_work_is_got_over(database_url: str) -> None:
    migrated: list[Migrated] = []
    with opened(database_url) as (_, look), connect(database_url, "migrating") as migrating:
        starter = threading.Thread(target=lambda: migrated.append(migrate(migrating, "fleettwin", "here")))
        migrating.execute("set deadlock_timeout = '2s'")  # who looks for a deadlock first is the one that gives way
        with connect(database_url, "working") as working, working.transaction():
            working.execute("set local deadlock_timeout = '5min'")
            working.execute("grant trigger on fleettwin.node_1h to pg_monitor")
            starter.start()
            assert waits_for_lock(look, starter, "migrating"), "it gives rights on all tables, one after another"
            working.execute("grant trigger on fleettwin.schema_migrations to pg_monitor")
        starter.join()

    assert [one.applied for one in migrated] == [()]


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

    for table in tables.TABLES:
        assert set(columns[table.name]) - {"written_at"} == set(table.columns)
    for rollup in ROLLUPS:
        keys = {"time", *rollup.keys}
        assert set(columns[f"{rollup.name}_1m"]) == keys | {name for name, _ in minute_columns(rollup)}
        assert set(columns[f"{rollup.name}_1h"]) == keys | {name for name, _ in hour_columns(rollup)}
    assert set(columns["node_absent"]) == set(tables.NODE_SAMPLES.columns)
    assert set(columns["shortages"]) == {*tables.SHORTAGE_EVENTS.columns, "opened_at"}


OLD = 5
"""The last migration of the program that knew no tenants."""

NEW_WORDS = {"together_with", "behind", "one_more"}
NEW_COLUMNS = {
    *("servable", "demands_waiting", "demands_expired", "unexpected", "overcommitted"),
    *("also", "binding_together_with", "binding_behind", "one_more_unit", "one_more_serves"),
}
NEW_MEASURES = {f"nodes_{state}" for state in ("in_service", "draining", "maintenance", "failed", "never_seen")}
"""Columns of samples that were not rolled up."""


def write_as_before(look: Connection, batch: RowBatch) -> None:
    """Migrate as far as `OLD`, and write the batch and the minute it is in as the program of then did."""
    migrate(look, "fleettwin", "here", shipped_migrations()[:OLD])
    for content in contents_of(batch):
        columns = content.table.columns
        insert(look, content.table.name, [name for name in columns if name not in NEW_COLUMNS], columns, content.rows)
    look.execute("set search_path to fleettwin, public")
    look.execute("insert into shortages select *, time from shortage_events where sequence = 2")
    (fleet,) = [rollup for rollup in ROLLUPS if rollup.name == "fleet"]
    known = [one for one in minute_columns(fleet) if one[0].rpartition("_")[0] not in NEW_COLUMNS | NEW_MEASURES]
    roll_up = sql.SQL("insert into fleet_1m (time, {}) select min(time), {} from fleet_samples")
    names, values = [sql.Identifier(name) for name, _ in known], [value for _, value in known]
    look.execute(roll_up.format(sql.SQL(", ").join(names), sql.SQL(", ").join(values)))


def insert(
    look: Connection, table: str, names: Sequence[str], columns: Mapping[str, str], content: Iterable[rows.Row]
) -> None:
    """Insert these of the columns."""
    statement = sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier("fleettwin", table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(sql.Placeholder() for _ in names),
    )
    for row in content:
        said = dict(zip(columns, row, strict=True))
        look.execute(statement, [as_before(said[name]) for name in names])


def as_before(value: object) -> object:
    if isinstance(value, Shortage):
        return Jsonb(value.model_dump(mode="json", exclude={"also": True, "binding": NEW_WORDS}))
    return list(value) if isinstance(value, tuple) else value


def test_a_database_of_before_is_brought_forward_with_its_rows(database_url: str) -> None:
    plain = Binding(constraint=Constraint.ACCELERATORS, sites=("memphis",), types=(), summary="none free")
    events = [shortage(number).model_copy(update={"binding": plain, "also": ()}) for number in range(3)]
    old = RowBatch(sites=[site_state()], fleet=[fleet_state(T0)], shortages=events)
    new = RowBatch(fleet=[fleet_state(T0 + 1000, tenants=[tenant()])], shortages=[shortage(3)])
    with connect(database_url, "test") as look:
        write_as_before(look, old)

    with opened(database_url) as (sink, look):
        assert list(stored_rows(look, "fleettwin", tables.SHORTAGE_EVENTS)) == expected_rows(
            old, tables.SHORTAGE_EVENTS
        )
        assert select(look, "select sequence, also, binding_behind, one_more_serves from shortages") == [
            (2, [], 0, None)
        ]
        assert select(look, "select pending, servable, demands_expired from fleet_samples") == [(3, None, None)]
        assert select(look, "select n, pending_sum, servable_n, servable_sum from fleet_1m") == [(1, 3, 0, None)]
        assert select(look, "select nodes_failed_n, nodes_failed_sum from fleet_1m") == [(0, None)]

        sink.write(old)
        sink.write(new)
        sink.roll_up()
        assert select(look, "select sequence, binding, binding_behind from shortages") == [(3, "whole_nodes", 5)]
        assert select(look, "select pending, servable from fleet_samples order by time") == [(3, None), (3, 2)]
        assert select(look, "select n, pending_sum, servable_n, servable_sum from fleet_1m") == [(2, 6, 1, 2)]
        assert select(look, "select nodes_failed_n, nodes_failed_sum from fleet_1m") == [(2, 2)]
        assert select(look, "select tenant, n from tenant_1h") == [("research", 1)]
        assert select(look, "select unexpected from site_samples") == [(None,)]


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
