"""CloudEvents 1.0 on Kafka (binary mode; structured JSON is read too): what a record says it is.

Source: CloudEvents Kafka protocol binding 1.0.2.
"""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum
from typing import NamedTuple

import orjson

from models.errors import RecordRefused
from models.instants import moment_of
from models.record import Headers, Record

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
STRUCTURED = "application/cloudevents+json"

MOST_JSON_BYTES = 256 * 1024
"""Of what others send; a node with 1,024 accelerators that tells everything of each needs a third of that."""


class EventType(StrEnum):
    """The `ce_type` of everything that crosses our topics."""

    READING = "io.fleettwin.reading.v1"
    FRAME = "io.fleettwin.frame.v1"
    CLOCK = "io.fleettwin.clock.v1"
    SITE_FACTS = "io.fleettwin.site-facts.v1"
    DEMAND_REVISED = "io.fleettwin.demand-revised.v1"
    DEMAND_ENDED = "io.fleettwin.demand-ended.v1"
    TENANT_REVISED = "io.fleettwin.tenant-revised.v1"
    SAMPLES = "io.fleettwin.samples.v1"
    ADMITTED = "io.fleettwin.admitted.v1"
    AWAY = "io.fleettwin.away.v1"
    BACK = "io.fleettwin.back.v1"
    NODE_FRAME = "io.fleettwin.node-frame.v1"
    SITE_STATE = "io.fleettwin.site-state.v1"
    FLEET_STATE = "io.fleettwin.fleet-state.v1"
    SHORTAGE = "io.fleettwin.shortage.v1"
    PIPELINE_SAMPLE = "io.fleettwin.pipeline-sample.v1"
    OWNER = "io.fleettwin.owner.v1"
    NODE_EVENT = "io.fleettwin.node-event.v1"
    METER_READING = "io.fleettwin.meter-reading.v1"


_TYPES = {kind.encode(): kind for kind in EventType}
_CONTENT_TYPES = {None: JSON, b"": JSON} | {name.encode(): name for name in (JSON, ARROW)}
"""What these headers say nearly always; whatever else they say is looked at letter by letter."""


class Envelope(NamedTuple):
    """What a record holds once its CloudEvents wrapping is off."""

    type: EventType
    content_type: str
    body: bytes


def headers(event: EventType, source: str, identity: str, instant: int, content_type: str = JSON) -> Headers:
    """The headers of a record in binary mode; `instant` is event time."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", event.encode()),
        ("ce_source", source.encode()),
        ("ce_id", identity.encode()),
        ("ce_time", moment_of(instant).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()),
        ("content-type", content_type.encode()),
    )


def unwrap(record: Record, bare: EventType) -> Envelope:
    """Take the wrapping off; a record without any is taken for JSON of the type `bare`.

    Raises:
        RecordRefused: no value, a type we do not know, or a structured event that is not one.
    """
    if record.value is None:
        raise RecordRefused("empty", "the record has no value")
    said, named = record.header("content-type"), record.header("ce_type")
    content_type = _CONTENT_TYPES.get(said) or _media_type((said or b"").decode("latin-1"))
    if content_type.startswith("application/cloudevents"):
        return _structured(record.value)
    kind = bare if named is None else _TYPES.get(named) or _event_type(named.decode("latin-1"))
    return Envelope(kind, content_type, record.value)


def check_json(body: bytes) -> None:
    """See that JSON of others is not too long to be looked at: each field that nobody knows costs time and memory.

    Raises:
        RecordRefused: `oversized`.
    """
    if len(body) > MOST_JSON_BYTES:
        raise RecordRefused("oversized", f"{len(body)} bytes; JSON holds at most {MOST_JSON_BYTES}")


def _structured(value: bytes) -> Envelope:
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise RecordRefused("undecodable", f"structured CloudEvent: {error}") from None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise RecordRefused("undecodable", "structured CloudEvent: no `type`")
    kind = _event_type(event["type"])
    content_type = _media_type(str(event.get("datacontenttype", JSON)))
    if "data_base64" in event:
        try:
            return Envelope(kind, content_type, base64.b64decode(event["data_base64"], validate=True))
        except (binascii.Error, TypeError, ValueError) as error:
            raise RecordRefused("undecodable", f"structured CloudEvent: data_base64: {error}") from None
    try:
        return Envelope(kind, JSON, orjson.dumps(event.get("data")))
    except orjson.JSONEncodeError as error:  # nested deeper than orjson writes
        raise RecordRefused("undecodable", f"structured CloudEvent: data: {error}") from None


def _media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()


def _event_type(text: str) -> EventType:
    try:
        return EventType(text)
    except ValueError:
        raise RecordRefused("unknown_event_type", f"ce_type {text!r}") from None
