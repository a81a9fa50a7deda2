"""`fleettwin alerts`: what is short, line by line."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.signals import stop_wished
from infra.settings import read_settings
from models.errors import RecordRefused
from models.shortage import Quantity, Shortage
from streams.consumers.alerts import read_alerts


def alerts(
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one event a line.")] = False,
) -> None:
    """Print the shortage events, oldest first: time, severity, change, scope, what binds, how much is missing."""
    with stop_wished() as wished:
        for shortage in read_alerts(read_settings(), _tell, follow=follow, stopped=wished.is_set):
            typer.echo(shortage.model_dump_json() if as_json else line(shortage))


def _tell(refusal: RecordRefused) -> None:
    typer.echo(f"fleettwin: passed over: {refusal}", err=True)


def line(shortage: Shortage) -> str:
    """One event for people."""
    scope = shortage.scope
    return "  ".join(
        (
            shortage.at.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z"),
            f"{shortage.severity:<8}",
            f"{shortage.change:<8}",
            scope.kind if scope.kind == scope.name else f"{scope.kind} {scope.name}",
            shortage.binding.summary,
            f"missing {amount(shortage.missing)}",
        )
    )


def amount(quantity: Quantity) -> str:
    """The measures that are not zero, for people."""
    parts = []
    if quantity.accelerators:
        parts.append(f"{quantity.accelerators:,} accelerators")
    if quantity.h100e:
        parts.append(f"{quantity.h100e:,.0f} H100e")
    if quantity.watts:
        parts.append(f"{quantity.watts / 1e6:,.2f} MW")
    return ", ".join(parts) or "nothing"
