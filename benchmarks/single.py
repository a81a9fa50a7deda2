"""What one worker does with single readings, JSON, one in a record, beside a Faust agent that does nothing at all.

    python -m benchmarks.single [--json]

A simulated fleet of 16 sites with 1,024 nodes each is written to Kafka with the senders' clock, every reading as a
record of its own. Then the topic is read three times: by an empty agent on Faust as it comes, by the same in an app of
ours, which makes less of each record, and by the whole twin, which folds the readings, puts out samples and states, and
has stored its state before it counts as done. Each is a process that measures itself (`benchmarks.single_reader`), from
its first records to the last. That is done on two topics, the second time in the other order, and the ratio is the
median of the two, so that what else the machine does meets all alike.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import orjson

from benchmarks.ending import ended
from benchmarks.fleets import uniform_fleet
from benchmarks.frames import START, one_by_one
from benchmarks.machine import machine
from benchmarks.processes import program, wait_until
from benchmarks.single_reader import Reader, Reading
from benchmarks.stage import Stage, servers, set_up
from infra.kafka_clients import opened_producer
from infra.kafka_sender import KafkaSender
from infra.settings import ClockSource
from streams.simulator.clocks import clocked
from streams.simulator.publisher import publish
from streams.simulator.telemetry import Step, telemetry

SITES, NODES = 16, 16_384
SECONDS = 2
"""Of event time."""
TURNS = (tuple(Reader), tuple(reversed(Reader)))


@dataclass(frozen=True, slots=True)
class SingleReadings:
    """What was measured; `ratio` is the twin's readings a second by those of an empty agent on Faust as it comes."""

    readings: int
    """On each topic."""
    empty: tuple[Reading, ...]
    bursts: tuple[Reading, ...]
    twin: tuple[Reading, ...]
    """In the order of the pairs."""
    ratio: float
    cpu_ratio: float
    """The same by CPU time: what an empty agent takes for a reading, of what the twin takes for it."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="for programs")
    as_json = options.parse_args().json
    with servers() as stage:
        found = json_ratio(stage)
    if as_json:
        print(json.dumps({"machine": machine(), "single": asdict(found)}, indent=2))
        return
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    print(f"{'':22}{'readings/s':>12}{'CPU s per million':>20}")
    for name, readings in (
        ("empty Faust agent", found.empty),
        ("the same in our app", found.bursts),
        ("the whole twin", found.twin),
    ):
        for one in readings:
            print(f"{name:22}{one.readings_per_second:>12,.0f}{one.cpu_seconds_per_million:>20.1f}")
    print(f"the twin reaches {found.ratio:.0%} of the empty agent; by CPU time {found.cpu_ratio:.0%}")


def json_ratio(stage: Stage) -> SingleReadings:
    """Measure all turns, each on topics of its own."""
    found: dict[Reader, list[Reading]] = {reader: [] for reader in Reader}
    readings = 0
    for turn in TURNS:
        with set_up(stage, ClockSource.LOG) as own:
            with opened_producer(own.settings) as producer:
                kafka = own.settings.kafka
                sent = publish(steps(kafka.telemetry_partitions), KafkaSender(producer, kafka.topic_prefix))
            readings, records = sent.readings, sum(sent.next_offsets.values())
            for reader in turn:
                found[reader].append(measured(own, reader, records))
    pairs = list(zip(found[Reader.EMPTY], found[Reader.TWIN], strict=True))
    return SingleReadings(
        readings,
        tuple(found[Reader.EMPTY]),
        tuple(found[Reader.BURSTS]),
        tuple(found[Reader.TWIN]),
        statistics.median(twin.readings_per_second / empty.readings_per_second for empty, twin in pairs),
        statistics.median(empty.cpu_seconds_per_million / twin.cpu_seconds_per_million for empty, twin in pairs),
    )


def steps(partitions: int) -> Iterator[Step]:
    """The fleet's records, second by second, each second closed by its clock."""
    fleet = uniform_fleet(NODES, SITES)
    for step in clocked(telemetry(fleet, START, seconds=SECONDS), partitions):
        if not step.closing:
            yield replace(step, records=tuple(one_by_one(step)))


def measured(stage: Stage, reader: Reader, records: int) -> Reading:
    """Let a process read all of these records, and take its word for what it took."""
    told = stage.logs / f"single-{reader}.json"
    told.unlink(missing_ok=True)
    line = [sys.executable, "-m", "benchmarks.single_reader", reader, str(records), str(told)]
    log = stage.logs / f"single-{reader}.log"
    with program(reader, line, stage.environment, log):
        wait_until(told.exists, f"the end of {reader}", log)
        return Reading(**orjson.loads(told.read_bytes()))


if __name__ == "__main__":
    ended(main, "benchmarks.single")
