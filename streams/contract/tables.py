"""The columns of Arrow frames, with their units, as documents say them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import pyarrow as pa

from models import frame, node_frame
from models.node_frame import Hearing, PowerSource
from models.reading import NodeState, PowerMethod, StateCode


@dataclass(frozen=True, slots=True)
class Column:
    """What a column means; `codes` are the numbers that stand for words in it."""

    about: str
    unit: str | None = None
    codes: type[IntEnum] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a frame; what is not `required` may be missing, and null means not known."""

    about: str
    metadata: Mapping[str, str]
    types: Mapping[str, pa.DataType]
    required: frozenset[str]
    """Columns that must be there; senders must fill them, too."""
    columns: Mapping[str, Column]

    def document(self) -> dict[str, Any]:
        """The table for programs."""
        return {
            "format": "Arrow IPC stream; buffers may be compressed with LZ4 or Zstandard",
            "metadata": dict(self.metadata),
            "columns": [
                {
                    "name": name,
                    "type": str(kind),
                    "required": name in self.required,
                    "description": self.columns[name].about,
                }
                | _further(self.columns[name])
                for name, kind in self.types.items()
            ],
        }


def _further(column: Column) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if column.unit:
        said["unit"] = column.unit
    if column.codes:
        said["codes"] = {str(code.value): code.name.lower() for code in column.codes}
    return said


_STATES = ", ".join(f"`{state.value}`" for state in NodeState)
_METHODS = ", ".join(f"`{method.value}`" for method in PowerMethod)

FRAME_TABLE = Table(
    about=f"One row a reading, at most {frame.MOST_ROWS:,} rows and {frame.MOST_BYTES >> 20} MiB a frame; the rows of"
    " one or more record batches. Any integer, float or text type of Arrow's that converts without loss is taken.",
    metadata={"site": "Where all of these nodes are; the record's key must be the same."},
    types=frame.COLUMNS,
    required=frozenset(frame.REQUIRED),
    columns={
        "node": Column("The node's name, unique within the site."),
        "type": Column("A catalogue id, such as `h100-sxm`."),
        "at": Column("When it was measured.", "ms since 1970-01-01T00:00:00Z"),
        "sequence": Column("Grows with every reading of the node; tells apart readings of one instant."),
        "installed": Column("Accelerators that are in the node, 1 to 1,024.", "accelerators"),
        "in_service": Column("Of these, how many can be given work.", "accelerators"),
        "rack": Column("Where the node stands."),
        "allocated": Column("Accelerators bound to work.", "accelerators"),
        "power_watts": Column("What the whole node draws.", "W"),
        "power_method": Column(f"How its watts were come by: {_METHODS}. For people; any text is taken."),
        "utilization": Column("Mean over the node's accelerators.", "fraction 0 to 1"),
        "sm_active": Column("The part of the multiprocessors that was busy, mean.", "fraction 0 to 1"),
        "memory_used_bytes": Column("Of all its accelerators together.", "B"),
        "temperature_celsius": Column("Of the hottest accelerator, -60 to 200.", "°C"),
        "state": Column(f"What the node's owner says of it: {_STATES}; null means in service."),
        "accelerator_power_watts": Column("Each accelerator, in the node's own order.", "W"),
        "accelerator_utilization": Column("Each accelerator, in the node's own order.", "fraction 0 to 1"),
        "accelerator_sm_active": Column("Each accelerator, in the node's own order.", "fraction 0 to 1"),
        "accelerator_memory_used_bytes": Column("Each accelerator, in the node's own order.", "B"),
        "accelerator_temperature_celsius": Column("Each accelerator, in the node's own order.", "°C"),
    },
)

NODE_FRAME_TABLE = Table(
    about=f"One row a node, by name, at most {node_frame.MOST_ROWS:,} rows a part. Columns are found by name: there may"
    " be more of them one day.",
    metadata={
        "site": "Where all of these nodes are; the record's key is the same.",
        "tick": "The instant that the rows are true for, in decimal ms since 1970-01-01T00:00:00Z.",
        "part": "Which part of the site this is, from 0.",
    },
    types=node_frame.COLUMNS,
    required=frozenset(node_frame.COLUMNS) - frozenset(node_frame.ADDED),
    columns={
        "node": Column("The node's name, unique within the site."),
        "rack": Column("Where the node stands; null where it does not say."),
        "type": Column("A catalogue id, such as `h100-sxm`."),
        "at": Column("When its newest reading was taken.", "ms since 1970-01-01T00:00:00Z"),
        "hearing": Column("How lately it was heard.", codes=Hearing),
        "state": Column("What it says of itself.", codes=StateCode),
        "installed": Column("Accelerators that are in the node.", "accelerators"),
        "in_service": Column("Of these, how many can be given work.", "accelerators"),
        "allocated": Column("Accelerators bound to work; null where it does not say.", "accelerators"),
        "power_milliwatts": Column("What it draws.", "mW"),
        "power_source": Column("How that is known.", codes=PowerSource),
        "utilization_ppm": Column("Mean over its accelerators.", "parts per million"),
        "memory_used_bytes": Column("Of all its accelerators together.", "B"),
        "temperature_millicelsius": Column("Of the hottest accelerator.", "m°C"),
        "energy_joules": Column("IT energy since its first reading.", "J"),
        "accelerator_utilization_ppm": Column("Each accelerator, in the node's own order.", "parts per million"),
        "accelerator_power_milliwatts": Column("Each accelerator, in the node's own order.", "mW"),
        "accelerator_memory_used_bytes": Column("Each accelerator, in the node's own order.", "B"),
        "accelerator_temperature_millicelsius": Column("Each accelerator, in the node's own order.", "m°C"),
    },
)
