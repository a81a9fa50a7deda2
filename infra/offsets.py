"""Where partitions begin and end, asked of Kafka through kafka-python."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kafka import KafkaConsumer

    Asked = Callable[[list[Any]], Mapping[Any, int]]

Place = tuple[str, int]
"""A topic, with the prefix, and a partition."""


def begins_of(consumer: KafkaConsumer, places: Collection[Place]) -> dict[Place, int]:
    """The offset of the first record that is left in each."""
    return _asked(consumer.beginning_offsets, places)


def ends_of(consumer: KafkaConsumer, places: Collection[Place]) -> dict[Place, int]:
    """The offset after the last record of each."""
    return _asked(consumer.end_offsets, places)


def _asked(ask: Asked, places: Collection[Place]) -> dict[Place, int]:
    """Topic by topic: asked for several, kafka-python 3.0.12 fails where it has not heard of all of them yet."""
    from kafka import TopicPartition  # noqa: PLC0415  # slow to import

    found: dict[Place, int] = {}
    for _, some in groupby(sorted(places), key=lambda place: place[0]):
        answer = ask([TopicPartition(*place) for place in some])
        found |= {(at.topic, at.partition): offset for at, offset in answer.items()}
    return found
