"""How many readings a second one twin worker takes in through Kafka, by how many readings stand in a record.

    python -m benchmarks.frames [--json]

A simulated fleet of 16 sites with 1,024 nodes each is written to Kafka, every node once a second, with the senders'
clock. Then one worker is started. It does all of its work: it folds the readings, puts out node frames and a sample of
each site a second, and folds these into the states of sites and fleet. Measured is the time from the first sample to
the last one, as Kafka took them in, and the CPU time of the worker from when it has its partitions. Servers are its
own, and are stopped in the end.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

import orjson

from benchmarks.ending import ended
from benchmarks.fleets import uniform_fleet
from benchmarks.machine import machine
from benchmarks.processes import Tree, command, says, wait_until
from benchmarks.stage import Stage, servers, set_up
from infra.kafka_clients import opened_admin, opened_consumer, opened_producer
from infra.kafka_sender import KafkaSender
from infra.settings import ClockSource, Settings
from infra.topics import full_name, partition_counts
from models.cloudevents import EventType, headers
from models.frame import read_frame
from models.record import Outgoing
from models.topics import LEDGER, TELEMETRY
from streams.logs.topic_reading import read_batches
from streams.simulator.clocks import clocked
from streams.simulator.publisher import publish
from streams.simulator.telemetry import Step, telemetry

SITES, NODES = 16, 1024
START = 1_767_225_600_000


@dataclass(frozen=True)
class Case:
    """One way of sending the same readings."""

    name: str
    rows: int
    """Readings in a record."""
    seconds: int
    """Of event time."""
    as_json: bool = False


CASES = (
    Case("single JSON readings", 1, 3, as_json=True),
    Case("frames of 64", 64, 30),
    Case("frames of 256", 256, 60),
    Case("frames of 1,024", 1024, 90),
)


@dataclass(frozen=True)
class Figure:
    """What was measured of a case."""

    case: str
    readings: int
    records: int
    seconds: float
    readings_per_second: int
    cpu_seconds: float
    cpu_seconds_per_million: float


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="for programs")
    as_json = options.parse_args().json
    found = machine()
    figures = []
    if not as_json:
        print(", ".join(f"{name} {value}" for name, value in found.items()))
        print(f"{'':22}{'readings':>12}{'records':>10}{'seconds':>9}{'readings/s':>13}{'CPU s per million':>20}")
    with servers() as stage:
        for case in CASES:
            figures.append(measured(case, stage))
            if not as_json:
                print(line(figures[-1]), flush=True)
    if as_json:
        print(json.dumps({"machine": found, "figures": [asdict(figure) for figure in figures]}, indent=2))


def line(figure: Figure) -> str:
    return (
        f"{figure.case:22}{figure.readings:>12,}{figure.records:>10,}{figure.seconds:>9.2f}"
        f"{figure.readings_per_second:>13,}{figure.cpu_seconds_per_million:>20.2f}"
    )


def measured(case: Case, stage: Stage) -> Figure:
    """Fill new topics, and let one worker read them."""
    with set_up(stage, ClockSource.LOG) as own:
        kafka = own.settings.kafka
        with opened_producer(own.settings) as producer:
            sent = publish(steps(case, kafka.telemetry_partitions), KafkaSender(producer, kafka.topic_prefix))
        cpu = worked_through(own, sent.next_offsets)
        seconds = between_samples(own.settings)
    return Figure(
        case.name,
        sent.readings,
        sent.records,
        seconds,
        round(sent.readings / seconds),
        round(cpu, 3),
        round(cpu / sent.readings * 1e6, 3),
    )


def steps(case: Case, partitions: int) -> Iterator[Step]:
    """The fleet's records, second by second, each second closed by its clock."""
    fleet = uniform_fleet(SITES * NODES, SITES, frame_rows=max(case.rows, 64))
    for step in clocked(telemetry(fleet, START, seconds=case.seconds), partitions):
        if not step.closing:
            yield replace(step, records=tuple(one_by_one(step))) if case.as_json else step


def one_by_one(step: Step) -> Iterator[Outgoing]:
    """The step's records with each reading of a frame as a record of its own."""
    for record in step.records:
        if dict(record.headers)["ce_type"] != EventType.FRAME.encode():
            yield record
            continue
        site, batch = read_frame(record.value or b"")
        for row in batch.to_pylist():
            said = {name: value for name, value in row.items() if value is not None}
            identity = f"{site}/{row['node']}/{row['sequence']}"
            described = headers(EventType.READING, "/fleettwin/benchmark", identity, step.at)
            sent_at = tuple(pair for pair in record.headers if pair[0] == "fleettwin_sent_at")
            value = orjson.dumps({"site": site, **said})
            yield Outgoing(TELEMETRY, record.key, value, (*described, *sent_at), identity)


def worked_through(stage: Stage, ends: Mapping[int, int]) -> float:
    """Run a worker until it has stored its work up to these offsets; its CPU seconds, without those of its start."""
    log = stage.logs / "twin.log"
    with command("the twin", ["twin"], stage.environment, log) as child, opened_admin(stage.settings) as admin:
        wait_until(says(log, "lanes open"), "an open lane", log)
        worker = Tree("twin", child.pid)
        before = worker.cpu_seconds()
        group, topic = full_name(stage.settings.kafka, "twin"), full_name(stage.settings.kafka, TELEMETRY)

        def stored() -> bool:
            offsets = {
                place.partition: at.offset
                for place, at in admin.list_group_offsets(group)[group].items()
                if place.topic == topic
            }
            return all(offsets.get(partition, 0) >= end for partition, end in ends.items())

        wait_until(stored, "a checkpoint of everything", log)
        return worker.cpu_seconds() - before


def between_samples(settings: Settings) -> float:
    """Seconds from the first samples in the ledger to the last."""
    kind = EventType.SAMPLES.encode()
    with opened_consumer(settings) as consumer:
        batches = read_batches(consumer, settings.kafka, partition_counts(settings, [LEDGER]))
        times = [one.timestamp for batch in batches for one in batch if one.header("ce_type") == kind]
    return (max(times) - min(times)) / 1000


if __name__ == "__main__":
    ended(main, "benchmarks.frames")
