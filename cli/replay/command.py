"""`fleettwin replay`: a log again, through Kafka or in one process."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from cli.replay import showing, verdict
from cli.replay.options import part_of, refuse
from cli.replay.playing import Steered, play
from cli.replay.separate import begin_isolated, drop_isolated, refuse_live
from cli.speed import FASTEST, speed_of
from infra.settings import Settings, read_settings
from models.errors import ConfigurationError
from streams.logs.isolation import environment
from streams.logs.parts import LogPart
from streams.oracle.golden import made_from, read_golden, write_golden


class Target(StrEnum):
    """Where a log is played to."""

    KAFKA = "kafka"
    OFFLINE = "offline"


def replay(  # noqa: PLR0913  # each is an option
    log: Annotated[
        Path | None, typer.Argument(help="A log of `fleettwin record` or `fleettwin traces convert`.")
    ] = None,
    *,
    to: Annotated[
        Target, typer.Option("--to", help="Into the topics, or through the twin in this process alone.")
    ] = Target.KAFKA,
    since: Annotated[
        str | None,
        typer.Option(
            "--from", help="From when on: a time with offset, or +15m from the log's first record.", metavar="T"
        ),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Up to when, the same way.", metavar="T")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object.")] = False,
    expect: Annotated[
        Path | None, typer.Option("--expect", help="Offline: compare with this golden result.", metavar="FILE")
    ] = None,
    write_expected: Annotated[
        Path | None, typer.Option("--write-expected", help="Offline: make this golden result.", metavar="FILE")
    ] = None,
    speed: Annotated[
        str, typer.Option("--speed", help="To Kafka: seconds of the log in a second, or max.", metavar="X|max")
    ] = FASTEST,
    paused: Annotated[bool, typer.Option("--paused", help="To Kafka: begin with a pause.")] = False,
    step: Annotated[
        bool, typer.Option("--step", help="To Kafka: begin with a pause, and follow lines on stdin; Enter is a step.")
    ] = False,
    isolated: Annotated[
        str | None,
        typer.Option(
            "--isolated", help="To Kafka: into topics of its own, beside a schema of its own.", metavar="NAME"
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Delete what --isolated NAME has, and begin anew.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Delete what --isolated NAME has, and end.")] = False,
    into_live: Annotated[
        bool, typer.Option("--into-live", help="To Kafka: also among the records of a live fleet.")
    ] = False,
) -> None:
    """Play a log again: send its telemetry, site facts and demand to Kafka, or compute what the twin makes of it.

    On a terminal the way to Kafka is steered by keys: space pauses and goes on, s or the arrow to the right plays one
    second, + and - double and halve the speed, q ends.
    """
    settings = read_settings()
    if isolated is None:
        refuse("--isolated NAME with it", again=again, drop=drop)
    if drop and isolated is not None:
        if log is not None:
            raise ConfigurationError("LOG", str(log), "none with --drop, which takes a name")
        drop_isolated(settings, isolated)
        return
    if log is None:
        raise ConfigurationError("LOG", "not said", "the path of a log")
    part = part_of(log, since, until)
    if to is Target.OFFLINE:
        only = "--to kafka with it"
        refuse(only, paused=paused, step=step, isolated=isolated, into_live=into_live)
        refuse("only one of --expect and --write-expected", expect=expect and write_expected)
        _offline(settings, part, expect, write_expected, as_json=as_json)
        return
    refuse("--to offline with it", expect=expect, write_expected=write_expected)
    refuse("--isolated or --into-live, not both", into_live=into_live and isolated)
    steered = Steered(speed_of(speed), by_lines=step, paused=paused or step)
    _to_kafka(settings, part, steered, isolated, again=again, into_live=into_live, as_json=as_json)


def _offline(
    settings: Settings, part: LogPart, expect: Path | None, write_expected: Path | None, *, as_json: bool
) -> None:
    from streams.oracle.offline import fold_part  # noqa: PLC0415  # the machines take long to import

    begun = time.monotonic()
    golden = None if expect is None else read_golden(expect)
    result = fold_part(settings, part).summary()
    if expect is not None and golden is not None:
        found = verdict.judge(expect, golden, result, made_from(settings, part))
        typer.echo(orjson.dumps(verdict.as_object(found)) if as_json else "\n".join(verdict.in_words(found)))
        if not found.equal:
            raise typer.Exit(1)
        return
    if write_expected is not None:
        write_golden(write_expected, result, made_from(settings, part))
    result["seconds"] = round(time.monotonic() - begun, 3)
    whole = {"made_from": made_from(settings, part), **result} if as_json else result
    typer.echo(orjson.dumps(whole) if as_json else showing.table(whole))


def _to_kafka(
    settings: Settings,
    part: LogPart,
    steered: Steered,
    isolated: str | None,
    *,
    again: bool,
    into_live: bool,
    as_json: bool,
) -> None:
    part.require_inputs()
    if isolated is not None:
        settings = begin_isolated(settings, isolated, part, again=again, quiet=as_json)
    elif not into_live:
        refuse_live(settings)
    begun = time.monotonic()
    replayed, stopped = play(settings, part, steered)
    left = replayed.go_on_from
    summary = showing.sent(replayed, time.monotonic() - begun)
    if as_json:
        typer.echo(orjson.dumps(summary if isolated is None else {**summary, "environment": environment(settings)}))
    else:
        typer.echo(showing.table(summary))
    if left is not None:
        prefix = None if isolated is None else settings.kafka.topic_prefix
        typer.echo(showing.way_on(part, left, prefix, into_live=into_live), err=True)
    if left is not None and stopped:
        raise typer.Exit(130)
