"""`fleettwin log inspect | verify | cut | merge | convert`: record logs that others can use."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import orjson
import typer

from cli.alerts.command import quiet_when_nobody_reads
from cli.log import showing
from cli.log.options import (
    JsonOption,
    LogArgument,
    LogsArgument,
    OutOption,
    UpToDamageOption,
    making,
    moment_of_option,
    told_damage,
)
from cli.record import topics_of
from streams.logs.cutting import Choice, cut_log
from streams.logs.inspecting import inspect_log
from streams.logs.uniting import merge_logs
from streams.logs.verifying import verify_log

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command()
def inspect(log: LogArgument, as_json: JsonOption = False) -> None:
    """Show what a log holds: header, times, records and bytes by partition, gaps, and where it is damaged."""
    contents = inspect_log(log)
    with quiet_when_nobody_reads():
        if as_json:
            typer.echo(orjson.dumps(showing.as_object(log, contents)).decode())
        else:
            typer.echo("\n".join(showing.told(log, contents)))


@app.command()
def verify(logs: LogsArgument) -> None:
    """Read logs whole and check everything; exit code 1 where one is not whole and in order."""
    good = True
    for log in logs:
        verdict = verify_log(log)
        good = good and verdict.is_good
        typer.echo("\n".join(showing.verdict(log, verdict)))
    if not good:
        raise typer.Exit(1)


@app.command()
def cut(
    log: LogArgument,
    out: OutOption,
    since: Annotated[
        str | None, typer.Option("--from", help="The first time wanted, with offset, or +90s after the beginning.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="The first time not wanted any more, alike.")] = None,
    topics: Annotated[str | None, typer.Option("--topics", help="Only these, with commas between them.")] = None,
    sites: Annotated[
        str | None, typer.Option("--sites", help="Only these, with commas between them; clocks and demand stay.")
    ] = None,
    with_facts: Annotated[
        bool, typer.Option("--with-facts", help="Also what was said of sites and demand before --from.")
    ] = False,
    up_to_damage: UpToDamageOption = False,
) -> None:
    """Cut a part out of a log, by when records were sent, by topics or by sites, as a log that can be replayed."""
    choice = Choice(
        moment_of_option("--from", since),
        moment_of_option("--until", until),
        None if topics is None else topics_of(topics),
        None if sites is None else [site.strip() for site in sites.split(",")],
        with_facts,
    )
    with making():
        found = cut_log(log, out, choice, _created_by("cut"), up_to_damage=up_to_damage)
    told_damage(found.damage)
    for topic, count in sorted(found.kept.items()):
        typer.echo(f"{topic:<20} {count:>10} records")
    before = f", {found.from_before} of them from before --from" if with_facts else ""
    typer.echo(f"{out}: {found.kept.total()} records{before}, {out.stat().st_size} bytes")


@app.command()
def merge(logs: LogsArgument, out: OutOption, up_to_damage: UpToDamageOption = False) -> None:
    """Merge logs into one, in one order by time; what several of them have is in it once."""
    with making():
        found = merge_logs(logs, out, _created_by("merge"), up_to_damage=up_to_damage)
    for damage in found.damages:
        told_damage(damage)
    typer.echo(f"{out}: {found.records} records, {found.repeats} repeats dropped, {out.stat().st_size} bytes")


@app.command()
def convert(
    log: Annotated[
        Path,
        typer.Argument(
            help="A log, or .jsonl, .jsonl.zst or .parquet of one; - is standard input.",
            metavar="LOG",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="The file to make; its ending says its form. - is lines to standard output.")
    ],
    decoded: Annotated[
        bool, typer.Option("--decoded", help="To lines: one for each reading of a frame. There is no way back.")
    ] = False,
    up_to_damage: UpToDamageOption = False,
) -> None:
    """Convert a log to JSON Lines (.jsonl, .jsonl.zst, or - for a pipe) or Parquet, or such a file to a log."""
    from streams.logs.forms.converting import STANDARD_OUTPUT, convert_log  # noqa: PLC0415  # slow to import

    with quiet_when_nobody_reads():
        with making():
            found = convert_log(log, out, decoded=decoded, up_to_damage=up_to_damage)
        told_damage(found.damage)
        if out != STANDARD_OUTPUT:
            typer.echo(f"{out}: {found.records} records, {out.stat().st_size} bytes")


def _created_by(command: str) -> str:
    return f"fleettwin {version('fleettwin')} log {command}"
