"""How soon a worker that was killed is live again, by how many nodes its state has, and what its checkpoints cost.

    python -m benchmarks.recovery [--nodes N ...] [--json]

A simulated fleet of 20 sites publishes frames of 1,024 readings by the clock on the wall. When the checkpoints of the
only worker hold all nodes it is killed (SIGKILL), and another is started at once. It is live again when samples of a
tick after the kill, of every partition, stand in the ledger. The seconds until then are split by what they went into:

- `start`: until the new worker joins the group: interpreter, imports, dismissing the old one;
- `group`: until Kafka has given it the partitions, which it does once the old one is gone for it;
- `load`: until their checkpoints are read and restored;
- `catch_up`: until what had come meanwhile is folded.

Servers are its own, and are stopped in the end.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from kafka import TopicPartition

from benchmarks.checkpoints import CheckpointCost, cost_of_checkpoints
from benchmarks.ending import ended
from benchmarks.fleets import uniform_fleet, write_scenario
from benchmarks.ledger import LedgerTail
from benchmarks.machine import machine
from benchmarks.processes import Tree, command, says, wait_until
from benchmarks.stage import Stage, servers, set_up
from infra.kafka_clients import opened_admin, opened_consumer
from infra.settings import Settings
from infra.topics import full_name
from models.topics import TELEMETRY

NODES = (2_000, 25_000, 125_000)
SITES = 20
CADENCE_SECONDS = 10
"""Between two readings of a node: the size of the state is what matters, and the simulator shares the cores."""
JOINING, OPEN = "joining", "lanes open"
GOAL_SECONDS = 10.0

_JOINED = re.compile(r"^(\S+) .*joining ", re.MULTILINE)
_OPENED = re.compile(r"^(\S+) .*lanes open .*seconds=([0-9.]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Recovery:
    """Of one size. `seconds` is from the kill; on a machine with other work look at the CPU seconds beside the rest.

    `resident_mb` is the worker's memory just before it was killed.
    """

    nodes: int
    sites: int
    seconds: float
    start: float
    group: float
    load: float
    catch_up: float
    start_cpu: float
    load_cpu: float
    """Of the successor, in the group and while it loads."""
    catch_up_cpu: float
    resident_mb: float
    checkpoint: CheckpointCost


def recovery(stage: Stage, nodes: int, sites: int = SITES, cadence_seconds: int = CADENCE_SECONDS) -> Recovery:
    """Kill the worker of such a fleet once; the stage has no topics of ours yet."""
    with ExitStack() as stack:
        stage = stack.enter_context(set_up(stage))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        fleet = uniform_fleet(nodes, sites, cadence_seconds=cadence_seconds)
        scenario = write_scenario(fleet, folder / "fleet.yaml")
        log = folder / "first.log"
        first = stack.enter_context(command("twin", ["twin"], stage.environment, log, killed=True))
        wait_until(says(log, OPEN), "the worker", log)
        simulator: list[str | Path] = ["simulate", "--scenario", scenario]
        stack.enter_context(command("simulator", simulator, stage.environment, folder / "simulator.log"))
        ledger = stack.enter_context(LedgerTail.opened(stage.settings))
        wait_until(lambda: ledger.advanced().reporting >= nodes, f"a sample of {nodes:,} nodes", log)
        _await_checkpoints(stage.settings)
        memory = Tree("twin", first.pid).resident_mb()
        killed = time.time()
        first.kill()
        log = folder / "second.log"
        second = stack.enter_context(command("twin again", ["twin"], stage.environment, log))
        successor = Tree("twin again", second.pid)
        ledger.mark = round(killed * 1000)
        wait_until(says(log, JOINING), "the successor", log)
        started = successor.cpu_seconds()
        wait_until(says(log, OPEN), "the successor's lanes", log)
        loaded = successor.cpu_seconds()
        wait_until(lambda: ledger.advanced().went_on, "the first samples", log)
        joined, opened, load = opening(log.read_text(encoding="utf-8"))
        live = max(ledger.first_after.values()) / 1000
        return Recovery(
            nodes,
            sites,
            round(live - killed, 2),
            round(joined - killed, 2),
            round(opened - load - joined, 2),
            round(load, 2),
            round(live - opened, 2),
            round(started, 2),
            round(loaded - started, 2),
            round(successor.cpu_seconds() - loaded, 2),
            memory,
            cost_of_checkpoints(stage.settings, ledger.mark),
        )


def opening(log: str) -> tuple[float, float, float]:
    """When a worker joined its group and when its lanes were open, in seconds since 1970, and how long that read."""
    joined, opened = _JOINED.search(log), _OPENED.search(log)
    if joined is None or opened is None:
        raise ValueError("no lanes were opened")
    at, seconds = opened.groups()
    return datetime.fromisoformat(joined[1]).timestamp(), datetime.fromisoformat(at).timestamp(), float(seconds)


def _await_checkpoints(settings: Settings) -> None:
    """Return once what the partitions of telemetry hold now is in checkpoints."""
    topic, group = full_name(settings.kafka, TELEMETRY), full_name(settings.kafka, "twin")
    with opened_admin(settings) as admin, opened_consumer(settings) as consumer:
        places = [TopicPartition(topic, number) for number in range(settings.kafka.telemetry_partitions)]
        ends = consumer.end_offsets(places)

        def stored() -> bool:
            offsets = admin.list_group_offsets(group)[group]
            return all(place in offsets and offsets[place].offset >= end for place, end in ends.items())

        wait_until(stored, "a checkpoint of everything")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--nodes", type=int, nargs="+", default=NODES)
    options.add_argument("--json", action="store_true", help="for programs")
    chosen = options.parse_args()
    found = []
    with servers() as stage:
        for nodes in chosen.nodes:
            found.append(recovery(stage, nodes))
            if not chosen.json:
                print(told(found[-1]), flush=True)
    if chosen.json:
        print(json.dumps({"machine": machine(), "recoveries": [asdict(one) for one in found]}, indent=2))


def told(found: Recovery) -> str:
    """For people."""
    cost = found.checkpoint
    return (
        f"{found.nodes:,} nodes: live {found.seconds:.2f} s after the kill: start {found.start:.2f}, group"
        f" {found.group:.2f}, load {found.load:.2f}, catching up {found.catch_up:.2f}; {found.resident_mb:.0f} MB\n"
        f"  seconds of CPU: start {found.start_cpu:.2f}, group and load {found.load_cpu:.2f},"
        f" catching up {found.catch_up_cpu:.2f}\n"
        f"  checkpoints of {cost.packed_mb} MB ({cost.state_mb} MB unpacked), {cost.mb_per_second} MB/s; a round takes"
        f" {cost.pack_seconds} s of CPU beside the loop and {cost.snapshot_seconds} s in it,"
        f" at most {cost.longest_snapshot_seconds} s at once; restoring {cost.restore_seconds} s"
    )


if __name__ == "__main__":
    ended(main, "benchmarks.recovery")
