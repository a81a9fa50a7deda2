"""Taking a schema out of the database again, with all that migrations made for it."""

from __future__ import annotations

from psycopg import errors, sql

from infra.timescale.connection import Connection, database_errors
from infra.timescale.roles import Role, owner_of


def drop_schema(connection: Connection, schema: str, server: str) -> tuple[str, ...]:
    """Drop the schema and the roles that are named after it; tells what went.

    Roles belong to the whole server: one that another database still uses stays.

    Args:
        connection: In autocommit mode, of the schema's owner or of a superuser.
        schema: Which one.
        server: How error messages call the server.

    Raises:
        ConfigurationError: the user lacks a right.
        Unavailable: the server is gone.
    """
    gone: list[str] = []
    with database_errors(server):
        if owner_of(connection, schema) is not None:
            connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))
            gone.append(f"schema {schema}")
        for role in Role:
            name = role.named(schema)
            if connection.execute("select from pg_roles where rolname = %s", [name]).fetchone() is None:
                continue
            try:
                connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
            except (errors.DependentObjectsStillExist, errors.InsufficientPrivilege):
                continue
            gone.append(f"role {name}")
    return tuple(gone)
