"""How quickly record logs are written, read, looked up and converted, and how small they are.

    python -m benchmarks.logs [--records N] [--json]

Two logs: a million small records, a JSON reading each, from 12 partitions with headers as senders write them; and the
frames of a simulated fleet, of 1,024 readings each. Rates are of what the records hold: keys, values and headers.
Looking up is a second in the middle of the log of small records, by its index and by reading all of it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from benchmarks.ending import ended
from benchmarks.fleets import uniform_fleet
from benchmarks.machine import machine
from infra.recordlog import LogHeader, LogReader, LogWriter
from models.cloudevents import EventType, headers
from models.instants import moment_of
from models.partitioning import partition_of
from models.record import Record
from models.topics import TELEMETRY
from streams.logs.forms.converting import convert_log
from streams.logs.verifying import verify_log
from streams.simulator.telemetry import telemetry

RECORDS = 1_000_000
PARTITIONS = 12
NODES = 2_000
FRAME_SECONDS = 60
FRAME_NODES = 16_384
START = 1_767_225_600_000
HEADER = LogHeader(created_by="benchmarks.logs", partitions={TELEMETRY: PARTITIONS})


@dataclass(frozen=True, slots=True)
class Rate:
    """How long something took."""

    log: str
    step: str
    seconds: float
    records_per_second: int
    mb_per_second: float
    file_mb: float


def small_records(count: int) -> Iterator[Record]:
    """A reading of each node in turns, a round a second."""
    offsets = [0] * PARTITIONS
    for number in range(count):
        node, second = number % NODES, number // NODES
        at = START + second * 1000 + node * 1000 // NODES
        site = f"site-{node % 20:03}"
        partition = partition_of(site.encode(), PARTITIONS)
        said = {
            "site": site,
            "node": f"node-{node:05}",
            "type": "h100-sxm",
            "at": moment_of(at).isoformat(),
            "sequence": number,
            "installed": 8,
            "in_service": 8,
            "allocated": number % 9,
            "power_watts": 4000 + number * 7919 % 30_000 / 10,
            "utilization": number * 104_729 % 1000 / 1000,
        }
        described = headers(EventType.READING, "/fleettwin/benchmark", f"{node}/{number}", at)
        yield Record(TELEMETRY, partition, offsets[partition], at, site.encode(), orjson.dumps(said), described)
        offsets[partition] += 1


def frame_records() -> Iterator[Record]:
    """A fleet's frames, second by second."""
    offset = 0
    for step in telemetry(uniform_fleet(FRAME_NODES, 1, frame_rows=1024), START, seconds=FRAME_SECONDS):
        for sent in step.records:
            if sent.topic == TELEMETRY:
                yield Record(TELEMETRY, 0, offset, step.at, sent.key, sent.value, sent.headers)
                offset += 1


def rates(name: str, records: list[Record], folder: Path) -> Iterator[Rate]:
    """All that can be done with a log, step by step."""
    size = sum(
        len(one.key or b"") + len(one.value or b"") + sum(len(head) + len(value) for head, value in one.headers)
        for one in records
    )
    log = folder / f"{name}.log"

    def rate(step: str, run: Callable[[], object], file: Path) -> Rate:
        began = time.perf_counter()
        run()
        seconds = time.perf_counter() - began
        return Rate(
            name,
            step,
            round(seconds, 3),
            round(len(records) / seconds),
            round(size / seconds / 1e6, 1),
            round(file.stat().st_size / 1e6, 2),
        )

    def write() -> None:
        with LogWriter(log, HEADER) as writer:
            for record in records:
                writer.append(record)

    def read() -> None:
        with LogReader(log) as reader:
            assert sum(1 for _ in reader) == len(records)

    yield rate("write", write, log)
    yield rate("read", read, log)
    yield rate("verify", lambda: verify_log(log), log)
    for ending in (".jsonl", ".jsonl.zst", ".parquet"):
        there, back = folder / f"{name}{ending}", folder / f"{name}{ending}.log"
        yield rate(f"to {ending}", lambda there=there: convert_log(log, there), there)  # type: ignore[misc]
        yield rate(f"from {ending}", lambda there=there, back=back: convert_log(there, back), back)  # type: ignore[misc]
        with LogReader(back) as reader:
            assert sum(1 for _ in reader) == len(records)
        there.unlink()
        back.unlink()


@dataclass(frozen=True, slots=True)
class LookUp:
    """Milliseconds until a second in the middle of a log was read, by its index and without."""

    records: int
    blocks: int
    all_blocks: int
    by_index: float
    by_reading_all: float


def looked_up(log: Path, count: int) -> LookUp:
    """The least of some attempts each."""
    since = START + count // NODES // 2 * 1000
    by_index, found, blocks = _least(lambda reader: list(reader.records(since, since + 1000)), log, 5)
    by_reading_all, same, all_blocks = _least(
        lambda reader: [record for record in reader if since <= record.sent_at < since + 1000], log, 1
    )
    assert found == same
    return LookUp(len(found), blocks, all_blocks, by_index, by_reading_all)


def _least(run: Callable[[LogReader], list[Record]], log: Path, times: int) -> tuple[float, list[Record], int]:
    least, found, blocks = float("inf"), list[Record](), 0
    for _ in range(times):
        began = time.perf_counter()
        with LogReader(log) as reader:
            found = run(reader)
            blocks = reader.blocks
        least = min(least, time.perf_counter() - began)
    return round(least * 1e3, 2), found, blocks


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--records", type=int, default=RECORDS, help="in the log of small ones")
    options.add_argument("--json", action="store_true", help="for programs")
    given = options.parse_args()
    found: list[Rate] = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        for log, records in (("small", list(small_records(given.records))), ("frames", list(frame_records()))):
            for one in rates(log, records, folder):
                found.append(one)
                if not given.json:
                    print(
                        f"{one.log:8}{one.step:18}{one.seconds:>9.2f} s{one.records_per_second:>12,} records/s"
                        f"{one.mb_per_second:>9.1f} MB/s{one.file_mb:>10.2f} MB",
                        flush=True,
                    )
        seek = looked_up(folder / "small.log", given.records)
    if given.json:
        print(json.dumps({"machine": machine(), "rates": [asdict(one) for one in found], "look_up": asdict(seek)}))
        return
    print(
        f"a second of {given.records:,} records, {seek.records:,} of them: {seek.by_index} ms by the index,"
        f" {seek.blocks} of {seek.all_blocks} blocks; {seek.by_reading_all} ms by reading all"
    )
    print(", ".join(f"{name} {value}" for name, value in machine().items()))


if __name__ == "__main__":
    ended(main, "benchmarks.logs")
