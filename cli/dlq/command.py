"""`fleettwin dlq list | show | replay`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from cli.alerts.command import quiet_when_nobody_reads
from cli.dlq import showing
from cli.dlq.options import PlacesArgument, ReasonOption, SinceOption, SiteOption, TopicOption, wanted_of
from infra.catalogues import chosen_catalogue
from infra.settings import Settings, read_settings
from models.errors import ConfigurationError, RecordRefused
from models.instants import Instant, instant_of
from models.wording import printable
from streams.letters.again import Judge, Judged, refused_whole, send_again
from streams.letters.corrections import Correction, corrected, read_corrections
from streams.letters.finding import Found, Letter, Wanted, find, whole

app = typer.Typer(no_args_is_help=True, help=__doc__)

_WIDE = 10_000
"""Columns of what is no terminal: nothing is cut."""

JsonOption = Annotated[bool, typer.Option("--json", help="For programs: one object a line.")]


@app.command("list")
def show_all(
    topic: TopicOption = None,
    reason: ReasonOption = None,
    site: SiteOption = None,
    since: SinceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was refused, oldest first: when, what, of which site, why, and whether it was sent again."""
    found = find(read_settings(), wanted_of(topic, reason, site, since), _pass_over)
    with quiet_when_nobody_reads():
        if as_json:
            for letter in found.letters.values():
                _print(showing.listed(letter, found.sent_again.get(letter.place, [])))
        elif found.letters:
            console = Console(width=None if sys.stdout.isatty() else _WIDE)
            with console.capture() as drawn:
                console.print(showing.letters_table(found))
            for row in drawn.get().splitlines():
                typer.echo(row.rstrip())
        else:
            typer.echo("nothing was refused that fits")


@app.command()
def show(
    places: PlacesArgument = None,
    topic: TopicOption = None,
    reason: ReasonOption = None,
    site: SiteOption = None,
    since: SinceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show letters whole: the record and its headers, the reason, the rows refused, and what they say.

    With --json each is a line that `dlq replay --from` takes once its payload is corrected.
    """
    settings = read_settings()
    wanted = _some(places, topic, reason, site, since, "show")
    found = _found(settings, wanted)
    with quiet_when_nobody_reads():
        for letter in whole(settings, wanted, found):
            again = found.sent_again.get(letter.place, [])
            if as_json:
                _print(showing.whole(letter, again))
            else:
                typer.echo("\n".join(showing.told(letter, again)))


@app.command()
def replay(  # noqa: PLR0913  # each is an option
    places: PlacesArgument = None,
    *,
    topic: TopicOption = None,
    reason: ReasonOption = None,
    site: SiteOption = None,
    since: SinceOption = None,
    corrections: Annotated[
        Path | None, typer.Option("--from", help="Send what this file of JSON Lines says instead, by place.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing; tell what would become of it.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also what was sent again before.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object.")] = False,
) -> None:
    """Send refused records again that are good by now, or that were corrected; tell what still would be refused.

    Of a frame whose other rows were taken the refused ones are sent alone.
    """
    settings, now = read_settings(), instant_of(datetime.now(UTC))
    said = {} if corrections is None else read_corrections(corrections)
    if corrections is not None and places:
        raise ConfigurationError("PLACE", ", ".join(places), "none beside --from, which names its own")
    wanted = _some(places or list(said), topic, reason, site, since, "replay")
    found = _found(settings, wanted)
    before = [place for place in found.letters if place in found.sent_again]
    if not again:
        for place in before:
            del found.letters[place]
    judged = _judged(settings, wanted, found, said, now)
    _tell(
        list(_sent(settings, judged, now, dry_run=dry_run)), [] if again else before, dry_run=dry_run, as_json=as_json
    )


def _some(
    places: list[str] | None, topic: str | None, reason: str | None, site: str | None, since: str | None, command: str
) -> Wanted:
    """What is asked for, which must be something.

    Raises:
        ConfigurationError: nothing is named, or what cannot be.
    """
    if not places and not any((topic, reason, site, since)):
        expected = (
            f"a PLACE of `fleettwin dlq list`, or one of --topic, --reason, --site, --since; dlq {command} takes no all"
        )
        raise ConfigurationError("which letters", "not said", expected)
    return wanted_of(topic, reason, site, since, places)


def _found(settings: Settings, wanted: Wanted) -> Found:
    """The letters; all places that were named must be there.

    Raises:
        ConfigurationError: one is not.
    """
    found = find(settings, wanted, _pass_over)
    missing = sorted(set(wanted.places or ()) - found.letters.keys())
    if missing:
        raise ConfigurationError("PLACE", missing[0], "a record that was refused; `fleettwin dlq list` shows them")
    return found


def _judged(
    settings: Settings, wanted: Wanted, found: Found, said: Mapping[str, Correction], now: Instant
) -> Iterator[Judged]:
    judge = Judge(chosen_catalogue(settings.twin), now)
    for letter in whole(settings, wanted, found):
        if letter.place not in found.letters:
            continue
        yield _corrected(judge, letter, said[letter.place]) if said else judge.judge(letter)


def _corrected(judge: Judge, letter: Letter, correction: Correction) -> Judged:
    try:
        return judge.judge(letter, corrected(letter, correction))
    except RecordRefused as refused:
        return refused_whole(letter, refused)


def _sent(settings: Settings, judged: Iterator[Judged], now: Instant, *, dry_run: bool) -> Iterator[Judged]:
    """Each as it was judged, and sent by then if it is to be."""
    if dry_run:
        yield from judged
        return
    yield from send_again(settings, judged, now, lambda line: typer.echo(f"fleettwin: {line}", err=True))


def _tell(outcomes: list[Judged], before: list[str], *, dry_run: bool, as_json: bool) -> None:
    sent = [one for one in outcomes if one.record is not None]
    refused = [(one, row) for one in outcomes for row in one.refused]
    if as_json:
        _print(
            {
                "dry_run": dry_run,
                "records": len(sent),
                "readings": sum(one.readings for one in sent),
                "still_refused": [{"place": one.letter.place, **showing.refusal(row)} for one, row in refused],
                "sent_before": before,
            }
        )
        return
    for one in outcomes:
        typer.echo("\n".join(showing.outcome(one, dry_run=dry_run)))
    for place in before:
        typer.echo(f"{showing.short_place(place)}  was sent again before; --again sends it once more")
    sends = "would be sent" if dry_run else "sent"
    typer.echo(
        f"{len(sent):,} records {sends}, {sum(one.readings for one in sent):,} readings or statements in them; "
        f"{len(refused):,} still refused, {len(before):,} sent before"
    )


def _print(said: dict[str, Any]) -> None:
    typer.echo(orjson.dumps(said).decode())


def _pass_over(refusal: RecordRefused) -> None:
    typer.echo(f"fleettwin: passed over: {printable(str(refusal))}", err=True)
