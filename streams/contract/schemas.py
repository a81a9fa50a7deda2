"""JSON Schemas of the messages, from their models: what may be written of inputs, what is written of outputs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from streams.contract.examples import examples
from streams.contract.messages import MESSAGES, Message, Writer

Document = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_MODES: Mapping[Writer, Literal["validation", "serialization"]] = {
    Writer.SENDERS: "validation",
    Writer.FLEETTWIN: "serialization",
    Writer.INTERNAL: "validation",
}


def in_json() -> tuple[Message, ...]:
    """The messages whose values are JSON."""
    return tuple(message for message in MESSAGES if _model(message) is not None)


@cache
def definitions(template: str) -> Mapping[str, Document]:
    """The schema of every model of every message by its name; `template` says where references find one."""
    wanted = [(model, _MODES[message.writer]) for message in MESSAGES if (model := _model(message)) is not None]
    _, found = models_json_schema(wanted, ref_template=template)
    return {name: _tidied(schema) for name, schema in found["$defs"].items()}


def schema_of(message: Message) -> Document:
    """The schema of a message as a document of its own."""
    model = _model(message)
    assert model is not None, message.name  # noqa: S101 - asked of messages in JSON alone
    known = definitions("#/$defs/{model}")
    whole = known[model.__name__]
    needed = _reached(whole, known)
    document = {
        "$schema": DIALECT,
        "$id": f"urn:fleettwin:schema:{message.name}:v1",
        **whole,
        "title": message.title,
        "description": message.about,
        "examples": [one.payload for one in examples() if one.message == message.name and one.value is not None],
        "x-event-type": message.event,
        "x-written-by": message.writer.value,
    }
    if needed:
        document["$defs"] = {name: known[name] for name in sorted(needed)}
    return document


def _model(message: Message) -> type[BaseModel] | None:
    return message.payload if isinstance(message.payload, type) else None


def _reached(schema: object, known: Mapping[str, Document]) -> set[str]:
    """The names of all definitions that a schema refers to, those that they refer to included."""
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            name = one["$ref"].rpartition("/")[2] if isinstance(one.get("$ref"), str) else None
            if name is not None and name not in found:
                found.add(name)
                waiting.append(known[name])
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return found


def _tidied(schema: Document) -> Document:
    """Without titles that only repeat a field's name, and with the words that tell one model from another required."""
    properties = {name: _field(field) for name, field in schema.get("properties", {}).items()}
    if not properties:
        return schema
    telling = [name for name, field in properties.items() if "const" in field]
    required = dict.fromkeys([*telling, *schema.get("required", [])])
    return {**schema, "properties": properties} | ({"required": list(required)} if required else {})


def _field(field: Document) -> Document:
    kept = {name: value for name, value in field.items() if name not in ("title", "discriminator")}
    if "const" in kept:
        del kept["default"]
        kept.setdefault("description", f"Always `{kept['const']}`.")
    return kept
