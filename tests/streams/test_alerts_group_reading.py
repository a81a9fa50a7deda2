"""A member of a group that waits for something else keeps its place, and no more records than it should."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from kafka.cluster import ClusterMetadata
from kafka.future import Future

from infra.embedded.stack import RunningStack
from infra.kafka_clients import opened_consumer
from infra.topics import full_name
from models.topics import SHORTAGES
from streams.consumers.group_reading import GroupReading, from_the_first
from streams.consumers.steps import Begun, New, Step
from tests.alerts import shortage, shortage_topics

pytestmark = pytest.mark.servers

PATIENCE_SECONDS = 60.0


def steps(reading: GroupReading) -> Iterator[Step]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        step = reading.take()
        if step is not None:
            yield step


def test_what_does_not_fit_while_one_waits_is_read_again_later(stack: RunningStack, kafka_prefix: str) -> None:
    with shortage_topics(stack, kafka_prefix) as topics:
        name = full_name(topics.settings.kafka, SHORTAGES)
        with opened_consumer(topics.settings, f"{kafka_prefix}g") as consumer:
            reading = GroupReading(consumer, name, from_the_first, lambda: False, most_waiting=7)
            come = steps(reading)
            assert next(come) == Begun(0, 0, True)

            topics.send(*[shortage("a", number) for number in range(30)])
            term, begun = reading.term, time.monotonic()
            reading.wait(1.5)
            assert time.monotonic() - begun >= 1.5
            assert reading.holds(term)
            topics.send(shortage("a", 30))
            found = [next(come) for _ in range(31)]

    assert [step.record.offset for step in found if isinstance(step, New)] == list(range(31))


def test_a_member_whose_wish_for_topics_is_lost_has_its_partition_all_the_same(
    stack: RunningStack, kafka_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when an answer to an earlier one comes in right after it, which kafka-python takes for the answer to this."""
    wishes = 0

    def request_update(cluster: ClusterMetadata) -> Future:
        nonlocal wishes
        wishes += 1
        cluster._need_update = False
        return Future().success(cluster)

    with shortage_topics(stack, kafka_prefix) as topics:
        name = full_name(topics.settings.kafka, SHORTAGES)
        with opened_consumer(topics.settings, f"{kafka_prefix}g") as consumer:
            monkeypatch.setattr(ClusterMetadata, "request_update", request_update)
            reading = GroupReading(consumer, name, from_the_first, lambda: False)

            assert next(steps(reading)) == Begun(0, 0, True)

    assert wishes
