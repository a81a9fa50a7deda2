"""Schemas that a measurement makes for itself."""

from __future__ import annotations

from psycopg import sql

from infra.timescale.connection import Connection
from infra.timescale.roles import Role


def remove_schema(owner: Connection, schema: str) -> None:
    """Remove a schema with all that is in it, and its roles; nothing where it is not there."""
    owner.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
    for role in Role:
        name = role.named(schema)
        if owner.execute("select from pg_roles where rolname = %s", [name]).fetchone() is not None:
            owner.execute(sql.SQL("drop owned by {}").format(sql.Identifier(name)))
            owner.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
