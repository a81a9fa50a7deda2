"""Where frames are best compressed, and how: by Arrow or by the Kafka client, with lz4, zstd, or not at all.

    python -m benchmarks.compression [--json]

A frame of 2,048 readings of the simulator is encoded and decoded as Arrow does it, and then compressed and
decompressed once more by the functions that our Kafka clients use: kafka-python, by which senders produce, and
aiokafka, by which workers read and produce. Times are the least of many.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import TypeVar

import pyarrow as pa
from aiokafka import codec as aiokafka_codec
from kafka import codec as kafka_codec

from benchmarks.fleets import uniform_fleet
from benchmarks.machine import machine
from models.frame import read_frame
from models.topics import TELEMETRY
from streams.simulator.telemetry import telemetry

ROWS = 2048
START = 1_767_225_600_000
TIMES = 40

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Way:
    """Microseconds for a frame: to encode it, to compress it for Kafka, to decompress it, to decode it."""

    arrow: str
    kafka: str
    bytes_per_reading: float
    encode: float
    compress: float
    compress_in_workers: float
    decompress: float
    decode: float

    @property
    def sender_to_worker(self) -> float:
        """All of it, on the way from a sender to a worker."""
        return self.encode + self.compress + self.decompress + self.decode


CODECS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "none": (bytes, bytes, bytes),
    "lz4": (kafka_codec.lz4_encode, aiokafka_codec.lz4_encode, aiokafka_codec.lz4_decode),
    "zstd": (kafka_codec.zstd_encode, aiokafka_codec.zstd_encode, aiokafka_codec.zstd_decode),
}


def ways() -> list[Way]:
    """Every way."""
    batch = read_frame(_frame())[1]
    found = []
    for arrow in CODECS:
        options = pa.ipc.IpcWriteOptions(compression=None if arrow == "none" else arrow, use_threads=False)
        encode, value = _timed(partial(_encoded, batch, options))
        decode, _ = _timed(partial(read_frame, value))
        for kafka, (send, produce, read) in CODECS.items():
            compress, sent = _timed(partial(send, value))
            in_workers, _ = _timed(partial(produce, value))
            decompress, _ = _timed(partial(read, sent))
            found.append(
                Way(arrow, kafka, round(len(sent) / ROWS, 1), encode, compress, in_workers, decompress, decode)
            )
    return found


def _frame() -> bytes:
    """The last one of some seconds: nodes have moved apart by then."""
    *_, last = telemetry(uniform_fleet(ROWS, 1, frame_rows=ROWS), START, seconds=10)
    return next(record.value or b"" for record in last.records if record.topic == TELEMETRY)


def _encoded(batch: pa.RecordBatch, options: pa.ipc.IpcWriteOptions) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema.with_metadata({b"site": b"site-000"}), options=options) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _timed(run: Callable[[], _T]) -> tuple[float, _T]:
    result, least = run(), float("inf")
    for _ in range(TIMES):
        began = time.perf_counter()
        run()
        least = min(least, time.perf_counter() - began)
    return round(least * 1e6, 1), result


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="for programs")
    as_json = options.parse_args().json
    found = ways()
    if as_json:
        print(json.dumps({"machine": machine(), "ways": [asdict(way) for way in found]}, indent=2))
        return
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    print(f"{'Arrow':7}{'Kafka':7}{'B/reading':>10}{'encode':>9}{'compress':>10}{'(workers)':>11}", end="")
    print(f"{'decompress':>12}{'decode':>9}{'sender to worker':>18}")
    for way in found:
        print(f"{way.arrow:7}{way.kafka:7}{way.bytes_per_reading:>10}{way.encode:>9.0f}{way.compress:>10.0f}", end="")
        print(f"{way.compress_in_workers:>11.0f}{way.decompress:>12.0f}{way.decode:>9.0f}{way.sender_to_worker:>18.0f}")


if __name__ == "__main__":
    main()
