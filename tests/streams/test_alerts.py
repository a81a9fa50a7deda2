"""Alerts: every shortage event once, as it was sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cli.alerts import amount, line
from infra.embedded.stack import RunningStack
from infra.kafka_clients import opened_producer
from infra.settings import KafkaSettings, Settings
from infra.topics import create_topics, full_name
from models.cloudevents import EventType, headers
from models.errors import RecordRefused
from models.record import Record
from models.shortage import (
    Accelerators,
    Binding,
    Change,
    Quantity,
    Scope,
    ScopeKind,
    Severity,
    Shortage,
    Status,
)
from models.topics import SHORTAGES
from streams.consumers.alerts import read_alerts, shortage_of, without_repeats

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def shortage(identity: str, sequence: int) -> Shortage:
    return Shortage(
        id=identity,
        sequence=sequence,
        change=Change.UPDATED if sequence else Change.OPENED,
        status=Status.OPEN,
        severity=Severity.CRITICAL,
        scope=Scope(kind=ScopeKind.SITE, name="memphis"),
        resource=Accelerators(types=("h100-sxm",)),
        demanded=Quantity(accelerators=128),
        served=Quantity(accelerators=64),
        missing=Quantity(accelerators=64, h100e=64.0, watts=80_000.0),
        binding=Binding(constraint="accelerators", sites=("memphis",), types=("h100-sxm",), summary="no h100-sxm free"),
        since=NOON,
        at=NOON + timedelta(seconds=sequence),
        projects=("lab",),
    )


def record(value: bytes | None, event: EventType = EventType.SHORTAGE) -> Record:
    return Record(SHORTAGES, 0, 7, 0, b"a", value, headers(event, "test", "a/0", 0))


def test_a_repeat_after_a_takeover_is_left_out() -> None:
    sent = [shortage("a", 0), shortage("a", 1), shortage("b", 0), shortage("a", 0), shortage("a", 1), shortage("a", 2)]

    assert [(one.id, one.sequence) for one in without_repeats(iter(sent))] == [("a", 0), ("a", 1), ("b", 0), ("a", 2)]


def test_a_shortage_comes_out_of_its_record_as_it_went_in() -> None:
    assert shortage_of(record(shortage("a", 3).model_dump_json().encode())) == shortage("a", 3)


@pytest.mark.parametrize(
    "stranger",
    [
        pytest.param(record(None), id="no-value"),
        pytest.param(record(b"{}"), id="no-shortage"),
        pytest.param(record(b"{}", EventType.CLOCK), id="another-event"),
    ],
)
def test_what_is_no_shortage_is_refused(stranger: Record) -> None:
    with pytest.raises(RecordRefused):
        shortage_of(stranger)


def test_a_line_says_when_how_bad_who_why_and_how_much() -> None:
    expected = (
        "2026-03-01 12:00:00Z  critical  opened    site memphis  no h100-sxm free"
        "  missing 64 accelerators, 64 H100e, 0.08 MW"
    )

    assert line(shortage("a", 0)) == expected


def test_nothing_missing_is_said_so() -> None:
    assert amount(Quantity()) == "nothing"


@pytest.mark.servers
def test_alerts_are_read_from_the_beginning_and_followed(stack: RunningStack, kafka_prefix: str) -> None:
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=stack.kafka, topic_prefix=kafka_prefix, telemetry_partitions=1)
    )
    create_topics(settings)
    topic = full_name(settings.kafka, SHORTAGES)
    with opened_producer(settings) as producer:

        def send(one: Shortage) -> None:
            producer.send(topic, one.model_dump_json().encode(), one.id.encode()).get(10)

        refused: list[RecordRefused] = []
        send(shortage("a", 0))
        producer.send(topic, b"{}", b"a").get(10)
        send(shortage("a", 1))
        assert list(read_alerts(settings, refused.append)) == [shortage("a", 0), shortage("a", 1)]

        found: list[Shortage] = []
        for one in read_alerts(settings, refused.append, follow=True, stopped=lambda: len(found) == 3):
            found.append(one)
            if len(found) == 2:
                send(shortage("a", 2))

    assert {refusal.code for refusal in refused} == {"invalid_shortage"}
    assert found == [shortage("a", 0), shortage("a", 1), shortage("a", 2)]
