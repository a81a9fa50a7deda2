"""Keeping a replay and a live fleet apart."""

from __future__ import annotations

import typer

from infra.servers import database_address
from infra.settings import Settings
from infra.timescale.connection import connect, server_name
from infra.timescale.dropping import drop_schema
from models.errors import ConfigurationError, Unavailable
from models.topics import TELEMETRY
from streams.logs.isolation import drop_topics, environment, isolated, prepare
from streams.logs.living import live_topic
from streams.logs.parts import LogPart


def begin_isolated(settings: Settings, name: str, part: LogPart, *, again: bool, quiet: bool) -> Settings:
    """The settings of a replay of its own, whose topics are there and empty; tells how to run a twin on it.

    Raises:
        ConfigurationError: the name is none, or its topics hold something and it is not to begin again.
        Unavailable: a server does not answer, or a worker is still at work on what is to be deleted.
    """
    apart = isolated(settings, name, part.header.partitions.get(TELEMETRY))
    if again:
        _delete(apart, name, quiet=quiet)
    prepare(apart, name)
    if not quiet:
        typer.echo("# what twin, store, verify and dashboards of this replay need:")
        for variable, value in environment(apart).items():
            typer.echo(f"export {variable}={value}")
    return apart


def drop_isolated(settings: Settings, name: str) -> None:
    """Delete topics and schema of an isolated replay, and tell what went.

    Raises:
        ConfigurationError: the name is none, or a right is missing.
        Unavailable: a server does not answer, or a worker is still at work there.
    """
    if not _delete(isolated(settings, name), name, quiet=False):
        typer.echo(f"nothing of {name} was there")


def refuse_live(settings: Settings) -> None:
    """Refuse to send a log among what is sent by others.

    Raises:
        ConfigurationError: somebody else speaks on one of the inputs.
        Unavailable: Kafka does not answer.
    """
    topic = live_topic(settings)
    if topic is not None:
        expected = (
            "a topic that is empty or holds replays alone: demand of the log would stand again among that of today, and"
            " page people. Play it beside with --isolated NAME, or among it all the same with --into-live"
        )
        raise ConfigurationError("the topic to send to", f"{topic}, which holds live records", expected)


def _delete(apart: Settings, name: str, *, quiet: bool) -> bool:
    """Topics, schema and roles; says whether any was there."""
    gone = [f"topic {topic}" for topic in drop_topics(apart, name)]
    try:
        address = database_address(apart)
    except Unavailable:
        address = None
    if address is not None:
        server = server_name(address)
        with connect(address, "fleettwin replay") as connection:
            gone += [f"{one} of {server}" for one in drop_schema(connection, apart.database.schema_name, server)]
    if not quiet:
        for one in gone:
            typer.echo(f"deleted {one}")
        if address is None:
            typer.echo("no setting says where TimescaleDB is: a schema, if there is one, is left there")
    return bool(gone)
