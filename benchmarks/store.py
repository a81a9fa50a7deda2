"""How fast the store writes node frames and states, what a repeat costs, and what rollups cost: on the database in use.

    python benchmarks/store.py --nodes 125000 --ticks 6

Works in a schema of its own, `fleettwin_benchmark`, and removes it in the end.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa

from benchmarks.schemas import remove_schema
from infra.servers import database_address
from infra.settings import read_settings
from infra.timescale.batch import RowBatch
from infra.timescale.connection import connect, server_name
from infra.timescale.migrations import migrate
from infra.timescale.sink import TimescaleSink
from models.instants import Instant
from models.node_frame import COLUMNS, MOST_ROWS, NodeFrame

SCHEMA = "fleettwin_benchmark"
START = 1_800_000_000_000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--nodes", type=int, default=2000)
    options.add_argument("--ticks", type=int, default=30, help="node frames, 10 s apart")
    options.add_argument("--accelerators", type=int, default=0, help="of each node that say something of their own")
    chosen = options.parse_args()
    address = database_address(read_settings())
    print(f"{platform.machine()} {platform.system()}, Python {platform.python_version()}, {server_name(address)}")
    batches = [
        RowBatch(nodes=list(frames(chosen.nodes, START + tick * 10_000, chosen.accelerators)))
        for tick in range(chosen.ticks)
    ]
    rows = chosen.nodes * chosen.ticks
    with connect(address, "benchmark") as owner:
        remove_schema(owner, SCHEMA)
        migrate(owner, SCHEMA, server_name(address))
        try:
            with TimescaleSink(address, SCHEMA) as sink:
                with timed(f"write {chosen.nodes} nodes x {chosen.ticks} ticks", rows):
                    for batch in batches:
                        sink.write(batch)
                with timed("the same again", rows):
                    for batch in batches:
                        sink.write(batch)
                with timed("roll up minutes and hours", rows):
                    sink.roll_up(Instant(START + 24 * 3_600_000))
        finally:
            remove_schema(owner, SCHEMA)


def frames(nodes: int, tick: int, accelerators: int) -> Iterator[NodeFrame]:
    """All nodes of one site at one tick, in frames of the largest size."""
    random = np.random.default_rng(tick)
    for part, first in enumerate(range(0, nodes, MOST_ROWS)):
        rows = min(MOST_ROWS, nodes - first)
        columns = {
            "node": [f"node-{first + row:06}" for row in range(rows)],
            "at": tick - random.integers(0, 10_000, rows),
            "power_milliwatts": random.integers(2_000_000, 9_000_000, rows),
            "utilization_ppm": random.integers(0, 1_000_000, rows),
            "memory_used_bytes": random.integers(0, 640 * 2**30, rows),
            "temperature_millicelsius": random.integers(30_000, 80_000, rows),
            "energy_joules": random.integers(0, 2**40, rows),
        }
        arrays = [
            pa.DictionaryArray.from_arrays(
                pa.array((first + np.arange(rows)) // 16 % 256, pa.int16()), pa.array([f"rack-{r}" for r in range(256)])
            )
            if pa.types.is_dictionary(kind)
            else lists(rows, accelerators, kind)
            if pa.types.is_list(kind)
            else pa.array(columns.get(name, np.full(rows, 0)), kind)
            for name, kind in COLUMNS.items()
        ]
        yield NodeFrame(
            "memphis", tick, part, pa.RecordBatch.from_arrays(arrays, schema=pa.schema(list(COLUMNS.items())))
        )


def lists(rows: int, accelerators: int, kind: pa.ListType) -> pa.Array:
    """The same values for each node, or none."""
    if not accelerators:
        return pa.nulls(rows, kind)
    offsets = pa.array(np.arange(rows + 1) * accelerators, pa.int32())
    values = np.tile(np.arange(accelerators) * 1000 + 60_000, rows)
    return pa.ListArray.from_arrays(offsets, pa.array(values, kind.value_type))


@contextmanager
def timed(what: str, rows: int) -> Iterator[None]:
    """Print how long the block took, and rows a second."""
    began = time.perf_counter()
    yield
    took = time.perf_counter() - began
    print(f"{what:45} {took:8.2f} s {rows / took:12,.0f} rows/s")


if __name__ == "__main__":
    main()
