"""`fleettwin stack`: Kafka and TimescaleDB on this machine, without containers and without root."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

import typer

from infra.embedded import supervisor
from infra.embedded.instance import Instance
from infra.embedded.stack import RunningStack
from infra.embedded.status import Status, status
from infra.settings import read_settings

app = typer.Typer(no_args_is_help=True, help=__doc__)

Name = Annotated[str, typer.Option("--name", help="Which instance; each has its own data and ports.")]


class Server(StrEnum):
    """A server of the stack."""

    KAFKA = "kafka"
    TIMESCALEDB = "timescaledb"


@app.command()
def up(name: Name = "main") -> None:
    """Start both servers in the background, downloading them on first use; prints where they are."""
    stack = supervisor.start(read_settings().stack, name)
    typer.echo(_addresses(stack))


@app.command()
def down(name: Name = "main") -> None:
    """Stop both servers; their data stays."""
    ended = supervisor.end(read_settings().stack, name)
    typer.echo(f"stack {name}: {'stopped' if ended else 'was not running'}")


@app.command("status")
def show_status(
    name: Annotated[str | None, typer.Option("--name", help="Default: main if it runs, else demo if it runs.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs; shows the password.")] = False,
) -> None:
    """Show where the servers are and whether they run."""
    found = status(read_settings().stack, ("main", "demo") if name is None else (name,))
    typer.echo(found.model_dump_json(indent=2) if as_json else _table(found))


@app.command()
def logs(
    server: Annotated[Server | None, typer.Argument(help="Default: both.")] = None,
    name: Name = "main",
    lines: Annotated[int, typer.Option("--lines", min=1, help="How many of the last lines.")] = 40,
) -> None:
    """Print the end of the servers' logs."""
    instance = Instance.of(read_settings().stack, name)
    for one in Server if server is None else (server,):
        path = instance.log(one)
        typer.echo(f"==> {path}")
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            typer.echo("\n".join(text.splitlines()[-lines:]))


@app.command()
def reset(
    name: Name = "main",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the instance's data; the downloads stay."""
    settings = read_settings().stack
    if not yes:
        typer.confirm(f"Delete all data of the stack {name}?", abort=True)
    deleted = supervisor.reset(settings, name)
    typer.echo(f"stack {name}: {'deleted' if deleted else 'had no data'}")


def _addresses(stack: RunningStack) -> str:
    lines = [
        f"stack {stack.name}: running under process {stack.supervisor}",
        f"  kafka        {stack.kafka}",
        f"  timescaledb  {_without_password(stack.database_url)}",
    ]
    return "\n".join(lines)


def _table(found: Status) -> str:
    database, kafka = found.database, found.kafka
    edition = f", {database.version} {database.edition} edition" if database.version else ""
    rows = [
        ("kafka", kafka.bootstrap_servers or "-", "running" if kafka.running else "stopped"),
        (
            "timescaledb",
            _without_password(database.url or "-"),
            ("running" if database.running else "stopped") + edition,
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"  {server:<{widths[0]}}  {address:<{widths[1]}}  {state}" for server, address, state in rows]
    hint = ["The password is hidden; --json shows it."] if database.url else []
    return "\n".join([f"stack {found.name}: {'running' if found.running else 'not running'}", *lines, *hint])


def _without_password(url: str) -> str:
    return re.sub(r"(//[^:/@]+):[^@]+@", r"\1:***@", url)
