"""Whether topics are of a live fleet: a log that is sent among its records would be taken for news of today."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from infra.kafka_clients import opened_consumer
from infra.offsets import begins_of, ends_of
from infra.settings import Settings
from infra.topics import full_name, partition_counts
from models.errors import Unavailable
from models.record import SENT_AT
from models.topics import INPUTS

if TYPE_CHECKING:
    from kafka import KafkaConsumer

_POLL_MILLISECONDS = 250
_PATIENCE_SECONDS = 30.0


def live_topic(settings: Settings) -> str | None:
    """The full name of an input that somebody speaks on now: its newest record is one that no replay has sent.

    A replay, and a simulation that tells its own time, writes into each record when that was first sent; whoever
    speaks of now does not.

    Raises:
        ConfigurationError: a topic is not there, or this user may not read it.
        Unavailable: no Kafka answers, or it does not give the newest records.
    """
    places = [
        (full_name(settings.kafka, topic), partition)
        for topic, count in partition_counts(settings, INPUTS).items()
        for partition in range(count)
    ]
    with opened_consumer(settings) as consumer:
        begins, ends = begins_of(consumer, places), ends_of(consumer, places)
        newest = {place: end - 1 for place, end in ends.items() if end > begins[place]}
        return min(_not_replayed(consumer, newest), default=None)


def _not_replayed(consumer: KafkaConsumer, newest: dict[tuple[str, int], int]) -> set[str]:
    from kafka import TopicPartition  # noqa: PLC0415  # slow to import

    wanted = {TopicPartition(*place): offset for place, offset in newest.items()}
    consumer.assign(list(wanted))
    for place, offset in wanted.items():
        consumer.seek(place, offset)
    found: set[str] = set()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while wanted:
        for place, records in consumer.poll(timeout_ms=_POLL_MILLISECONDS).items():
            if wanted.pop(place, None) is not None and all(name != SENT_AT for name, _ in records[0].headers):
                found.add(place.topic)
        if time.monotonic() > deadline:
            behind = ", ".join(sorted(f"{place.topic}[{place.partition}]" for place in wanted))
            raise Unavailable("Kafka", f"it does not give the newest record of {behind}", "Look into the broker's log")
    return found
