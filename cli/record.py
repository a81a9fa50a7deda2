"""`fleettwin record`: topics into a log."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from cli.signals import stop_wished
from infra.settings import read_settings
from models import topics as names
from models.errors import ConfigurationError
from streams.logs.recording import RECORDED, record_topics

TOPICS = {topic.split(".")[1]: topic for topic in (*RECORDED, names.NODES, names.EVENTS)}
"""Topics by their short names."""

FIRST = ",".join(short for short, topic in TOPICS.items() if topic in RECORDED)


def record(
    out: Annotated[Path, typer.Option("--out", help="The log to write; it must not be there yet.")],
    topics: Annotated[str, typer.Option("--topics", help="Which ones, with commas between them.")] = FIRST,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning/--from-now", help="Begin with what Kafka still has, or with what comes.")
    ] = True,
    follow: Annotated[
        bool, typer.Option("--follow/--until-end", help="Go on at the end until Ctrl-C, or stop there.")
    ] = False,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0, help="Follow, and stop after so long.")] = None,
) -> None:
    """Record topics into a file, with every key, header and offset, to fold or to send again."""
    begun = time.monotonic()
    if not (from_beginning or follow or seconds is not None):
        raise ConfigurationError("--from-now", "--until-end", "--follow or --seconds with it; else there is nothing")
    with stop_wished() as wished:
        counts = record_topics(
            read_settings(),
            out,
            topics_of(topics),
            from_beginning=from_beginning,
            follow=follow or seconds is not None,
            stopped=lambda: wished.is_set() or (seconds is not None and time.monotonic() - begun >= seconds),
        )
    for topic, count in counts.items():
        typer.echo(f"{topic:<20} {count:>10} records")
    took = time.monotonic() - begun
    typer.echo(f"{out}: {counts.total()} records, {out.stat().st_size} bytes, {took:.1f} s")


def topics_of(text: str) -> tuple[str, ...]:
    """The topics that `--topics` names, with commas between them, by their short names or whole ones.

    Raises:
        ConfigurationError: there is no such topic.
    """
    return tuple(_topic(name.strip()) for name in text.split(","))


def _topic(name: str) -> str:
    known = {**TOPICS, **{topic: topic for topic in TOPICS.values()}}
    if name not in known:
        raise ConfigurationError("--topics", name, f"one of {', '.join(TOPICS)}")
    return known[name]
