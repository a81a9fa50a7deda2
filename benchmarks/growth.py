"""How cost grows: CPU of twin and store by the number of nodes, of sites, and of workers that share the work.

    python -m benchmarks.growth [nodes] [sites] [workers] [--json]

Simulated fleets are written to Kafka by the senders' clock, in frames of up to 1,024 readings. Then twin workers fold
them, each as fast as it can, and after them a store writes all of it. CPU is counted from when a twin has partitions,
or a store joins its group, until the work is safe in Kafka or the database; per million readings, and per million
nodes at a tick, since a node that is silent costs too. With several workers the first one begins alone and the others
join while it works; what they have made together is held against the oracle, every record and row. Servers are its
own, and are stopped in the end.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kafka import TopicPartition

from benchmarks.ending import ended
from benchmarks.fleets import uniform_fleet
from benchmarks.machine import machine
from benchmarks.processes import Tree, command, says, wait_until
from benchmarks.stage import Stage, servers, set_up
from infra.kafka_clients import opened_admin, opened_consumer, opened_producer
from infra.kafka_sender import KafkaSender
from infra.settings import ClockSource, Settings
from infra.topics import full_name, partition_counts
from models.topics import DEMAND, LEDGER, NODES, SHORTAGES, SITES, STATE, TELEMETRY
from streams.oracle.verifying import verify
from streams.simulator.clocks import clocked
from streams.simulator.publisher import publish
from streams.simulator.telemetry import telemetry

START = 1_767_225_600_000
JOINING, OPEN = "joining", "lanes open"
PATIENCE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Case:
    """A fleet, for so many seconds of event time."""

    nodes: int
    sites: int
    workers: int
    seconds: int
    cadence_seconds: int = 1


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a program, or of several together; memory is that of all at the end."""

    cpu_seconds: float
    per_million_readings: float
    per_million_node_ticks: float
    resident_mb: float


@dataclass(frozen=True, slots=True)
class Growth:
    """What was measured of a case; `differences` is what the oracle found, none where it was not asked."""

    case: Case
    readings: int
    seconds: float
    """Until the twin workers had folded everything."""
    twin: Cost
    store: Cost
    differences: int | None


CASES: Mapping[str, tuple[Case, ...]] = {
    "nodes": (
        Case(1_000, 20, 1, 300),
        Case(10_000, 20, 1, 60),
        Case(100_000, 20, 1, 60, cadence_seconds=10),
        Case(1_000_000, 20, 1, 30, cadence_seconds=30),
    ),
    "sites": (Case(10_000, 1, 1, 60), Case(10_000, 20, 1, 60), Case(10_000, 200, 1, 60)),
    "workers": (Case(20_000, 20, 1, 60), Case(20_000, 20, 2, 60), Case(20_000, 20, 4, 60)),
}


def growth(stage: Stage, case: Case, *, verified: bool = False) -> Growth:
    """Measure one case on topics and tables of its own."""
    with set_up(stage, ClockSource.LOG) as own, TemporaryDirectory() as folder:
        readings = _publish(own.settings, case)
        twin, seconds = _folded(own, case, readings, Path(folder))
        store = _stored(own, case, readings, Path(folder))
        differences = verify(own.settings, own.database_url, _silent)[0].differences if verified else None
        return Growth(case, readings, seconds, twin, store, differences)


def cost(case: Case, readings: int, cpu: float, resident: float) -> Cost:
    """So much CPU, as a share of the work."""
    node_ticks = case.nodes * case.seconds
    return Cost(round(cpu, 2), round(cpu / readings * 1e6, 3), round(cpu / node_ticks * 1e6, 3), resident)


def _publish(settings: Settings, case: Case) -> int:
    fleet = uniform_fleet(case.nodes, case.sites, cadence_seconds=case.cadence_seconds)
    steps = clocked(telemetry(fleet, START, seconds=case.seconds), settings.kafka.telemetry_partitions)
    with opened_producer(settings) as producer:
        sender = KafkaSender(producer, settings.kafka.topic_prefix)
        return publish((step for step in steps if not step.closing), sender).readings


def _folded(stage: Stage, case: Case, readings: int, folder: Path) -> tuple[Cost, float]:
    """Let twin workers fold everything; the others join when the first has its partitions."""
    with ExitStack() as stack:
        begun = time.perf_counter()
        workers = [stack.enter_context(_begun("twin", stage, folder / "twin-0.log", OPEN))]
        others = [folder / f"twin-{number}.log" for number in range(1, case.workers)]
        workers += [stack.enter_context(_begun("twin", stage, log, OPEN)) for log in others]
        _await_safe(stage.settings, "twin", TELEMETRY, SITES, DEMAND)
        _await_safe(stage.settings, "twin", LEDGER)
        seconds = round(time.perf_counter() - begun, 2)
        spent = sum(tree.cpu_seconds() - before for tree, before in workers)
        resident = round(sum(tree.resident_mb() for tree, _ in workers), 1)
        return cost(case, readings, spent, resident), seconds


def _stored(stage: Stage, case: Case, readings: int, folder: Path) -> Cost:
    """Let a store write everything; PostgreSQL's share is in the cost, its memory is not."""
    server = stage.database.cpu_seconds()
    with _begun("store", stage, folder / "store.log", JOINING) as (tree, before):
        _await_safe(stage.settings, "store", NODES, STATE, SHORTAGES)
        spent = tree.cpu_seconds() - before + stage.database.cpu_seconds() - server
        return cost(case, readings, spent, tree.resident_mb())


@contextmanager
def _begun(name: str, stage: Stage, log: Path, words: str) -> Iterator[tuple[Tree, float]]:
    """A worker that has said these words, and the CPU seconds that it has cost until then."""
    with command(name, [name], stage.environment, log) as child:
        wait_until(says(log, words), name, log)
        tree = Tree(name, child.pid)
        yield tree, tree.cpu_seconds()


def _await_safe(settings: Settings, worker: str, *topics: str) -> None:
    """Return once the group has stored what follows from all that these topics hold now."""
    group = full_name(settings.kafka, worker)
    with opened_admin(settings) as admin, opened_consumer(settings) as consumer:
        ends: dict[TopicPartition, int] = {}
        for topic, count in partition_counts(settings, topics).items():
            # Topic by topic: asked for several, kafka-python 3.0.12 leaves out those that it has not heard of yet.
            ends |= consumer.end_offsets([TopicPartition(full_name(settings.kafka, topic), n) for n in range(count)])

        def safe() -> bool:
            stored = admin.list_group_offsets(group)[group]
            return all(not end or (place in stored and stored[place].offset >= end) for place, end in ends.items())

        wait_until(safe, f"the {worker}'s work", seconds=PATIENCE_SECONDS)


def _silent(_: str) -> None:
    """Progress is nobody's concern here."""


def told(found: Growth) -> str:
    """For people, in a line."""
    case = found.case
    verdict = "" if found.differences is None else f"; {found.differences} differences"
    return (
        f"{case.nodes:>9,} nodes {case.sites:>4} sites {case.workers} workers, {found.readings:>9,} readings:"
        f" twin {found.twin.per_million_readings:.2f} s of CPU per million ({found.twin.per_million_node_ticks:.2f} per"
        f" million node ticks), {found.twin.resident_mb:.0f} MB; store {found.store.per_million_readings:.2f}"
        f" ({found.store.per_million_node_ticks:.2f}); folded in {found.seconds:.1f} s{verdict}"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("by", nargs="*", choices=[*CASES, []], help="unset: all")
    options.add_argument("--json", action="store_true", help="for programs")
    chosen = options.parse_args()
    found: dict[str, list[Growth]] = {}
    with servers() as stage:
        for by in chosen.by or CASES:
            for case in CASES[by]:
                found.setdefault(by, []).append(growth(stage, case, verified=by == "workers"))
                if not chosen.json:
                    print(told(found[by][-1]), flush=True)
    if chosen.json:
        growths = {by: [asdict(one) for one in several] for by, several in found.items()}
        print(json.dumps({"machine": machine(), "growth": growths}, indent=2))


if __name__ == "__main__":
    ended(main, "benchmarks.growth")
