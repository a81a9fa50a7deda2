"""What the store's writing costs for each row, beside a bare COPY of the same rows into a table that is laid out alike.

    python -m benchmarks.store [--nodes 125000] [--sites 20] [--ticks 6] [--json]

Node frames of all nodes, ten seconds of event time apart, are written in this process by the store's sink: encoded,
copied, the newest frames noted, minutes computed, rollups marked. Then the database rolls up what is left: the last
minute, which no later frame has ended. The bare COPY sends bytes that were encoded before, in one transaction for each
tick. CPU is that of this process (client) and of all of PostgreSQL's (server), so that other work on the machine does
not show in it. Servers are its own, and are stopped in the end.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from psycopg import sql

from benchmarks.ending import ended
from benchmarks.machine import machine
from benchmarks.node_rows import fleet_frames
from benchmarks.processes import Tree
from benchmarks.stage import Stage, servers, set_up
from infra.timescale.batch import RowBatch
from infra.timescale.binary_copy import encode_nodes, whole
from infra.timescale.connection import Connection, connect
from infra.timescale.copying import Content, copy_straight
from infra.timescale.latest import follow_nodes
from infra.timescale.node_minutes import NodeMinutes, write_minutes
from infra.timescale.rollups import mark_due
from infra.timescale.rosters import Rosters, rosters_of
from infra.timescale.sink import TimescaleSink
from infra.timescale.tables import NODE_SAMPLES
from models.instants import Instant
from models.node_frame import NodeFrame

START = 1_800_000_000_000
INTERVAL = 10_000
HOUR = 3_600_000
GOAL = 0.5
BARE = "bare_samples"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one step; microseconds of CPU for each row written."""

    seconds: float
    client_us: float
    server_us: float

    @property
    def cpu_us(self) -> float:
        """Both together."""
        return self.client_us + self.server_us


@dataclass(frozen=True, slots=True)
class StoreCost:
    """`steps` has `sink`, `bare_copy`, `roll_up`, and of the sink `encode`, `copy`, `follow`, `minutes`, `mark`."""

    nodes: int
    sites: int
    ticks: int
    rows: int
    rows_per_second: int
    bare_rows_per_second: int
    share_of_bare_copy: float
    """Of its rows a second, by CPU of client and server together."""
    steps: Mapping[str, Cost]


@dataclass
class Meter:
    """Adds up what steps take."""

    server: Tree
    spent: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """Seconds, and of CPU of client and server."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the block in."""
        before = time.perf_counter(), time.process_time(), self.server.cpu_seconds()
        yield
        after = time.perf_counter(), time.process_time(), self.server.cpu_seconds()
        known = self.spent.get(name, (0.0, 0.0, 0.0))
        self.spent[name] = (
            known[0] + after[0] - before[0],
            known[1] + after[1] - before[1],
            known[2] + after[2] - before[2],
        )

    def costs(self, rows: int) -> dict[str, Cost]:
        """Of each step, shared out over so many rows."""
        return {
            name: Cost(round(wall, 3), round(client / rows * 1e6, 3), round(server / rows * 1e6, 3))
            for name, (wall, client, server) in self.spent.items()
        }


def store_cost(stage: Stage, nodes: int = 125_000, sites: int = 20, ticks: int = 6) -> StoreCost:
    """Write so many ticks thrice: by a bare COPY, by the sink, and, an hour later, by the sink's parts one by one."""
    with set_up(stage) as own, connect(own.database_url, "benchmark") as owner:
        schema, meter = own.settings.database.schema_name, Meter(own.database)
        _make_bare(owner, schema)
        with TimescaleSink(own.database_url, schema) as sink:
            rosters, minutes = Rosters(), NodeMinutes()
            for number in range(ticks):
                frames = fleet_frames(nodes, sites, START + number * INTERVAL)
                _copy_bare(owner, schema, frames, meter)
                with meter.step("sink"):
                    sink.write(RowBatch(nodes=frames))
            for number in range(ticks):
                later = fleet_frames(nodes, sites, START + HOUR + number * INTERVAL)
                _write_by_parts(owner, schema, later, rosters, minutes, meter)
            with meter.step("roll_up"):
                sink.roll_up(Instant(START + HOUR))
    return summed_up(nodes, sites, ticks, meter.costs(nodes * ticks))


def summed_up(nodes: int, sites: int, ticks: int, steps: Mapping[str, Cost]) -> StoreCost:
    """The figures that follow from the steps."""
    rows, sink, bare = nodes * ticks, steps["sink"], steps["bare_copy"]
    return StoreCost(
        nodes,
        sites,
        ticks,
        rows,
        round(rows / sink.seconds),
        round(rows / bare.seconds),
        round(bare.cpu_us / sink.cpu_us, 3),
        steps,
    )


def _make_bare(owner: Connection, schema: str) -> None:
    """A hypertable with the columns, defaults, keys and indexes of `node_samples`."""
    names = {"bare": sql.Identifier(schema, BARE), "samples": sql.Identifier(schema, NODE_SAMPLES.name)}
    owner.execute(sql.SQL("create table {bare} (like {samples} including all)").format(**names))
    owner.execute(
        sql.SQL(
            "select create_hypertable({}, 'time', chunk_time_interval => interval '1 hour',"
            " create_default_indexes => false)"
        ).format(sql.Literal(names["bare"].as_string(owner)))
    )


def _copy_bare(owner: Connection, schema: str, frames: list[NodeFrame], meter: Meter) -> None:
    encoded = list(whole(map(encode_nodes, frames)))
    columns = sql.SQL(", ").join(map(sql.Identifier, NODE_SAMPLES.columns))
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(sql.Identifier(schema, BARE), columns)
    with meter.step("bare_copy"), owner.cursor() as cursor, cursor.copy(statement) as copy:
        for piece in encoded:
            copy.write(piece)


def _write_by_parts(
    owner: Connection, schema: str, frames: list[NodeFrame], rosters: Rosters, minutes: NodeMinutes, meter: Meter
) -> None:
    """As the sink does; `copy` encodes, too, and `encode` is that alone, once more."""
    names, ticks = rosters_of(frames), {(frame.site, Instant(frame.tick)) for frame in frames}
    with meter.step("encode"):
        for frame in frames:
            encode_nodes(frame)
    with owner.transaction():
        with meter.step("copy"):
            copy_straight(owner, schema, Content(NODE_SAMPLES, frames=frames))
        with meter.step("follow"):
            newest = follow_nodes(owner, schema, names, rosters)
        with meter.step("minutes"):
            followed = minutes.followed(frames, newest)
            computed = write_minutes(owner, schema, followed.ended)
        with meter.step("mark"):
            mark_due(owner, schema, {NODE_SAMPLES.name: ticks}, computed)
    rosters.remember(names)
    minutes.keep(followed)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--nodes", type=int, default=125_000)
    options.add_argument("--sites", type=int, default=20)
    options.add_argument("--ticks", type=int, default=6, help="node frames, 10 s apart")
    options.add_argument("--json", action="store_true", help="for programs")
    chosen = options.parse_args()
    with servers() as stage:
        found = store_cost(stage, chosen.nodes, chosen.sites, chosen.ticks)
    if chosen.json:
        print(json.dumps({"machine": machine(), "store": asdict(found)}, indent=2))
        return
    print(told(found))


def told(found: StoreCost) -> str:
    """For people."""
    lines = [f"{found.rows:,} rows of {found.nodes:,} nodes; microseconds of CPU a row:"]
    for name, cost in found.steps.items():
        lines.append(f"  {name.replace('_', ' '):10} client {cost.client_us:7.3f}  server {cost.server_us:7.3f}")
    lines.append(
        f"{found.rows_per_second:,} rows/s beside {found.bare_rows_per_second:,} of a bare COPY;"
        f" by CPU {found.share_of_bare_copy:.0%} of it (goal {GOAL:.0%})"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    ended(main, "benchmarks.store")
