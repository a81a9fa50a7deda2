"""`fleettwin verify`: the oracle."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer

from infra.servers import database_address
from infra.settings import read_settings


def verify(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    database: Annotated[bool, typer.Option(help="Compare the database's rows too.")] = True,
) -> None:
    """Fold the recorded telemetry and ledger again, and compare all that the twin and the store made of them.

    The workers must have stopped. Exit code 1 if anything is lost, too much, or different.
    """
    from streams.oracle.verifying import verify as verify_all  # noqa: PLC0415  # pyarrow takes long to import

    settings = read_settings()
    address = database_address(settings) if database else None
    verification, _ = verify_all(settings, address, lambda step: typer.echo(f"{step} ...", err=True))
    report = verification.report()
    typer.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() if as_json else told(report))
    if verification.differences:
        raise typer.Exit(1)


def told(report: dict[str, Any]) -> str:
    """The report for people."""
    head = f"{'':28}{'expected':>10}{'found':>10}{'repeated':>10}{'pending':>9}{'missing':>9}{'other':>7}"
    lines = [head]
    for where, tally in report["compared"].items():
        other = tally["unexpected"] + tally["different"]
        lines.append(
            f"{where:28}{tally['expected']:>10,}{tally['found']:>10,}{tally['repeated']:>10,}"
            f"{tally['pending']:>9,}{tally['missing']:>9,}{other:>7,}"
        )
    readings = report["readings"]
    lines.append(f"{readings['observed']:,} readings observed, {readings['refused']:,} refused")
    first = report["first_difference"]
    if first is not None:
        lines.append(f"first difference: {first['where']} {first['identity']} {first['problem']}")
        lines += [f"  {side}: {first[side]}" for side in ("expected", "found") if first[side] is not None]
    if report["pending"]:
        lines.append(f"{report['pending']:,} pending: the workers were stopped before they had taken everything in")
    lines.append(f"{report['differences']:,} differences; state hash {report['state_hash']}")
    return "\n".join(lines)
