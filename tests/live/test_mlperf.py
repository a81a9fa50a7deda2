"""Real power logs through Kafka, twin and store: what stands in the database is what the CSV adds up to, to the joule.

The sums are made anew here, in whole numbers and plain Python, from the rows of the CSV alone.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from infra.embedded.stack import RunningStack
from infra.recordlog import LogReader, LogWriter
from infra.rules import rules_of
from infra.settings import Settings
from models.catalogue import shipped_catalogue
from models.cloudevents import EventType
from models.instants import instant_of
from models.topics import FLEET_CHECKPOINTS, LEDGER, SHORTAGES, SITE_CHECKPOINTS, TELEMETRY, dead_letters
from streams.logs.parts import LogPart
from streams.oracle.offline import fold_part
from streams.workers.checkpointing import furthest
from tests.live.world import World, fleettwin, new_world, outside_environment
from twin.offline import OfflineTwin

FOLDERS = (os.environ.get("FLEETTWIN_TRACES"), Path(__file__).parents[2].parent / "shared" / "data")
COLLECTION = "mlperf-smc-h100-power"
COLUMNS = ("kind", "nodes", "benchmark", "run", "node", "t_ms", "power_w")

SECOND = 1000
STALE, LOST, LONGEST_GAP, SILENCE = 15_000, 60_000, 60_000, 120_000
HALF_MICROJOULES = 2_000_000

Written = Mapping[int, Sequence[tuple[int, int]]]
"""Milliseconds and watts by node, in the order of the node's file."""

START = 1_715_341_080_337
RUN = "result_5848-240517221859825376616_2"

SYNTHETIC: Written = {
    node: [(START + at, watts) for at, watts in rows]
    for node, rows in {
        0: [(2000 * i + 7, 6000 + 10 * i) for i in range(60)],
        1: [
            (0, 2090),
            (2005, 2103),
            (3995, 2079),
            (3995, 2079),
            (3995, 2081),
            (3736, 2100),
            (6026, 2087),
            (9000, 7000),
        ],
        2: [(600, 7000), (2700, -43), (5000, 7100), (1000, 9), (14_000, -1), (22_700, 7300), (24_663, 7000)],
        3: [(500, 6500), (60_500, 6600), (121_000, 6700), (121_900, 6800)],
        4: [(100, 0), (110_000, 7000)],
        5: [(1000, -7), (30_000, -7)],
    }.items()
}
"""Repeated, reordered, late and negative rows, gaps of exactly a minute and longer, nodes that fall silent."""


class Tick(NamedTuple):
    """What the site is said to be at one tick; watts as the database has them."""

    at: int
    measured_watts: float
    carried_watts: float
    reporting: int
    stale: int
    lost: int
    energy_joules: int


@dataclass
class Node:
    """The newest word of a node."""

    at: int
    sequence: int
    watts: int
    half_microjoules: int = 0


def summed(written: Written) -> list[Tick]:
    """The site at every tick, from the first reading until two minutes after the last frame."""
    counted = defaultdict(list)
    windows = []
    for node, rows in written.items():
        newest = 0
        for sequence, (at, watts) in enumerate(rows):
            newest = max(newest, at)
            windows.append(-(-newest // SECOND) * SECOND)
            if watts >= 0:
                # A second's frame comes when the tick before the last one has closed: what is older counts from there.
                tick = max(-(-at // SECOND) * SECOND, windows[-1] - SECOND)
                counted[tick].append((node, at, sequence, watts))
    nodes: dict[int, Node] = {}
    ticks = []
    for tick in range(min(counted), max(windows) + SILENCE, SECOND):
        for node, at, sequence, watts in sorted(counted[tick]):
            _hear(nodes, node, at, sequence, watts)
        heard = [one for one in nodes.values() if tick - one.at <= STALE]
        stale = [one for one in nodes.values() if STALE < tick - one.at <= LOST]
        ticks.append(
            Tick(
                tick,
                float(sum(one.watts for one in heard)),
                float(sum(one.watts for one in stale)),
                len(heard),
                len(stale),
                len(nodes) - len(heard) - len(stale),
                sum(one.half_microjoules for one in nodes.values()) // HALF_MICROJOULES,
            )
        )
    return ticks


def _hear(nodes: dict[int, Node], node: int, at: int, sequence: int, watts: int) -> None:
    known = nodes.get(node)
    if known is None:
        nodes[node] = Node(at, sequence, watts)
    elif (at, sequence) > (known.at, known.sequence):
        elapsed = at - known.at
        if elapsed <= LONGEST_GAP:
            known.half_microjoules += (watts + known.watts) * 1000 * elapsed
        known.at, known.sequence, known.watts = at, sequence, watts


def write_collection(folder: Path, written: Written) -> Path:
    """A folder with these rows as one run."""
    with gzip.open(folder / "node_power.csv.gz", "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for node, rows in written.items():
            writer.writerows(("ac", 64, "gpt3", RUN, node, at, watts) for at, watts in rows)
    return folder


def real_collection() -> Path:
    for folder in FOLDERS:
        if folder is not None and (path := Path(folder) / COLLECTION).is_dir():
            return path
    pytest.skip(f"no {COLLECTION} in FLEETTWIN_TRACES or ../shared/data")


def read_rows(collection: Path, nodes: int, benchmark: str, run: str) -> Written:
    """The rows at the wall of the run whose name ends like that."""
    written = defaultdict(list)
    attempt = f"_{run.partition('-')[2]}"
    with gzip.open(collection / "node_power.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            if (row["kind"], row["nodes"], row["benchmark"]) == ("ac", str(nodes), benchmark) and (
                row["run"].startswith(f"result_{run.partition('-')[0]}-") and row["run"].endswith(attempt)
            ):
                written[int(row["node"])].append((int(row["t_ms"]), int(row["power_w"])))
    return dict(written)


def convert(collection: Path, run: str, log: Path, supply_mw: float) -> None:
    arguments = ("traces", "convert", "mlperf", collection, "--run", run, "--supply-mw", str(supply_mw), "--out", log)
    done = fleettwin(*arguments, environment=outside_environment(), folder=log.parent)
    assert done.returncode == 0, done.stderr


def send_every_frame_twice(log: Path) -> Path:
    """The log of a sender that did not trust its first try."""
    doubled = log.with_suffix(".doubled")
    with LogReader(log) as reader, LogWriter(doubled, reader.header) as writer:
        for record in reader:
            for _ in range(2 if record.header("ce_type") == EventType.FRAME.encode() else 1):
                writer.append(record)
    return doubled


def stored(world: World) -> list[Tick]:
    """The site's ticks as they stand in the database, from its first reading on."""
    found = world.database.execute(
        "select time, it_measured_watts, it_carried_watts, nodes_reporting, nodes_stale, nodes_lost, energy_joules"
        f" from \"{world.schema}\".site_samples where site = 'smc' and nodes_reporting + nodes_stale + nodes_lost > 0"
        " order by time"
    ).fetchall()
    return [Tick(instant_of(row[0]), *row[1:]) for row in found]


def refusals(world: World) -> list[str]:
    """The reason of every row in the dead-letter topic of telemetry, its dead letter read but once."""
    letters = {record.header("__streams.errors.offset"): record for record in world.records(dead_letters(TELEMETRY))}
    rows = [row for letter in letters.values() for row in orjson.loads(letter.header("fleettwin_rows") or b"")]
    return [f"{row['code']}: {row['detail']}" for row in rows]


def checkpointed_hash(world: World) -> str:
    """The state hash of what the live workers stored last."""
    settings = world.settings
    twin = OfflineTwin(rules_of(settings.twin), shipped_catalogue(), settings.kafka.telemetry_partitions)
    newest: dict[tuple[str, int], dict[bytes, bytes]] = defaultdict(dict)
    for topic in (SITE_CHECKPOINTS, FLEET_CHECKPOINTS):
        for record in world.records(topic):
            newest[topic, record.partition][record.key or b""] = record.value or b""
    for partition, machine in twin.telemetry.items():
        checkpoint = furthest(TELEMETRY, newest[SITE_CHECKPOINTS, partition])
        assert checkpoint is not None
        machine.restore(checkpoint.state)
    checkpoint = furthest(LEDGER, newest[FLEET_CHECKPOINTS, 0])
    assert checkpoint is not None
    twin.fleet.restore(checkpoint.state)
    return twin.digest()


def play(world: World, log: Path) -> None:
    """The log through Kafka, twin and store, to the end of all three, and a graceful stop."""
    twin, store = world.start("twin"), world.start("store")
    world.told("replay", log)
    world.wait_until_all_is_stored()
    world.stop(twin, store)


def assert_that_all_agree(world: World, log: Path, written: Written, sent: int = 1) -> None:
    """Database, dead letters, shortages and checkpoints against the CSV's rows and against the offline replay."""
    offline = world.told("replay", log, "--to", "offline")
    negative = [
        f"out_of_range: power_watts is {watts}.0" for rows in written.values() for _, watts in rows if watts < 0
    ]
    expected = summed(written)

    assert stored(world) == expected
    assert offline["energy_joules"] == {"smc": expected[-1].energy_joules}
    assert sorted(refusals(world)) == sorted(negative * sent)
    assert offline["readings"]["refused"] == len(negative) * sent
    assert offline["readings"]["observed"] == sent * (sum(map(len, written.values())) - len(negative))
    assert [orjson.loads(record.value or b"") for record in world.once(SHORTAGES).values()] == offline["shortages"]
    assert {"opened", "resolved"} <= {event["change"] for event in offline["shortages"]}
    assert checkpointed_hash(world) == offline["state_hash"]

    verified = world.told("verify")
    assert (verified["differences"], verified["pending"]) == (0, 0)
    assert verified["state_hash"] == offline["state_hash"]
    assert verified["compared"]["table site_samples"]["found"] >= len(expected)


@pytest.mark.servers
def test_dirty_rows_gaps_silence_and_frames_sent_twice_add_up_to_what_the_rows_say(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    once = tmp_path / "run.log"
    convert(write_collection(tmp_path, SYNTHETIC), "64/gpt3/5848-2", once, supply_mw=0.015)
    twice = send_every_frame_twice(once)

    with new_world(stack, kafka_prefix, database_url, tmp_path) as world:
        play(world, twice)

        assert_that_all_agree(world, twice, SYNTHETIC, sent=2)
        single, double = (world.told("replay", log, "--to", "offline") for log in (once, twice))
        assert single["readings"]["late"] > 0
        assert double["readings"]["duplicate"] > single["readings"]["duplicate"] == 0
        assert double["state_hash"] == single["state_hash"]
        assert double["shortages"] == single["shortages"]


@pytest.mark.servers
def test_an_hour_of_64_real_nodes_adds_up_to_what_their_rows_say(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    collection, log = real_collection(), tmp_path / "run.log"
    written = read_rows(collection, 64, "gpt3", "5848-2")
    assert len(written) == 64
    convert(collection, "64/gpt3/5848-2", log, supply_mw=0.455)

    with new_world(stack, kafka_prefix, database_url, tmp_path) as world:
        play(world, log)

        assert_that_all_agree(world, log, written)


@pytest.mark.parametrize(
    ("nodes", "benchmark", "run"),
    [
        pytest.param(8, "ssd", "4957-1", id="repeated-and-reordered-rows"),
        pytest.param(8, "ssd", "4957-2", id="negative-watts"),
        pytest.param(64, "llama2_70b_lora", "5730-3", id="64-nodes"),
    ],
)
def test_a_real_run_adds_up_without_servers_too(tmp_path: Path, nodes: int, benchmark: str, run: str) -> None:
    collection, log = real_collection(), tmp_path / "run.log"
    written = read_rows(collection, nodes, benchmark, run)
    negative = sum(watts < 0 for rows in written.values() for _, watts in rows)
    convert(collection, f"{nodes}/{benchmark}/{run}", log, supply_mw=0.05)

    folded = fold_part(Settings(), LogPart(log)).summary()

    assert folded["energy_joules"] == {"smc": summed(written)[-1].energy_joules}
    assert folded["readings"]["refused"] == negative
    assert folded["readings"]["observed"] == sum(map(len, written.values())) - negative
