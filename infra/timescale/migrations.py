"""Numbered SQL files applied once each, in order, with a checksum: the schema's whole history."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

import psycopg
from psycopg import sql

from infra.timescale.compression import enable_compression
from infra.timescale.connection import Connection, database_errors, is_overtaken
from infra.timescale.editions import Edition, ensure_extension
from infra.timescale.roles import act_as, ensure_roles, ensure_schema, grant_rights
from models.errors import FleettwinError, Unavailable

_FILE = re.compile(r"(\d{4})_(\w+)\.sql")
_TRIES = 5


class SchemaMismatch(FleettwinError):
    """The database and this program do not fit together; neither waiting nor a setting helps."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `text` is run with the schema as the search path."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, the same whatever ends its lines."""
        return hashlib.sha256(self.text.replace("\r\n", "\n").encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a run did: the names of what it applied, and what it had to leave out, with the reason."""

    edition: Edition
    applied: tuple[str, ...]
    skipped: tuple[str, ...]


def shipped_migrations() -> tuple[Migration, ...]:
    """Those of this version of the program, by number."""
    found = []
    for file in (files("infra.timescale") / "migrations").iterdir():
        match = _FILE.fullmatch(file.name)
        if match:
            found.append(Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    return tuple(sorted(found, key=lambda migration: migration.version))


def migrate(
    connection: Connection, schema: str, server: str, migrations: Sequence[Migration] | None = None
) -> Migrated:
    """Bring the schema up to this version; a second run changes nothing, and two at once wait for one another.

    Args:
        connection: In autocommit mode, of a superuser or of who may create schemas in the database.
        schema: Where the tables go.
        server: How error messages call the server.
        migrations: Instead of the shipped ones.

    Raises:
        Unavailable: the server is gone, or has no TimescaleDB.
        SchemaMismatch: an applied migration has been edited, or the database is newer than this program.
        ConfigurationError: the user lacks a right.
    """
    shipped = shipped_migrations() if migrations is None else tuple(migrations)
    with database_errors(server):
        connection.execute("select pg_advisory_lock(hashtextextended('fleettwin migrations', 0))")
        try:
            return _brought_up(connection, schema, server, shipped)
        finally:
            if not connection.closed:
                connection.execute("select pg_advisory_unlock(hashtextextended('fleettwin migrations', 0))")


def _brought_up(connection: Connection, schema: str, server: str, shipped: Sequence[Migration]) -> Migrated:
    """Take every step that is left; all may be repeated, and are where another's work came between."""
    applied: list[str] = []
    for further in reversed(range(_TRIES)):
        try:
            edition = ensure_extension(connection, server)
            skipped = ensure_roles(connection, schema)
            owner = ensure_schema(connection, schema)
            applied.extend(_applied_now(connection, schema, owner, edition, shipped))
            with connection.transaction():
                act_as(connection, owner)
                grant_rights(connection, schema, owner)
            refused = enable_compression(connection, schema, owner) if edition.community else None
        except psycopg.Error as error:
            if not (further and is_overtaken(error)):
                raise
        else:
            break
    return Migrated(edition, tuple(applied), (*skipped, f"compression: {refused}") if refused else skipped)


def applied_migrations(connection: Connection, schema: str) -> dict[int, str]:
    """Checksum by version; empty where nothing has been applied."""
    table = sql.Identifier(schema, "schema_migrations")
    if connection.execute("select to_regclass(%s)", [table.as_string(connection)]).fetchone() == (None,):
        return {}
    return dict(
        connection.execute(sql.SQL("select version, checksum from {} order by version").format(table)).fetchall()
    )


def pending_migrations(applied: dict[int, str], shipped: Sequence[Migration]) -> tuple[Migration, ...]:
    """Those still to be applied.

    Raises:
        SchemaMismatch: what was applied is not what is shipped.
    """
    checksums = {migration.version: migration.checksum for migration in shipped}
    unknown = sorted(applied.keys() - checksums.keys())
    if unknown:
        raise SchemaMismatch(
            f"the database has migration {unknown[-1]:04}, which this version does not know. Use a newer fleettwin."
        )
    for migration in shipped:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise SchemaMismatch(
                f"migration {migration.version:04}_{migration.name} differs from what was applied to the database. "
                "Undo the edit and write a new migration instead."
            )
    last = max(applied, default=0)
    behind = [migration for migration in shipped if migration.version not in applied]
    if behind and behind[0].version < last:
        raise SchemaMismatch(f"migration {behind[0].version:04} is missing although {last:04} has been applied.")
    return tuple(behind)


def require_current(connection: Connection, schema: str, server: str) -> None:
    """Make sure that every migration has been applied.

    Raises:
        Unavailable: some are still to be applied; somebody may be about to.
        SchemaMismatch: as `pending_migrations`.
    """
    behind = pending_migrations(applied_migrations(connection, schema), shipped_migrations())
    if behind:
        why = f"schema {schema} lacks {len(behind)} of the migrations, from {behind[0].version:04} on"
        raise Unavailable(server, why, "Run `fleettwin db migrate`.")


def _applied_now(
    connection: Connection, schema: str, owner: str, edition: Edition, shipped: Sequence[Migration]
) -> Iterator[str]:
    """Apply what is pending, and tell each name once it is there for good."""
    table = sql.Identifier(schema, "schema_migrations")
    with connection.transaction():
        act_as(connection, owner)
        connection.execute(
            sql.SQL(
                "create table if not exists {} (version integer primary key, name text not null,"
                " checksum text not null, applied_at timestamptz not null default clock_timestamp())"
            ).format(table)
        )
    path = sql.SQL("set local search_path to {}, {}").format(
        sql.Identifier(schema), sql.Identifier(edition.extension_schema)
    )
    for migration in pending_migrations(applied_migrations(connection, schema), shipped):
        with connection.transaction():
            act_as(connection, owner)
            connection.execute(path)
            connection.execute(migration.text.encode())
            connection.execute(
                sql.SQL("insert into {} (version, name, checksum) values (%s, %s, %s)").format(table),
                [migration.version, migration.name, migration.checksum],
            )
        yield f"{migration.version:04}_{migration.name}"
