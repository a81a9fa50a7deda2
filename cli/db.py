"""`fleettwin db`: the TimescaleDB schema, brought up to date and looked at."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from infra.servers import database_address
from infra.settings import read_settings
from infra.timescale.connection import Connection, connect, server_name
from infra.timescale.inspection import DatabaseStatus, database_status
from infra.timescale.migrations import migrate

app = typer.Typer(no_args_is_help=True, help=__doc__)


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
