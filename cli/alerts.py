"""`fleettwin alerts`: what is short, line by line."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from cli.signals import stop_wished
from infra.settings import read_settings
from models.errors import ConfigurationError, RecordRefused
from models.shortage import Shortage
from models.wording import also, amount, printable, who
from streams.consumers.alertmanager import alert_of
from streams.consumers.alerts import read_alerts


def alerts(
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one event a line.")] = False,
    as_alerts: Annotated[
        bool, typer.Option("--alertmanager", help="For webhooks: one alert a line, in Alertmanager's fields.")
    ] = False,
) -> None:
    """Print the shortage events, oldest first: time, severity, change, scope, what binds, how much is missing."""
    if as_json and as_alerts:
        raise ConfigurationError("--alertmanager", "together with --json", "one form or the other")
    with stop_wished() as wished:
        for shortage in read_alerts(read_settings(), _tell, follow=follow, stopped=wished.is_set):
            if as_alerts:
                typer.echo(orjson.dumps(alert_of(shortage)).decode())
            else:
                typer.echo(shortage.model_dump_json() if as_json else line(shortage))


def _tell(refusal: RecordRefused) -> None:
    typer.echo(f"fleettwin: passed over: {printable(str(refusal))}", err=True)


def line(shortage: Shortage) -> str:
    """One event for people: a sentence on what binds and what one more unit brings, and what else binds."""
    others = [also(shortage)] if shortage.also else []
    return "  ".join(
        (
            shortage.at.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z"),
            f"{shortage.severity:<8}",
            f"{shortage.change:<8}",
            who(shortage.scope),
            "; also ".join((printable(shortage.binding.summary), *others)),
            f"missing {amount(shortage.missing)}",
        )
    )
