"""`fleettwin dashboards`: Grafana's dashboards, built from code, checked on the database and pushed to a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dashboards.grafana.checking import Outcome, checked, reading
from dashboards.grafana.queries import all_queries, committed
from infra.servers import database_address
from infra.settings import read_settings
from models.errors import ConfigurationError

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command()
def build() -> None:
    """Write the dashboards' JSON and Grafana's provisioning files from their code, in a checkout of fleettwin."""
    from dashboards.grafana import building  # noqa: PLC0415  # needs Grafana's SDK, and the other commands do not

    changed = building.write()
    for path in changed:
        typer.echo(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))
    if not changed:
        typer.echo("nothing has changed")


@app.command()
def check(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Run every query of the dashboards on the database, as Grafana's login would, and say which fail."""
    settings = read_settings()
    documents = committed()
    with reading(database_address(settings), settings.database.schema_name) as connection:
        outcomes = list(checked(connection, all_queries(documents)))
    failed = [outcome for outcome in outcomes if outcome.problem]
    slowest = max(outcomes, key=lambda outcome: outcome.milliseconds)
    if as_json:
        report = {
            "dashboards": len(documents),
            "queries": len(outcomes),
            "failed": len(failed),
            "slowest_ms": round(slowest.milliseconds, 1),
            "slowest": _named(slowest),
            "failures": [{**_named(outcome), "problem": outcome.problem} for outcome in failed],
        }
        typer.echo(json.dumps(report, indent=2))
    else:
        for outcome in failed:
            typer.echo(f"{outcome.query.name} ({outcome.case.name}): {outcome.problem}")
        typer.echo(
            f"{len(documents)} dashboards, {len(outcomes)} queries, {len(failed)} failed; the slowest took "
            f"{slowest.milliseconds:.0f} ms: {slowest.query.name} ({slowest.case.name})"
        )
    if failed:
        raise typer.Exit(1)


@app.command()
def push(
    data_source: Annotated[
        Path | None,
        typer.Option(
            help="A file with the database's URL as Grafana reaches it, of a login that may only read: makes the data "
            "source, or brings it up to date.",
        ),
    ] = None,
) -> None:
    """Bring the dashboards to the Grafana of FLEETTWIN_GRAFANA__URL; what is there already is replaced."""
    from dashboards.grafana import pushing  # noqa: PLC0415  # needs Grafana's client, and the other commands do not

    database = None if data_source is None else _read(data_source)
    pushed = pushing.push(read_settings().grafana, committed(), database)
    for address in pushed.dashboards:
        typer.echo(address)
    if not pushed.data_source:
        typer.echo(
            "They have no data source yet: see --data-source, or provision one as docs/grafana.md says.", err=True
        )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("--data-source", str(path), f"a readable file with a URL ({error})") from error


def _named(outcome: Outcome) -> dict[str, str]:
    return {"dashboard": outcome.query.page, "query": outcome.query.where, "case": outcome.case.name}
