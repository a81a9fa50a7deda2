"""Who logs in: users with one of the schema's roles, set up so that unqualified names are those of the schema."""

from __future__ import annotations

from psycopg import sql

from infra.timescale.connection import Connection
from infra.timescale.editions import edition_of
from infra.timescale.roles import Role
from models.errors import ConfigurationError

LONGEST_QUESTION_SECONDS = 30
"""A dashboard's question that takes longer is given up: whoever asked has gone on."""


def create_login(connection: Connection, schema: str, role: Role, name: str, password: str) -> None:
    """Create a user with one of the roles, or give it this password; the server and its log see only the hash.

    In this database its search path is the schema; a reader's transactions are read-only and end after a while.

    Raises:
        ConfigurationError: there is no such role yet, or the name is that of a user with rights of another kind.
    """
    group = role.named(schema)
    _refuse_others(connection, schema, group, name)
    hashed = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    user = sql.Identifier(name)
    with connection.transaction():
        connection.execute(
            sql.SQL("{verb} role {user} login password {hashed}").format(
                verb=sql.SQL("alter" if _known(connection, name) else "create"), user=user, hashed=sql.Literal(hashed)
            )
        )
        connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(group), user))
        for setting in _settings(connection, schema, role):
            connection.execute(
                sql.SQL("alter role {user} in database {database} {setting}").format(
                    user=user, database=sql.Identifier(connection.info.dbname), setting=setting
                )
            )


def _settings(connection: Connection, schema: str, role: Role) -> list[sql.Composed | sql.SQL]:
    edition = edition_of(connection)
    # TimescaleDB's functions are in a schema of their own, and dashboards may use them
    path = [schema] if edition is None else [schema, edition.extension_schema]
    settings: list[sql.Composed | sql.SQL] = [
        sql.SQL("set search_path to {}").format(sql.SQL(", ").join(map(sql.Identifier, path)))
    ]
    if role is Role.READER:
        seconds = sql.Literal(f"{LONGEST_QUESTION_SECONDS}s")
        settings.append(sql.SQL("set default_transaction_read_only to on"))
        settings.append(sql.SQL("set statement_timeout to {}").format(seconds))
    else:
        settings.append(sql.SQL("reset default_transaction_read_only"))
        settings.append(sql.SQL("reset statement_timeout"))
    return settings


def _refuse_others(connection: Connection, schema: str, group: str, name: str) -> None:
    if not _known(connection, group):
        raise ConfigurationError("the role", group, "one that is there; `fleettwin db migrate` makes it")
    row = connection.execute(
        "select rolsuper or rolcreaterole or rolname = any(%s) or rolname = session_user from pg_roles"
        " where rolname = %s",
        [[other.named(schema) for other in Role], name],
    ).fetchone()
    if row is not None and row[0]:
        raise ConfigurationError("the login's name", name, "a new one, or one that this command has made")


def _known(connection: Connection, name: str) -> bool:
    return connection.execute("select from pg_roles where rolname = %s", [name]).fetchone() is not None
