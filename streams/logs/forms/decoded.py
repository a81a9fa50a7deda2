"""Lines that say what records hold: one for each reading of a frame. There is no way back from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from models.cloudevents import EventType, unwrap
from models.errors import RecordRefused
from models.record import Record
from models.topics import NODES, TELEMETRY
from streams.logs.forms.lines import line_of, when


def decoded_lines(record: Record) -> Iterator[bytes]:
    """A line for each reading or node that the record holds; the usual line where it holds none that can be read."""
    try:
        rows = _rows(record)
    except RecordRefused:
        rows = None
    if rows is None:
        yield line_of(record)
        return
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    for number, row in enumerate(rows):
        yield orjson.dumps({"sent_at": when(record.sent_at), **place, "row": number, **row}) + b"\n"


def _rows(record: Record) -> list[Mapping[str, Any]] | None:
    from models.node_frame import read_node_frame  # noqa: PLC0415  # pyarrow takes long to import
    from streams.letters.contents import payload_of  # noqa: PLC0415

    if record.topic == TELEMETRY:
        match unwrap(record, EventType.READING).type:
            case EventType.READING:
                return [{"reading": payload_of(record)}]
            case EventType.FRAME:
                payload = payload_of(record)
                readings = [{name: said for name, said in one.items() if name != "row"} for one in payload["readings"]]
                return [{"reading": {"site": payload["site"], **reading}} for reading in readings]
    if record.topic == NODES and record.header("ce_type") == EventType.NODE_FRAME.encode():
        frame = read_node_frame(record.value or b"")
        return [{"node": {"site": frame.site, "tick": frame.tick, **node}} for node in frame.batch.to_pylist()]
    return None
