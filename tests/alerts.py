"""Builders of shortage events and of the topic that they stand on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from infra.embedded.stack import RunningStack
from infra.kafka_clients import opened_producer
from infra.settings import KafkaSettings, Settings
from infra.topics import create_topics, full_name
from models.cloudevents import EventType, headers
from models.instants import instant_of
from models.record import Record
from models.shortage import (
    Accelerators,
    Binding,
    Change,
    Constraint,
    OneMore,
    Quantity,
    Scope,
    ScopeKind,
    Severity,
    Shortage,
    Status,
    Unit,
)
from models.topics import OPEN_SHORTAGES, SHORTAGES

if TYPE_CHECKING:
    from kafka import KafkaProducer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def shortage(identity: str = "a", sequence: int = 0, **said: Any) -> Shortage:
    """An event of an open episode at memphis, so many seconds after noon as it has events before it."""
    unsaid: dict[str, Any] = {
        "change": Change.UPDATED if sequence else Change.OPENED,
        "status": Status.OPEN,
        "severity": Severity.CRITICAL,
        "scope": Scope(kind=ScopeKind.SITE, name="memphis"),
        "resource": Accelerators(types=("h100-sxm",)),
        "demanded": Quantity(accelerators=128),
        "served": Quantity(accelerators=64),
        "missing": Quantity(accelerators=64, h100e=64.0, watts=80_000.0),
        "binding": Binding(
            constraint=Constraint.WHOLE_NODES,
            sites=("memphis",),
            types=("h100-sxm",),
            behind=64,
            one_more=OneMore(unit=Unit.WHOLE_NODE, serves=8),
            summary="64 wait for whole nodes",
        ),
        "since": NOON,
        "at": NOON + timedelta(seconds=sequence),
        "projects": ("lab",),
    }
    return Shortage(id=identity, sequence=sequence, **unsaid | said)


def resolved(identity: str = "a", sequence: int = 1, **said: Any) -> Shortage:
    """The end of an episode."""
    end = {"change": Change.RESOLVED, "status": Status.RESOLVED, "resolved_at": NOON + timedelta(seconds=sequence)}
    return shortage(identity, sequence, **end | said)


def record(event: Shortage, offset: int = 0) -> Record:
    """The event as it stands on its topic."""
    identity = f"{event.id}#{event.sequence}"
    named = headers(EventType.SHORTAGE, "//fleettwin/shortages", identity, instant_of(event.at))
    return Record(SHORTAGES, 0, offset, 0, event.id.encode(), event.model_dump_json().encode(), named)


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of shortages, and a producer that writes to them as the twin does."""

    settings: Settings
    environment: dict[str, str]
    producer: KafkaProducer

    def send(self, *events: Shortage) -> None:
        """Write the events to both topics."""
        for event in events:
            one = record(event)
            named = list(one.headers)
            open_value = one.value if event.status is Status.OPEN else None
            self.producer.send(full_name(self.settings.kafka, SHORTAGES), one.value, one.key, named, 0)
            self.producer.send(full_name(self.settings.kafka, OPEN_SHORTAGES), open_value, one.key, named, 0)
        self.producer.flush(10)

    def send_stranger(self, value: bytes) -> None:
        """Write what is no shortage."""
        self.producer.send(full_name(self.settings.kafka, SHORTAGES), value, b"stranger", None, 0).get(10)


@contextmanager
def shortage_topics(stack: RunningStack, prefix: str) -> Iterator[Topics]:
    """Topics of their own on the session's Kafka, and the environment in which commands find them."""
    kafka = KafkaSettings(bootstrap_servers=stack.kafka, topic_prefix=prefix, telemetry_partitions=1)
    settings = Settings(kafka=kafka)
    create_topics(settings)
    environment = {
        "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS": stack.kafka,
        "FLEETTWIN_KAFKA__TOPIC_PREFIX": prefix,
        "FLEETTWIN_KAFKA__TELEMETRY_PARTITIONS": "1",
    }
    with opened_producer(settings) as producer:
        yield Topics(settings, environment, producer)
