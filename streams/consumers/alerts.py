"""Shortage events from their topic, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import ValidationError

from infra.kafka_clients import opened_consumer
from infra.settings import Settings
from infra.topics import partition_counts
from models.cloudevents import EventType, unwrap
from models.errors import RecordRefused
from models.record import Record
from models.shortage import Shortage
from models.topics import SHORTAGES
from streams.logs.topic_reading import read_batches


def read_alerts(
    settings: Settings,
    refused: Callable[[RecordRefused], None],
    *,
    follow: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Shortage]:
    """Every shortage event that Kafka still has, oldest first, and then what comes, if followed.

    A worker that takes over from another may send an event again; such a repeat is left out.

    Args:
        settings: Where Kafka is.
        refused: Told of each record that is no shortage; the others still come.
        follow: Go on at the end.
        stopped: Asked several times a second; once it says yes, this ends.

    Raises:
        ConfigurationError: the topic is not there.
        Unavailable: no Kafka answers.
    """
    partitions = partition_counts(settings, (SHORTAGES,))
    with opened_consumer(settings) as consumer:
        batches = read_batches(consumer, settings.kafka, partitions, follow=follow)
        yield from without_repeats(_shortages(_until(stopped, batches), refused))


def shortage_of(record: Record) -> Shortage:
    """The shortage that a record holds.

    Raises:
        RecordRefused: it holds none.
    """
    envelope = unwrap(record, EventType.SHORTAGE)
    if envelope.type is not EventType.SHORTAGE:
        raise RecordRefused("unexpected", f"{envelope.type} at offset {record.offset} of {record.topic}")
    try:
        return Shortage.model_validate_json(envelope.body)
    except ValidationError as invalid:
        error = invalid.errors()[0]
        where = f"offset {record.offset} of {record.topic}"
        raise RecordRefused("invalid_shortage", f"{where}: {error['loc']}: {error['msg']}") from None


def without_repeats(shortages: Iterator[Shortage]) -> Iterator[Shortage]:
    """The events, each once: of an episode only those that come after all before."""
    last: dict[str, int] = {}
    for shortage in shortages:
        if shortage.sequence > last.get(shortage.id, -1):
            last[shortage.id] = shortage.sequence
            yield shortage


def _shortages(records: Iterator[Record], refused: Callable[[RecordRefused], None]) -> Iterator[Shortage]:
    for record in records:
        try:
            yield shortage_of(record)
        except RecordRefused as refusal:
            refused(refusal)


def _until(stopped: Callable[[], bool], batches: Iterator[list[Record]]) -> Iterator[Record]:
    for batch in batches:
        for record in batch:
            if stopped():
                return
            yield record
        if stopped():
            return
