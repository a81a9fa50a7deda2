"""What is told as records: one reading as JSON, many of a site as frames, events and meters as JSON each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from models.cloudevents import ARROW, EventType, headers
from models.instants import instant_of
from models.meter_reading import MeterReading
from models.names import Event
from models.node_event import NodeEvent
from models.reading import AcceleratorReadings, Reading
from models.record import Headers
from models.topics import EVENTS, TELEMETRY
from streams.publish.folding import Told

_PLAIN = tuple(name for name in Reading.model_fields if name not in ("site", "accelerators"))
_OF_EACH = tuple(AcceleratorReadings.model_fields)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A record on its way to Kafka; `topic` is one of ours, without the prefix."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    readings: int
    """How many it holds."""


def parcels_of(told: Told, publisher: str) -> Iterator[Parcel]:
    """The records of a beat: of each site its readings, and behind them what else there is.

    Args:
        told: What to send.
        publisher: Its name: with it, what a record calls itself is the same for a repeat and for nothing else.
    """
    by_site: dict[str, list[Reading]] = defaultdict(list)
    for reading in told.readings:
        by_site[reading.site].append(reading)
    for site, readings in by_site.items():
        if len(readings) == 1:
            yield _reading(readings[0], publisher)
        else:
            yield from _frames(site, readings, publisher)
    for event in told.events:
        identity = f"{event.site}/{event.node}@{event.sequence}"
        yield _json(EVENTS, EventType.NODE_EVENT, event.site, publisher, identity, event)
    for meter in told.meters:
        identity = f"{meter.site}/{meter.meter}@{instant_of(meter.at)}"
        yield _json(EVENTS, EventType.METER_READING, meter.site, publisher, identity, meter)


def json_of(event: Event) -> bytes:
    """As it is sent: without what is not known."""
    return event.model_dump_json(exclude_none=True).encode()


def _reading(reading: Reading, publisher: str) -> Parcel:
    identity = f"{reading.site}/{reading.node}@{reading.sequence}"
    return _json(TELEMETRY, EventType.READING, reading.site, publisher, identity, reading, readings=1)


def _json(  # all that a record is
    topic: str,
    kind: EventType,
    site: str,
    publisher: str,
    identity: str,
    event: Reading | NodeEvent | MeterReading,
    readings: int = 0,
) -> Parcel:
    named = headers(kind, _source(publisher), identity, instant_of(event.at))
    return Parcel(topic, site.encode(), json_of(event), named, readings)


def _frames(site: str, readings: Sequence[Reading], publisher: str) -> Iterator[Parcel]:
    """One frame, or halves of it for as long as one is too large."""
    from models.frame import MOST_BYTES, MOST_ROWS, encode_frame  # noqa: PLC0415  # slow to import

    value = encode_frame(site, _columns(readings)) if len(readings) <= MOST_ROWS else b""
    if len(readings) > MOST_ROWS or (len(value) > MOST_BYTES and len(readings) > 1):
        half = len(readings) // 2
        yield from _frames(site, readings[:half], publisher)
        yield from _frames(site, readings[half:], publisher)
        return
    first = readings[0]
    identity = f"{site}/frame@{first.sequence}/{first.node}"
    named = headers(EventType.FRAME, _source(publisher), identity, instant_of(first.at), ARROW)
    yield Parcel(TELEMETRY, site.encode(), value, named, len(readings))


def _columns(readings: Sequence[Reading]) -> dict[str, list[Any]]:
    """By the names of a frame's columns; one of which nothing is known is left out."""
    columns: dict[str, list[Any]] = {name: [getattr(one, name) for one in readings] for name in _PLAIN}
    for name in _OF_EACH:
        columns[f"accelerator_{name}"] = [getattr(one.accelerators, name, None) for one in readings]
    return {name: values for name, values in columns.items() if any(value is not None for value in values)}


def _source(publisher: str) -> str:
    return f"//fleettwin/publish/{publisher}"
