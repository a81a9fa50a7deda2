"""How many readings a second one twin worker takes in through Kafka, by how many readings stand in a record.

    python -m benchmarks.frames [--json]

A simulated fleet of 16 sites with 1,024 nodes each is written to Kafka, every node once a second, with the senders'
clock. Then one worker is started. It does all of its work: it folds the readings, puts out node frames and a sample of
each site a second, and folds these into the states of sites and fleet. Measured is the time from the first sample to
the last one, as Kafka took them in, and the CPU time of the worker from when it has its partitions. Works on the Kafka
that FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS names, else on one of its own, with topics that it deletes in the end.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from benchmarks.ending import ended
from benchmarks.machine import machine
from infra.embedded import process
from infra.embedded.stack import EmbeddedStack
from infra.kafka_clients import opened_admin, opened_consumer, opened_producer
from infra.settings import ClockSource, Settings, read_settings
from infra.topics import create_topics, delete_topics, full_name, partition_counts
from models.cloudevents import EventType, headers
from models.frame import read_frame
from models.record import Outgoing
from models.scenario import Pool, Scenario, Site
from models.topics import LEDGER, TELEMETRY
from streams.logs.topic_reading import read_batches
from streams.simulator.clocks import clocked
from streams.simulator.publisher import KafkaSender, publish
from streams.simulator.telemetry import Step, telemetry

SITES, NODES = 16, 1024
START = 1_767_225_600_000
PATIENCE_SECONDS = 120.0
LOOK_AGAIN_SECONDS = 0.02


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
    with servers() as settings:
        for case in CASES:
            figures.append(measured(case, settings))
            if not as_json:
                print(line(figures[-1]), flush=True)
    if as_json:
        print(json.dumps({"machine": found, "figures": [asdict(figure) for figure in figures]}, indent=2))


def line(figure: Figure) -> str:
    return (
        f"{figure.case:22}{figure.readings:>12,}{figure.records:>10,}{figure.seconds:>9.2f}"
        f"{figure.readings_per_second:>13,}{figure.cpu_seconds_per_million:>20.2f}"
    )


@contextmanager
def servers() -> Iterator[Settings]:
    """Settings with the address of a Kafka, and with the senders' clock."""
    settings = read_settings()
    settings = settings.model_copy(update={"twin": settings.twin.model_copy(update={"clock": ClockSource.LOG})})
    with ExitStack() as stack:
        address = settings.kafka.bootstrap_servers
        if address is None:
            address = stack.enter_context(EmbeddedStack(settings.stack, "benchmark", fresh=True)).kafka
        kafka = settings.kafka.model_copy(update={"bootstrap_servers": address})
        yield settings.model_copy(update={"kafka": kafka})


def measured(case: Case, settings: Settings) -> Figure:
    """Fill new topics, let one worker read them, delete them."""
    kafka = settings.kafka.model_copy(update={"topic_prefix": f"benchmark-{secrets.token_hex(4)}."})
    settings = settings.model_copy(update={"kafka": kafka})
    create_topics(settings)
    try:
        with opened_producer(settings) as producer:
            sent = publish(steps(case, kafka.telemetry_partitions), KafkaSender(producer, kafka.topic_prefix))
        cpu = worked_through(settings, sent.next_offsets)
        seconds = between_samples(settings)
    finally:
        delete_topics(settings)
    return Figure(
        case.name,
        sent.readings,
        sent.records,
        seconds,
        round(sent.readings / seconds),
        round(cpu, 3),
        round(cpu / sent.readings * 1e6, 3),
    )


def fleet(rows: int) -> Scenario:
    pools = (Pool(type="h100-sxm", nodes=NODES),)
    return Scenario(
        title="benchmark",
        seed=1,
        frame_rows=max(rows, 64),
        sites={f"site-{number:02}": Site(supply_mw=20, pue=1.1, pools=pools) for number in range(SITES)},
    )


def steps(case: Case, partitions: int) -> Iterator[Step]:
    """The fleet's records, second by second, each second closed by its clock."""
    for step in clocked(telemetry(fleet(case.rows), START, seconds=case.seconds), partitions):
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


def worked_through(settings: Settings, ends: Mapping[int, int]) -> float:
    """Run a worker until it has stored its work up to these offsets; its CPU seconds, without those of its start."""
    environment = {
        **os.environ,
        "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS": str(settings.kafka.bootstrap_servers),
        "FLEETTWIN_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
        "FLEETTWIN_TWIN__CLOCK": ClockSource.LOG.value,
    }
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "twin.log"
        worker = process.start([sys.executable, "-m", "cli", "twin"], log, signal.SIGKILL, environment=environment)
        try:
            wait_until(lambda: "lanes open" in log.read_text(encoding="utf-8"), log)
            before = cpu_seconds(worker.pid)
            group, topic = full_name(settings.kafka, "twin"), full_name(settings.kafka, TELEMETRY)
            with opened_admin(settings) as admin:

                def stored() -> bool:
                    offsets = {
                        place.partition: at.offset
                        for place, at in admin.list_group_offsets(group)[group].items()
                        if place.topic == topic
                    }
                    return all(offsets.get(partition, 0) >= end for partition, end in ends.items())

                wait_until(stored, log)
            return cpu_seconds(worker.pid) - before
        finally:
            worker.terminate()
            worker.wait(PATIENCE_SECONDS)


def wait_until(holds: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"the worker does not get there: {process.last_lines(log)}")
        time.sleep(LOOK_AGAIN_SECONDS)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    user, system = stat[stat.rindex(")") + 2 :].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def between_samples(settings: Settings) -> float:
    """Seconds from the first samples in the ledger to the last."""
    kind = EventType.SAMPLES.encode()
    with opened_consumer(settings) as consumer:
        batches = read_batches(consumer, settings.kafka, partition_counts(settings, [LEDGER]))
        times = [one.timestamp for batch in batches for one in batch if one.header("ce_type") == kind]
    return (max(times) - min(times)) / 1000


if __name__ == "__main__":
    ended(main, "benchmarks.frames")
