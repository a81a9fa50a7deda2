"""What a refused record says, as far as it can be read: as plain values that people can correct, and back."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa

from models.cloudevents import ARROW, JSON, EventType, unwrap
from models.errors import RecordRefused
from models.frame import COLUMNS, encode_frame, read_frame
from models.instants import LAST, instant_of, moment_of
from models.record import Record
from models.topics import DEMAND, SITES, TELEMETRY

_BARE = {TELEMETRY: EventType.READING, SITES: EventType.SITE_FACTS, DEMAND: EventType.DEMAND_REVISED}
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""What JSON has no number for is written as text, so that it is seen, and not taken for unknown."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Some rows of a frame: by their numbers in it, each with the values of its columns; null is not known."""

    site: str
    readings: Mapping[int, Mapping[str, Any]]


def frame_in(record: Record, rows: Collection[int] | None = None) -> Frame | None:
    """The frame that a record holds, these rows of it or all; none where it holds something else.

    Raises:
        RecordRefused: it cannot be read.
    """
    envelope = unwrap(record, _BARE.get(record.topic, EventType.READING))
    if envelope.type is not EventType.FRAME or envelope.content_type != ARROW:
        return None
    site, batch = read_frame(envelope.body)
    chosen = [row for row in (range(batch.num_rows) if rows is None else sorted(rows)) if 0 <= row < batch.num_rows]
    taken = batch.take(pa.array(chosen, pa.int64()))
    columns = {
        name: [_moment(at) for at in taken.column(name).cast(pa.int64()).to_pylist()]
        if name == "at"
        else taken.column(name).to_pylist()
        for name in taken.schema.names
    }
    values = zip(*columns.values(), strict=True)
    return Frame(site, {row: dict(zip(columns, said, strict=True)) for row, said in zip(chosen, values, strict=True)})


def payload_of(record: Record, rows: Collection[int] | None = None) -> Any:
    """What a record says as plain values: an object, or `site` and `readings` of a frame.

    Raises:
        RecordRefused: it cannot be read.
    """
    frame = frame_in(record, rows)
    if frame is not None:
        readings = [{"row": row, **reading} for row, reading in frame.readings.items()]
        return _plain({"site": frame.site, "readings": readings})
    body = unwrap(record, _BARE.get(record.topic, EventType.READING)).body
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RecordRefused("undecodable", f"JSON: {error}") from None


def with_payload(record: Record, payload: Any) -> Record:
    """The record saying this instead; its wrapping, if it is structured JSON, becomes headers.

    Raises:
        RecordRefused: it cannot be written as such a record.
    """
    envelope = unwrap(record, _BARE.get(record.topic, EventType.READING))
    is_frame = envelope.type is EventType.FRAME
    value = _frame(payload) if is_frame else orjson.dumps(payload)
    named = (("ce_type", envelope.type.encode()), ("content-type", (ARROW if is_frame else JSON).encode()))
    kept = tuple(header for header in record.headers if header[0] not in dict(named))
    return replace(record, value=value, headers=(*kept, *named))


def with_rows(record: Record, rows: Collection[int]) -> Record:
    """The record of a frame with these rows of it alone."""
    site, batch = read_frame(unwrap(record, EventType.READING).body)
    chosen = batch.take(pa.array(sorted(rows), pa.int64()))
    return replace(record, value=encode_frame(site, dict(zip(chosen.schema.names, chosen.columns, strict=True))))


def site_of(record: Record) -> str | None:
    """The site of a record: its key, or what a record without one says; none of what is asked for at several."""
    if record.topic == DEMAND:
        return None
    if record.key is not None:
        return record.key.decode(errors="replace")
    try:
        said = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return None
    site = said.get("site") if isinstance(said, dict) else None
    return site if isinstance(site, str) else None


def _frame(payload: Any) -> bytes:
    match payload:
        case {"site": str(site), "readings": [*readings]} if all(isinstance(one, dict) for one in readings):
            return encode_frame(site, _columns(readings))
    raise RecordRefused("undecodable", "a frame is an object with `site` and `readings`, a list of objects")


def _columns(readings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = {name: None for reading in readings for name in reading if name != "row"}
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        raise RecordRefused("schema", f"column {unknown[0]!r} is unknown")
    columns = {}
    for name in names:
        try:
            columns[name] = pa.array([_value(name, one.get(name)) for one in readings], _wire(name))
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise RecordRefused("schema", f"{name}: {str(error).partition(chr(10))[0]}") from None
    return columns


def _wire(name: str) -> pa.DataType:
    return pa.string() if pa.types.is_dictionary(COLUMNS[name]) else COLUMNS[name]


def _value(name: str, value: Any) -> Any:
    if name == "at" and isinstance(value, str):
        return instant_of(datetime.fromisoformat(value))
    if name in ("node", "rack", "type", "state"):
        return value
    if isinstance(value, list):
        return [_NUMBERS.get(one, one) if isinstance(one, str) else one for one in value]
    return _NUMBERS.get(value, value) if isinstance(value, str) else value


def _moment(at: int | None) -> str | int | None:
    """As people write it; a time that no calendar holds as the number that it is."""
    return moment_of(at).isoformat() if at is not None and 0 <= at <= LAST else at


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
