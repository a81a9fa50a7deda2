"""Node frames as a twin would have sent them, of fleets of any size, for whoever measures what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from models.node_frame import COLUMNS, MOST_ROWS, NodeFrame

_RACKS = 256
_NODES_PER_RACK = 16


def fleet_frames(nodes: int, sites: int, tick: int, accelerators: int = 0) -> list[NodeFrame]:
    """All nodes of all sites at one tick, in milliseconds; `accelerators` of each say something of their own."""
    sizes = [nodes // sites + (number < nodes % sites) for number in range(sites)]
    return [
        frame
        for number, size in enumerate(sizes)
        for frame in site_frames(f"site-{number:03}", size, tick, accelerators)
    ]


def site_frames(site: str, nodes: int, tick: int, accelerators: int = 0) -> Iterator[NodeFrame]:
    """All nodes of one site at one tick, in frames of the largest size."""
    random = np.random.default_rng(tick)
    for part, first in enumerate(range(0, nodes, MOST_ROWS)):
        rows = min(MOST_ROWS, nodes - first)
        columns = {
            "node": [f"node-{first + row:06}" for row in range(rows)],
            "at": tick - random.integers(0, 10_000, rows),
            "installed": np.full(rows, 8),
            "in_service": np.full(rows, 8),
            "allocated": random.integers(0, 9, rows),
            "power_milliwatts": random.integers(2_000_000, 9_000_000, rows),
            "utilization_ppm": random.integers(0, 1_000_000, rows),
            "memory_used_bytes": random.integers(0, 640 * 2**30, rows),
            "temperature_millicelsius": random.integers(30_000, 80_000, rows),
            "energy_joules": random.integers(0, 2**40, rows),
        }
        words = {"rack": [f"rack-{number}" for number in range(_RACKS)], "type": ["h100-sxm"]}
        arrays = [
            _words((first + np.arange(rows)) // _NODES_PER_RACK, words[name])
            if pa.types.is_dictionary(kind)
            else _lists(rows, accelerators, kind)
            if pa.types.is_list(kind)
            else pa.array(columns.get(name, np.full(rows, 0)), kind)
            for name, kind in COLUMNS.items()
        ]
        yield NodeFrame(site, tick, part, pa.RecordBatch.from_arrays(arrays, schema=pa.schema(list(COLUMNS.items()))))


def _words(indices: object, words: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.asarray(indices) % len(words), pa.int16()), pa.array(words))


def _lists(rows: int, accelerators: int, kind: pa.ListType) -> pa.Array:
    """The same values for each node, or none."""
    if not accelerators:
        return pa.nulls(rows, kind)
    offsets = pa.array(np.arange(rows + 1) * accelerators, pa.int32())
    values = np.tile(np.arange(accelerators) * 1000 + 60_000, rows)
    return pa.ListArray.from_arrays(offsets, pa.array(values, kind.value_type))
