"""`fleettwin db`: the TimescaleDB schema, brought up to date and looked at, and who may log in to it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from infra.servers import database_address
from infra.settings import read_settings
from infra.timescale.connection import Connection, connect, database_errors, server_name
from infra.timescale.inspection import DatabaseStatus, database_status
from infra.timescale.logins import create_login
from infra.timescale.migrations import migrate
from infra.timescale.roles import Role
from models.errors import ConfigurationError

app = typer.Typer(no_args_is_help=True, help=__doc__)

PASSWORD_VARIABLE = "LOGIN_PASSWORD"  # noqa: S105 - the name of a variable


@app.command("migrate")
def bring_up_to_date() -> None:
    """Create or update tables and roles; does nothing where they are up to date."""
    settings = read_settings()
    address = database_address(settings)
    with _connected(address) as connection:
        result = migrate(connection, settings.database.schema_name, server_name(address))
    typer.echo(f"{server_name(address)}: TimescaleDB {result.edition.timescaledb}, {result.edition.name} edition")
    for name in result.applied:
        typer.echo(f"  applied {name}")
    for reason in result.skipped:
        typer.echo(f"  left out {reason}")
    if not result.applied:
        typer.echo(f"  schema {settings.database.schema_name} is up to date")


@app.command("status")
def show_status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show versions, pending migrations, and each table's rows, size and chunks."""
    settings = read_settings()
    address = database_address(settings)
    with _connected(address) as connection:
        found = database_status(connection, settings.database.schema_name, server_name(address))
    typer.echo(json.dumps(asdict(found), indent=2) if as_json else _text(found))


@app.command("login")
def make_login(
    name: Annotated[str, typer.Option("--name", help="The user's name in PostgreSQL.")],
    role: Annotated[Role, typer.Option("--role", help="What it may do.")] = Role.READER,
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="A file whose first line is the password.")
    ] = None,
) -> None:
    """Create a user with one of the schema's roles, or change its password.

    The password is the first line of the file, or what LOGIN_PASSWORD holds in the environment, or is asked for.
    """
    settings = read_settings()
    address, schema = database_address(settings), settings.database.schema_name
    password = _password(name, password_file)
    with _connected(address) as connection, database_errors(server_name(address)):
        create_login(connection, schema, role, name, password)
    typer.echo(f"{server_name(address)}: {name} may log in as {role.named(schema)}")


def _password(name: str, file: Path | None) -> str:
    """Never from an argument: those of a running command can be seen by everybody on the machine."""
    if file is not None:
        try:
            password = (file.read_text(encoding="utf-8").splitlines() or [""])[0]
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError("--password-file", str(file), f"a text file that can be read ({error})") from None
    elif PASSWORD_VARIABLE in os.environ:
        password = os.environ[PASSWORD_VARIABLE]
    elif sys.stdin.isatty():
        password = typer.prompt(f"Password for {name}", hide_input=True, confirmation_prompt=True)
    else:
        way = f"--password-file FILE, or the environment variable {PASSWORD_VARIABLE}, where nobody can be asked"
        raise ConfigurationError("the password", "(none)", way)
    if not password or "\0" in password:
        raise ConfigurationError("the password", "(empty)", "at least one character")
    return password


def _connected(address: str) -> Connection:
    return connect(address, "fleettwin db")


def _text(found: DatabaseStatus) -> str:
    extension = f"TimescaleDB {found.timescaledb}, {found.edition} edition" if found.timescaledb else "no TimescaleDB"
    lines = [
        found.server,
        f"  PostgreSQL {found.postgresql}, {extension}",
        f"  schema {found.schema}, version {found.version}, pending: {', '.join(found.pending) or 'none'}",
    ]
    if found.tables:
        lines.append(f"  {'table':20} {'rows (about)':>14} {'MB':>10} {'chunks':>7}")
    sizes = (f"  {size.table:20} {size.rows:14,} {size.bytes / 1e6:10,.1f} {size.chunks:7}" for size in found.tables)
    return "\n".join([*lines, *sizes])
