"""How long each query of the dashboards takes on a day of a fleet: on the database in use, slowest first.

    python -m benchmarks.dashboards
    python -m benchmarks.dashboards --nodes 2000 --hours 24 --json

Fills a schema of its own, `fleettwin_benchmark`, with as many rows as the store would have written: fleet, four sites,
three types and eight tenants each second, nodes each ten, and their rollups. It takes minutes and some gigabytes, and
is removed in the end. Each query is run for all, one, an oddly named and no site, over an hour and thirty days, thrice;
its time is the quickest of the three, from sending it to having all rows. `--keep` keeps the schema for the next time.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from psycopg import sql

from benchmarks.dashboard_day import seed_day
from benchmarks.ending import ended
from benchmarks.machine import machine
from benchmarks.schemas import remove_schema
from dashboards.grafana.checking import checked, reading
from dashboards.grafana.queries import all_queries, committed
from infra.servers import database_address
from infra.settings import read_settings
from infra.timescale.connection import connect, server_name
from infra.timescale.migrations import migrate

SCHEMA = "fleettwin_benchmark"
PASSES = 3
GOAL_MS = 250.0


@dataclass(frozen=True)
class Timing:
    """Of one query in one case."""

    dashboard: str
    query: str
    case: str
    rows: int
    ms: float
    problem: str


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--nodes", type=int, default=2000)
    options.add_argument("--hours", type=int, default=24)
    options.add_argument("--keep", action="store_true", help="use the schema of last time, and leave it")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    address = database_address(read_settings())
    with connect(address, "benchmark") as owner:
        there = owner.execute("select from pg_namespace where nspname = %s", [SCHEMA]).fetchone() is not None
        began = time.perf_counter()
        if not (there and chosen.keep):
            remove_schema(owner, SCHEMA)
            migrate(owner, SCHEMA, server_name(address))
            seed_day(owner, address, SCHEMA, chosen.nodes, chosen.hours)
            print(f"seeded in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        try:
            rows = owner.execute(
                sql.SQL("select count(*) from {}").format(sql.Identifier(SCHEMA, "node_samples"))
            ).fetchone()
            timings = timed(address)
        finally:
            if not chosen.keep:
                remove_schema(owner, SCHEMA)
    slowest = sorted(timings, key=lambda timing: -timing.ms)
    report = {
        "machine": machine(),
        "nodes": chosen.nodes,
        "hours": chosen.hours,
        "node_samples": rows[0] if rows else 0,
        "queries": len(slowest),
        "failed": sum(bool(timing.problem) for timing in slowest),
        "slowest_ms": slowest[0].ms,
        "over_goal": sum(timing.ms > GOAL_MS for timing in slowest),
        "goal_ms": GOAL_MS,
        "by_query": [asdict(timing) for timing in slowest],
    }
    if chosen.json:
        print(json.dumps(report, indent=2))
        return
    for timing in slowest:
        print(f"{timing.ms:8.1f} ms {timing.rows:7} rows  {timing.dashboard}: {timing.query} ({timing.case})")
    print(f"{report['queries']} queries, {report['over_goal']} over {GOAL_MS:.0f} ms, {report['failed']} failed")


def timed(address: str) -> Iterable[Timing]:
    """The quickest of the passes, of each query in each case."""
    best: dict[tuple[str, str, str], Timing] = {}
    with reading(address, SCHEMA, "benchmark") as connection:
        for _ in range(PASSES):
            for outcome in checked(connection, all_queries(committed())):
                key = (outcome.query.page, outcome.query.where, outcome.case.name)
                milliseconds = round(outcome.milliseconds, 2)
                if key not in best or milliseconds < best[key].ms:
                    best[key] = Timing(*key, outcome.rows, milliseconds, outcome.problem)
    return best.values()


if __name__ == "__main__":
    ended(main, "benchmarks.dashboards")
