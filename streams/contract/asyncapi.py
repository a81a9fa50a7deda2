"""The AsyncAPI document: every topic, who sends what to it, and what a record looks like."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa

from infra.settings import KafkaSettings
from infra.topics import TopicLayout, layouts
from models.cloudevents import STRUCTURED
from models.record import SENT_AT
from streams.contract.channels import CHANNELS, Channel, Side
from streams.contract.examples import Example, examples
from streams.contract.messages import MESSAGES, Message, Writer
from streams.contract.schemas import Document, definitions
from streams.contract.tables import Table

BINDING_VERSION = "0.5.0"

_ABOUT = f"""\
fleettwin keeps a live twin of fleets of AI accelerators: what every site has, draws and lacks, in accelerators and in
megawatts. This document says what it reads and writes on Kafka, as seen from fleettwin: it *receives* what nodes,
people and schedulers send, and *sends* states and shortages.

- **To publish a node**, send a reading to `fleet.telemetry.v1` with the site's name as key. A JSON object without any
  headers will do.
- **To ask for accelerators**, send a demand to `fleet.demand.v1`.
- **To be told what is short**, read `fleet.shortages.v1`, or `fleet.shortages.open.v1` for what is short now.
- **What was refused**, and why, stands in the topic of the same name with `.dlq` behind it.

Records follow the CloudEvents 1.0 binding for Kafka in binary mode: attributes in headers, the event itself as value.
Inputs may also be structured (`{STRUCTURED}`). Times are in UTC (RFC 3339), figures in watts, joules, bytes, degrees
Celsius and fractions from 0 to 1; what is not known is left out or null, and is never zero.

An installation may put a prefix before every topic, and choose partitions and retention; what stands here are the
defaults. Topics tagged *internal* are documented for operators and promised to nobody. What else may be relied on
within v1 stands in `docs/contract.md`.
"""

_TAGS = {
    "input": "Written by nodes, people and schedulers.",
    "output": "Written by fleettwin, for everybody.",
    "dead letters": "Written by fleettwin, for those who sent what was refused.",
    "internal": "Written by fleettwin for itself.",
}

_ATTRIBUTES = {
    "ce_specversion": {"type": "string", "const": "1.0", "description": "Of CloudEvents."},
    "ce_source": {"type": "string", "description": "Who says it."},
    "ce_id": {"type": "string", "description": "With `ce_source`, the same for a repeat and for nothing else."},
    "ce_time": {"type": "string", "format": "date-time", "description": "Event time."},
}

_ERRORS = {
    "__streams.errors.exception": "A short, stable name of the reason, such as `unknown_type`.",
    "__streams.errors.message": "The reason for people: the field, what was found there, and what was expected.",
    "__streams.errors.topic": "Where the refused record stands, without the prefix.",
    "__streams.errors.partition": "Its partition, in decimal.",
    "__streams.errors.offset": "Its offset, in decimal.",
}


def asyncapi_document() -> Document:
    """The document, with the settings' defaults."""
    found = {layout.topic: layout for layout in layouts(KafkaSettings())}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:fleettwin:topics:v1",
        "info": {
            "title": "fleettwin",
            "version": "1.0.0",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": name, "description": about} for name, about in _TAGS.items()],
        },
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel, found[channel.topic]) for channel in CHANNELS},
        "operations": {name: one for channel in CHANNELS for name, one in _operations(channel).items()},
        "components": {
            "messages": {message.name: _message(message) for message in MESSAGES},
            "schemas": dict(definitions("#/components/schemas/{model}")),
        },
    }


def _channel(channel: Channel, layout: TopicLayout) -> Document:
    settings = layout.settings
    configuration: Document = {"cleanup.policy": [settings["cleanup.policy"]]}
    for name in ("retention.ms", "retention.bytes", "max.message.bytes"):
        if name in settings:
            configuration[name] = int(settings[name])
    return {
        "address": channel.topic,
        "title": channel.title,
        "description": channel.about,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in channel.messages},
        "tags": [{"name": channel.side.value}],
        "bindings": {
            "kafka": {
                "topic": channel.topic,
                "partitions": layout.partitions,
                "replicas": KafkaSettings().replication_factor,
                "topicConfiguration": configuration,
                "bindingVersion": BINDING_VERSION,
            }
        },
        "x-internal": channel.side is Side.INTERNAL,
        "x-key": channel.key,
    }


def _operations(channel: Channel) -> Document:
    """What fleettwin does there: it receives what others write, sends what it writes, and receives some of that too."""
    if channel.side is Side.INPUT:
        clock = [name for name in channel.messages if name == "clock"]
        return {
            f"receive-{channel.name}": _operation(channel, "receive", channel.messages, "Takes in what others send."),
            f"send-{channel.name}-clock": _operation(channel, "send", clock, "Says each second that time has passed."),
        }
    told = {f"send-{channel.name}": _operation(channel, "send", channel.messages, channel.about)}
    if channel.read_by_us:
        summary = "Reads what other workers have written."
        told[f"receive-{channel.name}"] = _operation(channel, "receive", channel.messages, summary)
    return told


def _operation(channel: Channel, action: str, messages: Any, summary: str) -> Document:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "title": f"{action.capitalize()}: {channel.title}",
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{name}"} for name in messages],
        "tags": [{"name": channel.side.value}],
    }


def _message(message: Message) -> Document:
    shown = [one for one in examples() if one.message == message.name]
    document: Document = {
        "name": message.event or message.name,
        "title": message.title,
        "summary": message.about.partition("\n")[0],
        "description": message.about,
        "headers": _headers(message),
        "payload": _payload(message),
        "tags": [{"name": _SIDES[message.writer].value}],
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": BINDING_VERSION}},
        "examples": [_example(one) for one in shown],
    }
    if message.content_type:
        document["contentType"] = message.content_type
    return {name: value for name, value in document.items() if value != []}


_SIDES = {Writer.SENDERS: Side.INPUT, Writer.FLEETTWIN: Side.OUTPUT, Writer.INTERNAL: Side.INTERNAL}


def _headers(message: Message) -> Document:
    if message.name == "checkpoint":
        return {"type": "object", "description": "None."}
    if message.name == "dead-letter":
        return _refusal_headers()
    properties: Document = {
        "ce_type": {"type": "string", "const": message.event, "description": "What the record is."},
        "content-type": {"type": "string", "const": message.content_type or "application/json"},
        **_ATTRIBUTES,
    }
    if message.writer is not Writer.SENDERS:
        return {"type": "object", "properties": properties, "required": list(properties)}
    properties[SENT_AT] = {
        "type": "string",
        "pattern": "^[0-9]{1,17}$",
        "description": "Decimal ms since 1970-01-01T00:00:00Z: when the record was first sent, from whoever sends it"
        " again or ahead of time; else Kafka's own time counts.",
    }
    if message.bare:
        about = "May be left out, all of them: a record without headers is taken for JSON of this kind."
        return {"type": "object", "description": about, "properties": properties}
    about = "`ce_type` must be there; a missing `content-type` means JSON; the others may be left out."
    needed = ["ce_type"] if message.content_type == "application/json" else ["ce_type", "content-type"]
    return {"type": "object", "description": about, "properties": properties, "required": needed}


def _refusal_headers() -> Document:
    properties: Document = {name: {"type": "string", "description": about} for name, about in _ERRORS.items()}
    properties["fleettwin_rows"] = {
        "type": "string",
        "contentMediaType": "application/json",
        "description": "Of a frame of which some rows were refused: the first 500 of them, as a JSON list of objects"
        " with `row` (from 0), `code` and `detail`. The other rows counted.",
    }
    properties["fleettwin_refused"] = {
        "type": "string",
        "description": "Beside `fleettwin_rows`: how many rows were refused, listed or not, as a decimal number.",
    }
    about = "Those of the refused record, and behind them the reason."
    return {"type": "object", "description": about, "properties": properties, "required": list(_ERRORS)}


def _payload(message: Message) -> Document:
    if isinstance(message.payload, Table):
        return {
            "type": "string",
            "format": "binary",
            "description": message.payload.about + " Examples show it in base64.",
            "x-arrow": message.payload.document() | {"example": _rows(message)},
        }
    if message.payload is not None:
        return {"$ref": f"#/components/schemas/{message.payload.__name__}"}
    if message.empty:
        return {"type": "null", "description": "No value."}
    return {
        "description": "Any bytes. Examples show Arrow in base64." if message.name == "dead-letter" else "Any bytes."
    }


def _rows(message: Message) -> list[Document]:
    """The rows of the first example, for people; what is null is left out."""
    frame = next(one.value for one in examples() if one.message == message.name)
    with pa.ipc.open_stream(frame) as reader:
        rows = reader.read_all().to_pylist()
    return [
        {
            name: _text(value) if isinstance(value, datetime) else value
            for name, value in row.items()
            if value is not None
        }
        for row in rows
    ]


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _example(one: Example) -> Document:
    named = {name: value.decode() for name, value in one.headers}
    return {"name": one.message, "summary": one.summary, "headers": named, "payload": one.payload}
