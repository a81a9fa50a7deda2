"""The topics as they stand on Kafka: how many partitions, kept how long, and the commands that make them so."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.kafka_clients import MOST_MESSAGE_BYTES, not_allowed, opened_admin
from models import topics
from models.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

    from infra.settings import KafkaSettings, Settings

REPLAYS = "replay."
"""How names of topics and groups begin that are a replay's own."""

_HOUR = 3_600_000
_DAY = 24 * _HOUR
_COMPACTED_SEGMENT_BYTES = 16 * 1024 * 1024
_PATIENCE_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.05
_NOT_ALLOWED = 29
"""Kafka's number for a topic that this user may not even describe."""
_SEGMENTS_KEPT = 8
"""Kafka deletes whole segments, so a topic's oldest record may be older than its retention by one part in so many."""


@dataclass(frozen=True, slots=True)
class TopicLayout:
    """One topic as it should be; `topic` is its name without the prefix."""

    topic: str
    partitions: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """One topic as it is; no `partitions` means that it is not there, or that we may not see it."""

    name: str
    partitions: int | None
    layout: TopicLayout
    hidden: bool = False
    """Whether Kafka keeps from this user whether it is there."""


def full_name(kafka: KafkaSettings, topic: str) -> str:
    """The name on Kafka, prefix and all."""
    return kafka.topic_prefix + topic


def layouts(kafka: KafkaSettings) -> tuple[TopicLayout, ...]:
    """Every topic of ours. Inputs are never compacted: a compacted log cannot be folded again."""
    hours = round(kafka.telemetry_retention_hours * _HOUR)
    days = round(kafka.history_retention_days * _DAY)
    many = kafka.telemetry_partitions
    return (
        _stream(kafka, topics.TELEMETRY, many, hours),
        _stream(kafka, topics.SITES, 1, days),
        _stream(kafka, topics.DEMAND, 1, days),
        _stream(kafka, topics.LEDGER, 1, days),
        _stream(kafka, topics.NODES, many, hours),
        _stream(kafka, topics.STATE, 1, hours),
        _stream(kafka, topics.SHORTAGES, 1, days),
        _stream(kafka, topics.EVENTS, many, hours),
        _stream(kafka, topics.PIPELINE, 1, hours),
        _newest(kafka, topics.OPEN_SHORTAGES, 1),
        _newest(kafka, topics.WORKERS, 1),
        _newest(kafka, topics.SITE_CHECKPOINTS, many),
        _newest(kafka, topics.FLEET_CHECKPOINTS, 1),
        *(_stream(kafka, letters, 1, days) for letters in topics.DEAD_LETTERS),
    )


def describe(settings: Settings) -> tuple[FoundTopic, ...]:
    """Every topic of ours, whether it is there or not.

    Raises:
        Unavailable: no Kafka answers.
    """
    with opened_admin(settings) as admin:
        return _found(admin, settings.kafka)


def partition_counts(settings: Settings, wanted: Collection[str]) -> Mapping[str, int]:
    """How many partitions each of these topics has; names without the prefix.

    Raises:
        ConfigurationError: one of them is not there, or this user may not see it.
        Unavailable: no Kafka answers.
    """
    return _counted(settings.kafka, describe(settings), wanted)


def require_topics(settings: Settings, wanted: Collection[str]) -> Mapping[str, int]:
    """As `partition_counts`, once all topics are as they were made: what a site's partition is must not change.

    Raises:
        ConfigurationError: one of them is not there, or has another number of partitions.
        Unavailable: no Kafka answers.
    """
    described = describe(settings)
    counts = _counted(settings.kafka, described, wanted)
    _missing(described)
    return counts


def create_topics(settings: Settings) -> tuple[str, ...]:
    """Make the topics that are missing, and tell which; those that are there keep their settings.

    Raises:
        ConfigurationError: a topic is there with another number of partitions, or there are too few brokers.
        Unavailable: no Kafka answers.
    """
    from kafka.errors import InvalidReplicationFactorError, TopicAlreadyExistsError  # noqa: PLC0415  # slow to import

    with opened_admin(settings) as admin:
        missing = _missing(_found(admin, settings.kafka))
        if missing:
            wanted = {
                full_name(settings.kafka, layout.topic): {
                    "num_partitions": layout.partitions,
                    "replication_factor": settings.kafka.replication_factor,
                    "configs": dict(layout.settings),
                }
                for layout in missing
            }
            try:
                admin.create_topics(wanted)
            except TopicAlreadyExistsError:
                pass  # somebody else was making them at the same time; what is there now is checked below
            except InvalidReplicationFactorError:
                factor = settings.kafka.replication_factor
                expected = "at most the number of brokers"
                raise ConfigurationError("FLEETTWIN_KAFKA__REPLICATION_FACTOR", factor, expected) from None
            admin.wait_for_topics(list(wanted))
        still = _missing(_found(admin, settings.kafka))
        if still:
            raise Unavailable(still[0].topic, "Kafka did not make it", "Try again, or look into the broker's log")
    return tuple(full_name(settings.kafka, layout.topic) for layout in missing)


def delete_topics(settings: Settings) -> tuple[str, ...]:
    """Delete our topics with all they hold, and tell which were there.

    Raises:
        Unavailable: no Kafka answers.
    """
    with opened_admin(settings) as admin:
        there = tuple(found.name for found in _found(admin, settings.kafka) if found.partitions is not None)
        if there:
            admin.delete_topics(list(there))
            _wait_until_gone(admin, settings.kafka)
    return there


def _counted(kafka: KafkaSettings, described: Collection[FoundTopic], wanted: Collection[str]) -> Mapping[str, int]:
    found = {one.layout.topic: one for one in described}
    there = {topic: count for topic in wanted if (count := found[topic].partitions) is not None}
    for topic in wanted:
        if found[topic].hidden:
            raise not_allowed(kafka, f"nothing of {found[topic].name} is shown to it")
        if topic not in there:
            name = full_name(kafka, topic)
            raise ConfigurationError(
                "topic", name, "a topic that is there; `fleettwin topics create` makes all of them"
            )
    return there


def _found(admin: KafkaAdminClient, kafka: KafkaSettings) -> tuple[FoundTopic, ...]:
    names = [full_name(kafka, layout.topic) for layout in layouts(kafka)]
    told = {topic["name"]: topic for topic in admin.describe_topics(names)}
    counts = {name: len(topic["partitions"]) for name, topic in told.items() if topic["error_code"] == 0}
    hidden = {name for name, topic in told.items() if topic["error_code"] == _NOT_ALLOWED}
    return tuple(
        FoundTopic(name, counts.get(name), layout, name in hidden)
        for name, layout in zip(names, layouts(kafka), strict=True)
    )


def _wait_until_gone(admin: KafkaAdminClient, kafka: KafkaSettings) -> None:
    """Kafka deletes a topic some time after it has said yes; made anew meanwhile, it would vanish as well."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(found.partitions is not None for found in _found(admin, kafka)):
        if time.monotonic() > deadline:
            raise Unavailable("Kafka", "it does not finish deleting topics", "Look into the broker's log")
        time.sleep(_LOOK_AGAIN_SECONDS)


def _missing(found: Collection[FoundTopic]) -> list[TopicLayout]:
    for topic in found:
        if topic.partitions not in (None, topic.layout.partitions):
            expected = (
                f"{topic.layout.partitions}; FLEETTWIN_KAFKA__TELEMETRY_PARTITIONS must stay what the topics were made"
                " with, or they must be deleted and made anew"
            )
            raise ConfigurationError(f"the number of partitions of {topic.name}", topic.partitions, expected)
    return [topic.layout for topic in found if topic.partitions is None]


def _stream(kafka: KafkaSettings, topic: str, partitions: int, retention: int) -> TopicLayout:
    """A topic that is a log: kept for so many milliseconds from when Kafka took each record in."""
    return TopicLayout(
        topic,
        partitions,
        {
            **_always(kafka),
            "cleanup.policy": "delete",
            "retention.ms": str(retention),
            "retention.bytes": "-1",
            "segment.ms": str(min(max(retention // _SEGMENTS_KEPT, _HOUR // 4), _DAY)),
            "message.timestamp.type": "LogAppendTime",
        },
    )


def _newest(kafka: KafkaSettings, topic: str, partitions: int) -> TopicLayout:
    """A topic of which the newest record per key is kept; small segments, since only closed ones are compacted."""
    return TopicLayout(
        topic,
        partitions,
        {
            **_always(kafka),
            "cleanup.policy": "compact",
            "segment.bytes": str(_COMPACTED_SEGMENT_BYTES),
            "min.cleanable.dirty.ratio": "0.05",
            "message.timestamp.type": "CreateTime",
        },
    )


def _always(kafka: KafkaSettings) -> dict[str, str]:
    return {
        "max.message.bytes": str(MOST_MESSAGE_BYTES),
        "compression.type": "producer",
        "min.insync.replicas": str(max(1, kafka.replication_factor - 1)),
        "unclean.leader.election.enable": "false",
    }
