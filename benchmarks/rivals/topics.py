"""The rivals' topics, beside ours on the same Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from benchmarks.rivals.readings import SINGLES
from benchmarks.rivals.sums import SECOND, SiteSum, Sums
from benchmarks.stage import Stage
from infra.kafka_clients import opened_admin, opened_consumer
from infra.topics import full_name, layouts

_KEPT = {"retention.ms": "-1"}
_COMPACTED = {"cleanup.policy": "compact"}


def sums_topic(rival: str) -> str:
    """Where a rival tells each site's sum as JSON; without the prefix."""
    return f"rivals.{rival}.sums"


@contextmanager
def topics(stage: Stage, rivals: tuple[str, ...], changelogs: tuple[str, ...]) -> Iterator[None]:
    """Make them; in the end delete these, and whatever else rivals have made with the stage's prefix in its name.

    Args:
        stage: Where.
        rivals: Those who tell sums.
        changelogs: Compacted topics that they need beside, without the prefix.
    """
    kafka = stage.settings.kafka
    plain = dict.fromkeys((SINGLES, *map(sums_topic, rivals)), _KEPT)
    wanted = {
        full_name(kafka, topic): {
            "num_partitions": kafka.telemetry_partitions,
            "replication_factor": kafka.replication_factor,
            "configs": configs,
        }
        for topic, configs in {**plain, **dict.fromkeys(changelogs, _COMPACTED)}.items()
    }
    with opened_admin(stage.settings) as admin:
        admin.create_topics(wanted)
        admin.wait_for_topics(list(wanted), timeout_ms=60_000)
    try:
        yield
    finally:
        ours = {full_name(kafka, layout.topic) for layout in layouts(kafka)}
        with opened_admin(stage.settings) as admin:
            # Quix puts words of its own before the prefix.
            theirs = [name for name in admin.list_topics() if kafka.topic_prefix in name and name not in ours]
            admin.delete_topics(theirs)


def told_sums(stage: Stage, rival: str) -> Sums:
    """What a rival has told so far."""
    from kafka import TopicPartition  # noqa: PLC0415  # slow to import

    kafka = stage.settings.kafka
    topic = full_name(kafka, sums_topic(rival))
    found = {}
    with opened_consumer(stage.settings) as consumer:
        places = [TopicPartition(topic, partition) for partition in range(kafka.telemetry_partitions)]
        consumer.assign(places)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(timeout_ms=250).values():
                for record in records:
                    said = orjson.loads(record.value)
                    tick = round(said["second"] * SECOND)
                    found[said["site"], tick] = SiteSum(said["nodes"], said["milliwatts"])
    return found
