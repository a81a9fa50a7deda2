"""Topics and a database schema for one replay alone, beside whatever else is on the same servers."""

from __future__ import annotations

import re

from infra.groups import settled_positions
from infra.kafka_clients import opened_consumer
from infra.offsets import begins_of, ends_of
from infra.settings import ClockSource, Settings
from infra.topics import REPLAYS, create_topics, delete_topics, describe
from models.errors import ConfigurationError
from models.topics import INPUTS, LEDGER

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_WORKERS = ("twin", "store")
_READ = (*INPUTS, LEDGER)
"""What a twin reads: where these are empty, nothing has been replayed."""


def isolated(settings: Settings, name: str, partitions: int | None = None) -> Settings:
    """The settings with topics, groups and schema of the replay of this name, and time told by the log.

    Raises:
        ConfigurationError: the name cannot be one of topics and of a schema.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError("--isolated", name, "up to 32 of a-z, 0-9 and -, the first one no -")
    kafka = {"topic_prefix": f"{_prefix(name)}{settings.kafka.topic_prefix}"}
    many = {} if partitions is None else {"telemetry_partitions": partitions}
    return settings.model_copy(
        update={
            "kafka": settings.kafka.model_copy(update={**kafka, **many}),
            "database": settings.database.model_copy(update={"schema_name": f"replay_{name.replace('-', '_')}"}),
            "twin": settings.twin.model_copy(update={"clock": ClockSource.LOG}),
        }
    )


def environment(settings: Settings) -> dict[str, str]:
    """The variables with which twin, store, verify and dashboards are run on an isolated replay."""
    return {
        "FLEETTWIN_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
        "FLEETTWIN_KAFKA__TELEMETRY_PARTITIONS": str(settings.kafka.telemetry_partitions),
        "FLEETTWIN_DATABASE__SCHEMA_NAME": settings.database.schema_name,
        "FLEETTWIN_TWIN__CLOCK": settings.twin.clock.value,
    }


def prepare(settings: Settings, name: str) -> None:
    """Make the topics of an isolated replay, unless they are there and empty.

    Args:
        settings: What `isolated` gave.
        name: Of the replay.

    Raises:
        ConfigurationError: they hold something, or are partitioned in another way than the log.
    """
    found = {topic.layout.topic: topic for topic in describe(settings)}
    other = [topic.name for topic in found.values() if topic.partitions not in (None, topic.layout.partitions)]
    there = [found[topic] for topic in _READ if found[topic].partitions]
    places = [(topic.name, partition) for topic in there for partition in range(topic.partitions or 0)]
    if other:
        why = f"{other[0]} has another number of partitions than the log"
    elif held := _records(settings, places):
        why = f"its topics hold {held:,} records of an earlier replay"
    else:
        create_topics(settings)
        return
    way_out = "add --again to delete its topics and its schema and begin anew, or --drop to be rid of them"
    raise ConfigurationError("--isolated", name, f"a name that is free; {why}: {way_out}")


def drop_topics(settings: Settings, name: str) -> tuple[str, ...]:
    """Delete the topics of an isolated replay, and tell which were there.

    Raises:
        Unavailable: a worker is at work on them.
    """
    if not settings.kafka.topic_prefix.startswith(_prefix(name)):
        raise ValueError(f"{settings.kafka.topic_prefix!r} is no prefix of the replay {name!r}")
    for worker in _WORKERS:
        settled_positions(settings, worker)
    return delete_topics(settings)


def _prefix(name: str) -> str:
    return f"{REPLAYS}{name}."


def _records(settings: Settings, places: list[tuple[str, int]]) -> int:
    if not places:
        return 0
    with opened_consumer(settings) as consumer:
        begins = begins_of(consumer, places)
        return sum(end - begins[place] for place, end in ends_of(consumer, places).items())
