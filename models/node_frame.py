"""Node frames: every node of a site as the twin holds it, each 10 s of event time, as an Arrow IPC stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import pyarrow as pa

from models.errors import RecordRefused
from models.frame import MOST_UNPACKED_BYTES, ONE_THREAD, PLAINLY, sound
from models.unpacked import unpacked_bytes

MOST_ROWS = 4096
MOST_ACCELERATORS = 65_536
"""Told one by one. A site with more nodes or accelerators comes in several frames of one tick, each with its `part`."""

_WORD = pa.dictionary(pa.int16(), pa.string())

COLUMNS: Mapping[str, pa.DataType] = {
    "node": pa.string(),
    "rack": _WORD,
    "type": _WORD,
    "at": pa.int64(),
    "hearing": pa.int8(),
    "state": pa.int8(),
    "installed": pa.int16(),
    "in_service": pa.int16(),
    "allocated": pa.int16(),
    "power_milliwatts": pa.int64(),
    "power_source": pa.int8(),
    "utilization_ppm": pa.int32(),
    "memory_used_bytes": pa.int64(),
    "temperature_millicelsius": pa.int32(),
    "energy_joules": pa.int64(),
    "accelerator_utilization_ppm": pa.list_(pa.int32()),
    "accelerator_power_milliwatts": pa.list_(pa.int64()),
    "accelerator_memory_used_bytes": pa.list_(pa.int64()),
    "accelerator_temperature_millicelsius": pa.list_(pa.int32()),
}
"""Null where not known; `at` in milliseconds, `hearing`, `state` and `power_source` as the enumerations' values.

The lists hold a value, or null, for each accelerator of the node, in the node's own order.
"""

ADDED = tuple(name for name in COLUMNS if name.startswith("accelerator_"))
"""Columns that frames were once written without: all of these may be missing together, and are null then."""


class Hearing(IntEnum):
    """How lately a node was heard."""

    REPORTING = 0
    STALE = 1
    LOST = 2


class PowerSource(IntEnum):
    """How a node's watts are known."""

    MEASURED = 0
    MODELLED = 1
    CARRIED = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class NodeFrame:
    """Some or all nodes of a site at one tick (milliseconds)."""

    site: str
    tick: int
    part: int
    batch: pa.RecordBatch

    @property
    def identity(self) -> str:
        """The same for a repeat."""
        return f"{self.site}@{self.tick}/{self.part}"


def encode_node_frame(site: str, tick: int, part: int, columns: Mapping[str, Any]) -> bytes:
    """Write the frame; every column of `COLUMNS` must be there, as an Arrow array of its type."""
    metadata = {b"site": site.encode(), b"tick": str(tick).encode(), b"part": str(part).encode()}
    schema = pa.schema(list(COLUMNS.items()), metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=PLAINLY) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([columns[name] for name in COLUMNS], schema=schema))
    return bytes(sink.getvalue())


def read_node_frame(value: bytes) -> NodeFrame:
    """Read a frame back.

    Raises:
        RecordRefused: it is not one.
    """
    try:
        if unpacked_bytes(value) > MOST_UNPACKED_BYTES:
            raise RecordRefused("oversized", f"a node frame that unpacks to more than {MOST_UNPACKED_BYTES} bytes")
        with pa.ipc.open_stream(pa.py_buffer(value), options=ONE_THREAD) as reader:
            metadata = reader.schema.metadata or {}
            batch = reader.read_next_batch()
        batch = _completed(batch.replace_schema_metadata(None))
        if batch.schema != pa.schema(list(COLUMNS.items())):
            raise RecordRefused("schema", "not the columns of a node frame")
        batch = sound(batch)
        return NodeFrame(metadata[b"site"].decode(), int(metadata[b"tick"]), int(metadata[b"part"]), batch)
    except (pa.ArrowException, OSError, KeyError, ValueError, StopIteration) as error:
        raise RecordRefused("undecodable", f"node frame: {error}") from None


def _completed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Our columns by name: nulls in those not known when the frame was written, and none that a newer version added."""
    names = batch.schema.names
    missing = tuple(name for name in COLUMNS if name not in names)
    if missing not in ((), ADDED):
        raise RecordRefused("schema", f"node frame without the column {missing[0]!r}")
    arrays = [batch.column(name) if name in names else pa.nulls(batch.num_rows, kind) for name, kind in COLUMNS.items()]
    return pa.RecordBatch.from_arrays(arrays, names=list(COLUMNS))
