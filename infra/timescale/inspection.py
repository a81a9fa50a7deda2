"""What the database looks like from outside: versions, sizes, how full it is and how late its rows are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from infra.timescale.connection import Connection, database_errors
from infra.timescale.editions import edition_of
from infra.timescale.migrations import applied_migrations, pending_migrations, shipped_migrations
from infra.timescale.tables import TABLES
from models.instants import Instant, instant_of, moment_of


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table; `rows` is an estimate where the table is large, `bytes` has indexes in it."""

    table: str
    rows: int
    bytes: int
    chunks: int


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """Versions and tables; `edition` and `timescaledb` are unset where the extension is not installed."""

    server: str
    postgresql: str
    timescaledb: str | None
    edition: str | None
    schema: str
    version: int
    """The last migration applied; 0 before the first."""
    pending: tuple[str, ...]
    tables: tuple[TableSize, ...]


_COUNTED_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Delays:
    """From a tick's event time to the writing of its row, in seconds; unset where there are no rows."""

    rows: int
    p50: float | None
    p99: float | None


def database_status(connection: Connection, schema: str, server: str) -> DatabaseStatus:
    """Look at everything.

    Raises:
        Unavailable: the server is gone.
        SchemaMismatch: the database is not one of this program.
    """
    with database_errors(server):
        edition = edition_of(connection)
        applied = applied_migrations(connection, schema)
        version = connection.execute("select current_setting('server_version')").fetchone()
        return DatabaseStatus(
            server=server,
            postgresql=str(version[0]) if version else "",
            timescaledb=edition.timescaledb if edition else None,
            edition=edition.name if edition else None,
            schema=schema,
            version=max(applied, default=0),
            pending=tuple(f"{m.version:04}_{m.name}" for m in pending_migrations(applied, shipped_migrations())),
            tables=_tables(connection, schema, edition.extension_schema) if edition else (),
        )


def row_counts(connection: Connection, schema: str) -> Mapping[str, int]:
    """Exactly how many rows the tables have that events become rows of."""
    counts = {}
    for table in TABLES:
        count = sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table.name))
        row = connection.execute(count).fetchone()
        counts[table.name] = int(row[0]) if row else 0
    return counts


def newest_row(connection: Connection, schema: str) -> Instant | None:
    """The newest tick of the fleet that is written."""
    newest = sql.SQL("select max(time) from {}").format(sql.Identifier(schema, "fleet_samples"))
    row = connection.execute(newest).fetchone()
    return None if row is None or row[0] is None else instant_of(row[0])


def delays(connection: Connection, schema: str, since: Instant) -> Delays:
    """Of the site samples from `since` on; negative where event time runs ahead of the wall."""
    row = connection.execute(
        sql.SQL(
            "select count(*), percentile_cont(array[0.5, 0.99]) within group"
            " (order by extract(epoch from written_at - time)::float8) from {} where time >= %s"
        ).format(sql.Identifier(schema, "site_samples")),
        [moment_of(since)],
    ).fetchone()
    if row is None or not row[0]:
        return Delays(0, None, None)
    return Delays(row[0], *row[1])


def _tables(connection: Connection, schema: str, extension: str) -> tuple[TableSize, ...]:
    found = connection.execute(
        sql.SQL(
            """
            select c.relname::text, {approximate_row_count}(c.oid),
                case when h.num_chunks is null then pg_total_relation_size(c.oid) else {hypertable_size}(c.oid) end,
                coalesce(h.num_chunks, 0)
            from pg_class c
            left join timescaledb_information.hypertables h
                on h.hypertable_schema = %s and h.hypertable_name = c.relname
            where c.relnamespace = to_regnamespace(%s) and c.relkind = 'r'
            order by c.relname
            """
        ).format(
            approximate_row_count=sql.Identifier(extension, "approximate_row_count"),
            hypertable_size=sql.Identifier(extension, "hypertable_size"),
        ),
        [schema, sql.Identifier(schema).as_string(connection)],
    ).fetchall()
    return tuple(
        TableSize(table, _rows(connection, schema, table, about, size), size, n) for table, about, size, n in found
    )


def _rows(connection: Connection, schema: str, table: str, about: int, size: int) -> int:
    """The exact number for a small table; PostgreSQL's estimate of one knows nothing before its first analysis."""
    if size > _COUNTED_BYTES:
        return about
    row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))).fetchone()
    return int(row[0]) if row else 0
