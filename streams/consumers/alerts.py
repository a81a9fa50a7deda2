"""Shortage events from their topic, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import ValidationError

from infra.kafka_clients import opened_consumer
from infra.settings import Settings
from infra.topics import partition_counts
from models.cloudevents import EventType, unwrap
from models.errors import RecordRefused
from models.instants import ticks_have
from models.record import Record
from models.shortage import Shortage
from models.topics import OPEN_SHORTAGES, SHORTAGES
from streams.consumers.choosing import Telling, Wanted
from streams.logs.topic_reading import read_batches

Refusal = Callable[[RecordRefused], None]
"""Told of each record that is no shortage; the others still come."""


def read_alerts(
    settings: Settings,
    refused: Refusal,
    wanted: Wanted | None = None,
    *,
    since: int | None = None,
    follow: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Shortage]:
    """The shortage events that Kafka still has, oldest first, and then what comes, if followed.

    A worker that takes over from another may send an event again; such a repeat is left out.

    Args:
        settings: Where Kafka is.
        refused: Told of each record that is no shortage.
        wanted: Which ones; none means all.
        since: Only what Kafka has taken in since this instant; of what came before nothing is known.
        follow: Go on at the end.
        stopped: Asked several times a second; once it says yes, this ends.

    Raises:
        ConfigurationError: the topic is not there.
        Unavailable: no Kafka answers.
    """
    partitions = partition_counts(settings, (SHORTAGES,))
    telling = Telling(wanted or Wanted())
    with opened_consumer(settings) as consumer:
        batches = read_batches(consumer, settings.kafka, partitions, since=since, follow=follow)
        for record in _until(stopped, batches):
            told = telling.take(event) if (event := shortage_in(record, refused)) else None
            if told is not None:
                yield told.event


def read_open(settings: Settings, refused: Refusal, wanted: Wanted | None = None) -> list[Shortage]:
    """What is open now, from the compacted topic: the newest event of each episode, the oldest episode first.

    Raises:
        ConfigurationError: the topic is not there.
        Unavailable: no Kafka answers.
    """
    partitions = partition_counts(settings, (OPEN_SHORTAGES,))
    newest: dict[bytes | None, Record] = {}
    with opened_consumer(settings) as consumer:
        for batch in read_batches(consumer, settings.kafka, partitions):
            newest |= {record.key: record for record in batch}
    events = [shortage_in(record, refused) for record in newest.values() if record.value is not None]
    choice = wanted or Wanted()
    chosen = [event for event in events if event is not None and choice.takes(event)]
    return sorted(chosen, key=lambda event: (event.since, event.id))


def shortage_of(record: Record) -> Shortage:
    """The shortage that a record holds.

    Raises:
        RecordRefused: it holds none.
    """
    envelope = unwrap(record, EventType.SHORTAGE)
    if envelope.type is not EventType.SHORTAGE:
        raise RecordRefused("unexpected", f"{envelope.type} at offset {record.offset} of {record.topic}")
    where = f"offset {record.offset} of {record.topic}"
    try:
        shortage = Shortage.model_validate_json(envelope.body)
    except ValidationError as invalid:
        error = invalid.errors()[0]
        raise RecordRefused("invalid_shortage", f"{where}: {error['loc']}: {error['msg']}") from None
    for moment in (shortage.since, shortage.at, shortage.resolved_at):
        if moment is not None and not ticks_have(moment):
            raise RecordRefused("invalid_shortage", f"{where}: {moment} is not between 1970 and 9999")
    return shortage


def shortage_in(record: Record, refused: Refusal) -> Shortage | None:
    """The shortage that a record holds; `refused` is told where it holds none."""
    try:
        return shortage_of(record)
    except RecordRefused as refusal:
        refused(refusal)
        return None


def _until(stopped: Callable[[], bool], batches: Iterator[list[Record]]) -> Iterator[Record]:
    for batch in batches:
        for record in batch:
            if stopped():
                return
            yield record
        if stopped():
            return
