"""How a connection to PostgreSQL is made, and what its errors mean to a caller."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import conninfo, errors

from models.errors import ConfigurationError, Unavailable

Connection = psycopg.Connection[tuple[Any, ...]]

SETTING = "FLEETTWIN_DATABASE__URL"
_EXPECTED = "postgresql://user:password@host:port/database, with what is not a letter or digit percent-encoded"
_PATIENCE = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""A server that vanished is noticed within about 20 s; what the address itself says wins."""
_DISTRUST = {
    "password authentication failed|no password supplied": "a user, and the password, that it knows",
    "certificate verify failed|does not match host name|root certificate file": "sslrootcert: the file of the authority"
    " that has signed its certificate, made out to the name in the address",
    "server does not support SSL": "sslmode=prefer, or a server that speaks TLS",
    "no pg_hba.conf entry|pg_hba.conf rejects": "whom it lets in, perhaps with sslmode=verify-full only",
    "certificate file|private key file|connection requires a valid client certificate": "sslcert and sslkey: files of"
    " a client's certificate that it knows",
}
"""What a server or libpq says, by pattern, that no waiting cures, and what the address should have held."""
_PASSES = (psycopg.OperationalError, psycopg.InterfaceError, errors.ReadOnlySqlTransaction)
_LIMITS = ("54",)
"""SQLSTATE classes that psycopg counts as operational although waiting does not help: the row is too large."""


def server_name(address: str) -> str:
    """`PostgreSQL host:port/database` of an address, without user and password.

    Raises:
        ConfigurationError: it is not an address; its text is not repeated, for it may hold a password.
    """
    parts = _parts(address)
    host = parts.get("host") or parts.get("hostaddr") or "localhost"
    return f"PostgreSQL {host}:{parts.get('port') or 5432}/{parts.get('dbname') or parts.get('user') or ''}"


def connect(address: str, application: str) -> Connection:
    """Open a connection in autocommit mode; statements are planned with their values, so that chunks are left out.

    Raises:
        ConfigurationError: the address cannot be read, or the server, or we, do not trust the other side.
        Unavailable: the server does not answer, or takes nobody now.
    """
    server = server_name(address)
    stated = {**_PATIENCE, "application_name": application, **_parts(address)}
    try:
        with database_errors(server):
            return psycopg.connect(**stated, autocommit=True, prepare_threshold=None)
    except Unavailable as refused:
        for said, expected in _DISTRUST.items():
            if re.search(said, refused.why):
                raise ConfigurationError(SETTING, server, f"{expected} ({refused.why})") from refused
        raise


@contextmanager
def database_errors(server: str) -> Iterator[None]:
    """Tell what psycopg raises within: what passes is `Unavailable`, missing rights a `ConfigurationError`.

    Whatever else it raises, of data or of SQL, is a defect of ours and goes through unchanged.
    """
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise ConfigurationError(SETTING, server, f"a user with the right to do this ({_said(error)})") from error
    except (*_PASSES, errors.InternalError_) as error:
        if (error.sqlstate or "")[:2] in _LIMITS or not (isinstance(error, _PASSES) or is_overtaken(error)):
            raise
        raise Unavailable(server, _said(error), "Check that it runs and takes connections, then try again.") from error


def is_overtaken(error: psycopg.Error) -> bool:
    """Whether another's change of the same tables came between, so that the same once more is likely to do.

    A store that begins a chunk and a migration that gives rights change the tables' entries in the catalogue, each in
    its own order: PostgreSQL ends one of them, or finds a "tuple concurrently updated", which it counts as internal.
    """
    return isinstance(error, errors.DeadlockDetected) or (
        isinstance(error, errors.InternalError_) and "tuple concurrently" in str(error)
    )


def _parts(address: str) -> dict[str, Any]:
    try:
        parts = conninfo.conninfo_to_dict(address)
        host = str(parts.get("host") or "")
        port = str(parts.get("port") or "5432").replace(",", "")
        # libpq takes an unencoded @ of a password for the end of it: the rest would show up as the host
        unencoded = "@" in host or (address.startswith("postgres") and urlsplit(address).netloc.count("@") > 1)
        if unencoded or not port.isdecimal():
            raise ConfigurationError(SETTING, "(hidden)", _EXPECTED)
    except (psycopg.ProgrammingError, ValueError):
        raise ConfigurationError(SETTING, "(hidden)", _EXPECTED) from None
    return parts


def _said(error: psycopg.Error) -> str:
    lines = [line.strip().rstrip(".?") for line in str(error).splitlines()]
    return "; ".join(line for line in lines if line and not line.startswith("Is the server"))[:300] or str(type(error))
