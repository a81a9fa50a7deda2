"""The least code that does the job: aiokafka, pyarrow, NumPy and COPY, and trust in all that comes.

It takes frames, keeps the latest word of each node in arrays, adds up each site as each second is closed by a clock,
and writes a row of each node every ten seconds and of each site every second. It checks no row, refuses none, knows no
order, waits for no straggler, keeps no state for a successor, and writes twice what it reads twice.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import orjson
import psycopg
import pyarrow as pa
import uvloop
from aiokafka import AIOKafkaConsumer
from numpy.typing import NDArray

COLUMNS: dict[str, np.dtype[Any]] = {
    "at": np.dtype("i8"),
    "installed": np.dtype("i2"),
    "in_service": np.dtype("i2"),
    "allocated": np.dtype("i2"),
    "power_watts": np.dtype("f4"),
    "utilization": np.dtype("f4"),
    "memory_used_bytes": np.dtype("i8"),
    "temperature_celsius": np.dtype("f4"),
}
"""Kept of each node."""

POSTGRES_EPOCH = 946_684_800_000
SIGNATURE, TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
ONE_THREAD = pa.ipc.IpcReadOptions(use_threads=False)
NODE_MILLISECONDS = 10_000


@dataclass
class Site:
    """The latest words of its nodes."""

    name: str
    slots: dict[str, int] = field(default_factory=dict)
    frames: dict[bytes, NDArray[np.int64]] = field(default_factory=dict)
    """The slots of a frame's nodes by their names, as these lie in the frame."""
    latest: dict[str, NDArray[Any]] = field(default_factory=lambda: {n: np.zeros(0, t) for n, t in COLUMNS.items()})

    def take(self, batch: pa.RecordBatch) -> None:
        """Overwrite what was known of these nodes."""
        slots = self._slots(batch.column("node"))
        for name, kind in COLUMNS.items():
            self.latest[name][slots] = batch.column(name).to_numpy().view(kind)

    def _slots(self, nodes: pa.Array) -> NDArray[np.int64]:
        names = nodes.buffers()[2].to_pybytes()
        if names not in self.frames:
            found = [self.slots.setdefault(node, len(self.slots)) for node in nodes.to_pylist()]
            self.frames[names] = np.array(found)
            for column, values in self.latest.items():
                self.latest[column] = np.concatenate([values, np.zeros(len(self.slots) - len(values), values.dtype)])
        return self.frames[names]

    def sum(self, tick: int) -> tuple[int, str, int, int]:
        """The row of the second that ends at `tick`."""
        milliwatts = np.rint(self.latest["power_watts"].astype(np.float64) * 1000)
        return tick, self.name, len(self.slots), int(milliwatts.sum())

    def rows(self, tick: int) -> bytes:
        """A row for each node in COPY's binary format; the names of a site's nodes are equally long."""
        values = {
            "time": np.int64((tick - POSTGRES_EPOCH) * 1000),
            "site": np.bytes_(self.name.encode()),
            "node": np.array([node.encode() for node in self.slots]),
            **self.latest,
            "at": (self.latest["at"] - POSTGRES_EPOCH) * 1000,
        }
        kinds = {name: np.asarray(value).dtype.newbyteorder(">") for name, value in values.items()}
        layout = [
            (f"{part} {name}", kind) for name, own in kinds.items() for part, kind in (("size", ">i4"), (name, own))
        ]
        rows = np.empty(len(self.slots), [("fields", ">i2"), *layout])
        rows["fields"] = len(values)
        for name, value in values.items():
            rows[f"size {name}"], rows[f"{name} {name}"] = kinds[name].itemsize, value
        return rows.tobytes()


def write(database: psycopg.Connection, sites: list[Site], sums: list[tuple[int, str, int, int]], tick: int) -> None:
    """All in one transaction."""
    with database.transaction(), database.cursor() as cursor:
        with cursor.copy("copy ceiling_nodes from stdin (format binary)") as copy:
            copy.write(SIGNATURE)
            for site in sites:
                copy.write(site.rows(tick))
            copy.write(TRAILER)
        with cursor.copy("copy ceiling_sites from stdin") as copy:
            for row in sums:
                copy.write_row(row)


async def main() -> None:
    database = psycopg.connect(os.environ["RIVAL_DATABASE"], options=f"-c search_path={os.environ['RIVAL_SCHEMA']}")
    consumer = AIOKafkaConsumer(
        os.environ["RIVAL_READINGS"],
        bootstrap_servers=os.environ["RIVAL_KAFKA"],
        group_id=os.environ["RIVAL_GROUP"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
    partitions: dict[int, dict[str, Site]] = {}
    sums: dict[int, list[tuple[int, str, int, int]]] = {}
    committed = time.monotonic()
    async with consumer:
        while True:
            for place, messages in (await consumer.getmany(timeout_ms=200)).items():
                sites = partitions.setdefault(place.partition, {})
                closed = sums.setdefault(place.partition, [])
                for message in messages:
                    if message.key != b"clock":
                        site = sites.setdefault(name := message.key.decode(), Site(name))
                        with pa.ipc.open_stream(message.value, options=ONE_THREAD) as stream:
                            site.take(stream.read_next_batch())
                        continue
                    tick = round(datetime.fromisoformat(orjson.loads(message.value)["until"]).timestamp() * 1000)
                    closed += [site.sum(tick) for site in sites.values()]
                    if tick % NODE_MILLISECONDS == 0:
                        write(database, list(sites.values()), closed, tick)
                        closed.clear()
            if time.monotonic() > committed + 1:
                await consumer.commit()
                committed = time.monotonic()


if __name__ == "__main__":
    uvloop.run(main())
