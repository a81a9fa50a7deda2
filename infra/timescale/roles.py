"""Who may do what in the schema: the owner changes it, the writer adds rows, the reader looks at them."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum

from psycopg import errors, sql

from infra.timescale.connection import Connection

_FORGETS = ("node_absent", "rollup_due")
"""Tables that the writer takes rows out of."""


class Role(StrEnum):
    """Group roles without a login, named after the schema: `fleettwin_reader`."""

    OWNER = "owner"
    WRITER = "writer"
    READER = "reader"

    def named(self, schema: str) -> str:
        """The role's name in PostgreSQL."""
        return f"{schema}_{self.value}"


def ensure_roles(connection: Connection, schema: str) -> tuple[str, ...]:
    """Create the group roles and let this user act as each of them; returns what was left out, with the reason."""
    skipped = []
    for role in Role:
        name = role.named(schema)
        try:
            if connection.execute("select from pg_roles where rolname = %s", [name]).fetchone() is None:
                # another database of the server may be migrating at this moment: roles are shared
                with suppress(errors.DuplicateObject, errors.UniqueViolation):
                    connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(name)))
            if not _may_act_as(connection, name):
                connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(name)))
        except errors.InsufficientPrivilege:
            skipped.append(f"role {name}: this user may not create or take on roles")
    return tuple(skipped)


def owner_of(connection: Connection, schema: str) -> str | None:
    """The role that owns the schema; none where there is no such schema."""
    row = connection.execute(
        "select pg_get_userbyid(nspowner)::text from pg_namespace where nspname = %s", [schema]
    ).fetchone()
    return None if row is None else str(row[0])


def ensure_schema(connection: Connection, schema: str) -> str:
    """Create the schema, owned by the owner role where this user may act as it; returns the role that owns it."""
    present = owner_of(connection, schema)
    if present is not None:
        return present
    owner = Role.OWNER.named(schema)
    create = sql.SQL("create schema {}").format(sql.Identifier(schema))
    if _may_act_as(connection, owner):
        create += sql.SQL(" authorization {}").format(sql.Identifier(owner))
    connection.execute(create)
    return owner_of(connection, schema) or owner


def act_as(connection: Connection, role: str) -> None:
    """Take on the role until the transaction ends."""
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))


def act_as_writer(connection: Connection, schema: str) -> bool:
    """Take on the writer role for the whole session where there is one for us; says whether it did."""
    writer = Role.WRITER.named(schema)
    if not _may_act_as(connection, writer):
        return False
    connection.execute(sql.SQL("set role {}").format(sql.Identifier(writer)))
    return True


def grant_rights(connection: Connection, schema: str, owner: str) -> None:
    """Give writer and reader what they need on what there is, and on the tables the owner will create.

    To be called within a transaction that acts as the owner; roles that do not exist are passed over.
    """
    inside = sql.Identifier(schema)
    connection.execute(sql.SQL("revoke execute on all functions in schema {} from public").format(inside))
    rights = {Role.READER: sql.SQL("select"), Role.WRITER: sql.SQL("select, insert, update")}
    for role, right in rights.items():
        if connection.execute("select from pg_roles where rolname = %s", [role.named(schema)]).fetchone() is None:
            continue
        name = sql.Identifier(role.named(schema))
        for statement in (
            sql.SQL("grant usage on schema {inside} to {name}"),
            sql.SQL("grant {right} on all tables in schema {inside} to {name}"),
            sql.SQL("grant execute on all functions in schema {inside} to {name}"),
            sql.SQL("alter default privileges for role {owner} in schema {inside} grant {right} on tables to {name}"),
        ):
            connection.execute(
                statement.format(inside=inside, name=name, right=right, owner=sql.Identifier(owner)),
            )
        if role is Role.WRITER:
            forgets = connection.execute(
                "select relname from pg_class where relnamespace = %s::regnamespace and relname = any(%s) order by 1",
                [inside.as_string(connection), list(_FORGETS)],
            )
            for (table,) in forgets.fetchall():
                forgetful = sql.SQL("grant delete on {} to {}").format(sql.Identifier(schema, table), name)
                connection.execute(forgetful)
            kept = sql.SQL("revoke insert, update on {inside}.schema_migrations, {inside}.retained_from from {name}")
            connection.execute(kept.format(inside=inside, name=name))


def _may_act_as(connection: Connection, role: str) -> bool:
    """Whether `set role` would be allowed; from PostgreSQL 16 on, being a member alone is not enough."""
    row = connection.execute(
        "select pg_has_role(session_user, oid,"
        " case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end)"
        " from pg_roles where rolname = %s",
        [role],
    ).fetchone()
    return row is not None and bool(row[0])
