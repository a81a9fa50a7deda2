"""A record as a line of JSON that people can read, and that holds every byte of it."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from models.errors import first_doubt
from models.instants import LAST, moment_of
from models.partitioning import NOT_PLACED
from models.record import Record

MOST_NAME_BYTES = 65_535
"""Of a topic, in a log."""
MOST_HEADERS = 65_535

_INT32, _INT64 = 2**31, 2**63


def when(sent_at: int) -> str | None:
    """An instant as people write it; none where no calendar has it."""
    if not 0 <= sent_at <= LAST:
        return None
    return moment_of(sent_at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line_of(record: Record) -> bytes:
    """The line of a record, with its end."""
    said = {
        "sent_at": when(record.sent_at),
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": _text(record.key),
        "headers": [(name, _text(content)) for name, content in record.headers],
    }
    return orjson.dumps(said)[:-1] + b',"value":' + _value(record.value) + b"}\n"


def record_of(line: bytes) -> Record:
    """The record of a line; its `sent_at` is for people, and passed over.

    Raises:
        ValueError: the line is none of a record, with the reason.
    """
    try:
        said = _Line.model_validate(orjson.loads(line))
    except ValidationError as invalid:
        raise ValueError(first_doubt(invalid)) from None
    return Record(said.topic, said.partition, said.offset, said.timestamp, said.key, said.value, said.headers)


def _text(content: bytes | None) -> str | dict[str, str] | None:
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _value(value: bytes | None) -> bytes:
    if value is not None and value[:1] in (b"{", b"[") and _comes_back(value):
        return b'{"json":' + value + b"}"
    return orjson.dumps(_text(value))


def _comes_back(value: bytes) -> bool:
    """Whether reading this JSON and writing it again gives the very same bytes: then it may stand there as JSON."""
    try:
        return orjson.dumps(orjson.loads(value)) == value
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return False


def _content(said: Any) -> bytes | None:
    match said:
        case None:
            return None
        case str():
            return said.encode()
        case {"base64": str(text), **rest} if not rest:
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error:
                raise ValueError("this is no base64") from None
    raise ValueError("text, or an object with base64 alone, is expected")


def _content_or_json(said: Any) -> bytes | None:
    match said:
        case {"json": inner, **rest} if not rest:
            return orjson.dumps(inner)
    return _content(said)


def _short(name: str) -> str:
    if len(name.encode()) > MOST_NAME_BYTES:
        raise ValueError(f"at most {MOST_NAME_BYTES} bytes are expected")
    return name


_Content = Annotated[bytes, BeforeValidator(_content)]
_Integer = Annotated[int, Field(strict=True, ge=-_INT64, lt=_INT64)]


class _Line(BaseModel):
    """What a line says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sent_at: Any = None
    topic: Annotated[str, AfterValidator(_short)]
    partition: Annotated[int, Field(strict=True, ge=NOT_PLACED, lt=_INT32)]
    offset: _Integer
    timestamp: _Integer
    key: Annotated[bytes | None, BeforeValidator(_content)]
    headers: Annotated[tuple[tuple[str, _Content], ...], Field(max_length=MOST_HEADERS)]
    value: Annotated[bytes | None, BeforeValidator(_content_or_json)]
