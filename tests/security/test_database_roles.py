"""What reader and writer may do in the database, table by table: what they need, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg import conninfo, errors, sql

from infra.settings import DatabaseSettings
from infra.timescale.connection import Connection, connect, server_name
from infra.timescale.logins import create_login
from infra.timescale.migrations import migrate
from infra.timescale.retention import Retention
from infra.timescale.roles import Role
from infra.timescale.sink import TimescaleSink
from models.errors import ConfigurationError
from models.instants import Instant
from tests.infra.timescale_builders import T0, minute_of_everything

pytestmark = pytest.mark.servers

SCHEMA = "roles_of"
YEARS = 10**12 // 4
"""Milliseconds, after which nothing raw is kept."""
KEPT_BY_THE_OWNER = {"schema_migrations", "retained_from"}
FORGOTTEN_BY_THE_WRITER = {"node_absent", "rollup_due"}


@pytest.fixture
def owner(database_url: str) -> Iterator[Connection]:
    """The schema with rows in it, and a login of each role."""
    with connect(database_url, "test") as connection:
        migrate(connection, SCHEMA, server_name(database_url))
        for role in (Role.READER, Role.WRITER):
            create_login(connection, SCHEMA, role, f"roles_{role}", "p")
        yield connection


def login(url: str, role: Role) -> str:
    return conninfo.make_conninfo(url, user=f"roles_{role}", password="p")


def names(connection: Connection, kind: str = "BASE TABLE") -> list[str]:
    found = connection.execute(
        "select table_name::text from information_schema.tables where table_schema = %s and table_type = %s order by 1",
        [SCHEMA, kind],
    )
    return [name for (name,) in found.fetchall()]


def refuses(connection: Connection, statement: str, table: str) -> bool:
    """Whether the statement is forbidden; one that is not, is undone."""
    with connection.transaction(force_rollback=True):
        connection.execute("set transaction read write")
        try:
            with connection.transaction():
                connection.execute(sql.SQL(statement).format(sql.Identifier(SCHEMA, table)))
        except errors.InsufficientPrivilege:
            return True
    return False


def refused_of(connection: Connection, statement: str) -> set[str]:
    return {table for table in names(connection) if refuses(connection, statement, table)}


def test_the_reader_reads_everything_and_changes_nothing(owner: Connection, database_url: str) -> None:
    with TimescaleSink(database_url, SCHEMA) as sink:
        sink.write(minute_of_everything())
        sink.roll_up()
    everything = [*names(owner), *names(owner, "VIEW")]
    with connect(login(database_url, Role.READER), "test") as reader:
        for name in everything:
            reader.execute(sql.SQL("select * from {} limit 1").format(sql.Identifier(name)))
        for statement in (
            "delete from {}",
            "truncate {}",
            "drop table {} cascade",
            "alter table {} add mine integer",
            "insert into {0} select * from {0} limit 0",
        ):
            assert refused_of(reader, statement) == set(names(owner)), statement
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute("begin read write; create table mine (a integer)")


def test_the_writer_writes_rolls_up_and_changes_no_table(owner: Connection, database_url: str) -> None:
    with TimescaleSink(login(database_url, Role.WRITER), SCHEMA) as sink:
        assert all(sink.write(minute_of_everything()).values())
        assert sink.roll_up() > 0
        with pytest.raises(ConfigurationError, match="FLEETTWIN_DATABASE__URL"):
            sink.retain(Instant(T0 + YEARS), Retention.of(DatabaseSettings()))
    tables = set(names(owner))
    with connect(login(database_url, Role.WRITER), "test") as writer:
        for statement in ("truncate {}", "drop table {} cascade", "alter table {} add mine integer"):
            assert refused_of(writer, statement) == tables, statement
        assert refused_of(writer, "delete from {}") == tables - FORGOTTEN_BY_THE_WRITER
        assert refused_of(writer, "insert into {0} select * from {0} limit 0") == KEPT_BY_THE_OWNER
        for statement in ("create table {} ()", "create schema mine", "create role mine"):
            assert refuses(writer, statement, "mine"), statement


def test_neither_takes_on_another_role(owner: Connection, database_url: str) -> None:
    for role in (Role.READER, Role.WRITER):
        with connect(login(database_url, role), "test") as connection:
            for other in set(Role) - {role}:
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(sql.SQL("set role {}").format(sql.Identifier(other.named(SCHEMA))))
