"""How much disk a day of a fleet takes in the database, table by table, and compressed where the licence allows that.

    python -m benchmarks.disk [--nodes 2000] [--hours 24] [--json]

Fills a schema of its own with as many rows as the store would have written in those hours, rollups included, and looks
at the sizes of its tables with their indexes. On the Community edition the node samples are then compressed and looked
at again. Servers are its own, and are stopped in the end.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass

from benchmarks.dashboard_day import END, seed_day
from benchmarks.ending import ended
from benchmarks.machine import machine
from benchmarks.stage import Stage, servers, set_up
from infra.timescale.compression import compress_older
from infra.timescale.connection import Connection, connect, server_name
from infra.timescale.editions import edition_of
from infra.timescale.inspection import database_status
from infra.timescale.roles import owner_of
from models.instants import Instant


@dataclass(frozen=True, slots=True)
class Disk:
    """Megabytes (10**6 bytes), indexes included."""

    nodes: int
    hours: int
    edition: str
    megabytes: float
    by_table: dict[str, float]
    """Those that take a megabyte or more."""
    compressed_megabytes: float | None
    """All of it, with the node samples compressed; none where the licence does not allow it."""


def disk(stage: Stage, nodes: int = 2000, hours: int = 24) -> Disk:
    """Fill a schema, and look at it."""
    with set_up(stage) as own, connect(own.database_url, "benchmark") as owner:
        schema = own.settings.database.schema_name
        seed_day(owner, own.database_url, schema, nodes, hours)
        sizes = _sizes(owner, own)
        edition, whose = edition_of(owner), owner_of(owner, schema)
        compressed = None
        if edition is not None and whose is not None and edition.community:
            compress_older(owner, schema, whose, edition, Instant(END))
            compressed = round(sum(_sizes(owner, own).values()), 1)
        return Disk(
            nodes,
            hours,
            "none" if edition is None else edition.name,
            round(sum(sizes.values()), 1),
            {name: size for name, size in sizes.items() if size >= 1},
            compressed,
        )


def _sizes(owner: Connection, stage: Stage) -> dict[str, float]:
    status = database_status(owner, stage.settings.database.schema_name, server_name(stage.database_url))
    found = {table.table: round(table.bytes / 1e6, 1) for table in status.tables}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--nodes", type=int, default=2000)
    options.add_argument("--hours", type=int, default=24)
    options.add_argument("--json", action="store_true", help="for programs")
    chosen = options.parse_args()
    with servers() as stage:
        found = disk(stage, chosen.nodes, chosen.hours)
    if chosen.json:
        print(json.dumps({"machine": machine(), "disk": asdict(found)}, indent=2))
        return
    print(f"{found.nodes:,} nodes, {found.hours} h, {found.edition} edition: {found.megabytes:,.0f} MB")
    for name, size in found.by_table.items():
        print(f"{size:12,.1f} MB  {name}")
    print(
        "compressed: "
        + ("not with this licence" if found.compressed_megabytes is None else f"{found.compressed_megabytes:,.0f} MB")
    )


if __name__ == "__main__":
    ended(main, "benchmarks.disk")
