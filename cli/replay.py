"""`fleettwin replay`: a log again, through Kafka or in one process."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from cli.signals import stop_wished
from cli.speed import FASTEST, speed_of
from infra.settings import read_settings
from streams.logs.replaying import fold_offline, send_log


class Target(StrEnum):
    """Where a log is played to."""

    KAFKA = "kafka"
    OFFLINE = "offline"


def replay(
    log: Annotated[Path, typer.Argument(help="A log of `fleettwin record` or `fleettwin traces convert`.")],
    to: Annotated[
        Target, typer.Option("--to", help="Into the topics, or through the twin in this process alone.")
    ] = Target.KAFKA,
    speed: Annotated[
        str, typer.Option("--speed", help="To Kafka: seconds of the log in a second, or max.", metavar="X|max")
    ] = FASTEST,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object.")] = False,
) -> None:
    """Play a log again: send its telemetry, site facts and demand to Kafka, or compute what the twin makes of it."""
    settings = read_settings()
    begun = time.monotonic()
    if to is Target.OFFLINE:
        summary = fold_offline(settings, log)
        interrupted = False
    else:
        with stop_wished() as wished:
            counts = send_log(settings, log, speed_of(speed), wished.wait)
            interrupted = wished.is_set()
        rate = round(counts.total() / (time.monotonic() - begun))
        summary = {**counts, "records": counts.total(), "records_per_second": rate, "interrupted": interrupted}
    summary["seconds"] = round(time.monotonic() - begun, 3)
    typer.echo(orjson.dumps(summary) if as_json else _table(summary))
    if interrupted:
        raise typer.Exit(130)


def _table(summary: dict[str, object]) -> str:
    rows: list[tuple[str, object]] = []
    for name, value in summary.items():
        if isinstance(value, dict):
            rows += [(f"{name} {part}", content) for part, content in value.items()]
        else:
            rows.append((name, len(value) if isinstance(value, list) else value))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name.replace('_', ' '):<{width}}  {value}" for name, value in rows)
