"""Which PostgreSQL and which TimescaleDB this is, and what its licence allows."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import errors

from infra.timescale.connection import Connection
from models.errors import Unavailable

_INSTALL = "Install TimescaleDB on that server, or unset FLEETTWIN_DATABASE__URL to use the embedded one."


@dataclass(frozen=True, slots=True)
class Edition:
    """What is installed. `extension_schema` is where its functions are."""

    postgresql: str
    timescaledb: str
    license: str
    extension_schema: str

    @property
    def community(self) -> bool:
        """Compression may be used; on the Apache edition it may not."""
        return self.license == "timescale"

    @property
    def name(self) -> str:
        """For people."""
        return "Community" if self.community else "Apache"


def edition_of(connection: Connection) -> Edition | None:
    """The edition in this database; none where the extension is not installed."""
    row = connection.execute(
        """
        select current_setting('server_version'), e.extversion,
            coalesce(current_setting('timescaledb.license', true), ''), n.nspname
        from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'timescaledb'
        """
    ).fetchone()
    return None if row is None else Edition(*row)


def ensure_extension(connection: Connection, server: str) -> Edition:
    """Install the extension where it is missing.

    Raises:
        Unavailable: the server does not have it, or does not let us.
    """
    present = edition_of(connection)
    if present is not None:
        return present
    if connection.execute("select from pg_available_extensions where name = 'timescaledb'").fetchone() is None:
        raise Unavailable(server, "it has no TimescaleDB", _INSTALL)
    try:
        connection.execute("create extension if not exists timescaledb")
    except errors.InsufficientPrivilege:
        way_out = "Let an administrator run `create extension timescaledb` in that database."
        raise Unavailable(server, "this user may not install TimescaleDB", way_out) from None
    except psycopg.OperationalError as error:  # not preloaded: PostgreSQL ends the connection
        why = "TimescaleDB could not be loaded: " + str(error).partition("\n")[0]
        raise Unavailable(server, why, "Set shared_preload_libraries = 'timescaledb' there and restart it.") from None
    present = edition_of(connection)
    if present is None:
        raise Unavailable(server, "TimescaleDB did not install", _INSTALL)
    return present
