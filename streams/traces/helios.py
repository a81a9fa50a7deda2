"""Helios: the virtual clusters of tenants of a GPU datacentre, minute by minute, one file per tenant.

Every tenant's virtual cluster becomes a site of nodes of eight accelerators, and what its jobs ask for one demand. From
`pending_gpu_num` follows how much is wanted and nothing else; how the running accelerators lie on the nodes is not
known, so they are packed: what is free is together. Nothing is known of power, so no site has facts and no node watts.

Source: github.com/S-Lab-System-Group/HeliosArtifact (SenseTime, SC'21), MIT: `cluster_sequence_vc.csv` of each tenant
in a folder `vc*` of its own as there, or gathered into one folder as `vc*.csv` or `vc*.csv.gz`. The times name no zone
and are taken as UTC.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TextIO

from models.demand import DemandRevised
from models.errors import ConfigurationError
from models.instants import instant_of, moment_of
from models.names import LONGEST_NAME
from models.reading import NodeState
from streams.traces.inventory import NodeCounts, Reporting, SiteCounts, Step
from twin.rules import Rules

TYPE = "v100-sxm2"
PER_NODE = 8
MINUTE = 60_000
SUFFIXES = (".csv.gz", ".csv")
IN_A_FOLDER = "cluster_sequence_vc.csv"
"""What a tenant's file is called in a folder that is called as the tenant."""

TIME, CAPACITY, RUNNING, PENDING = "time", "total_gpu_num", "running_gpu_num", "pending_gpu_num"
MOST = 1_000_000
"""Accelerators of one tenant; a larger number is a mistake."""

REPEATED_AFTER = 30 * MINUTE
"""A node that has no news says the same again."""

RULES = Rules(
    tick=MINUTE, stale_after=45 * MINUTE, lost_after=120 * MINUTE, longest_gap=120 * MINUTE, node_interval=60 * MINUTE
)
"""What such a log is meant for: a tick each minute, and a node that misses its turn to repeat itself is stale."""


@dataclass(frozen=True, slots=True)
class Minute:
    """A row of a tenant's file, in accelerators."""

    at: int
    """Milliseconds since 1970."""
    capacity: int
    running: int
    pending: int


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant's minutes, in order, none twice."""

    name: str
    minutes: tuple[Minute, ...]


def read_tenants(
    folder: Path, names: Collection[str] = (), begin: int | None = None, until: int | None = None
) -> tuple[Tenant, ...]:
    """The tenants whose files are in the folder, by name; all of them, or those of `names`.

    Rows may stand in any order; of several of one minute the last one counts, and a minute without one is a gap.

    Args:
        folder: With `vc*.csv`, `vc*.csv.gz` or `vc*/cluster_sequence_vc.csv` in it.
        names: As the files are called, without the ending, or their folders; empty means all.
        begin: The first minute that is wanted, in milliseconds since 1970.
        until: The first minute that is not wanted any more.

    Raises:
        ConfigurationError: naming the file, the line and the column where something is not as it should be.
    """
    paths = _files(folder)
    for name in names:
        if name not in paths:
            raise ConfigurationError("--tenant", name, f"one of {', '.join(paths)}")
    chosen = [Tenant(name, _minutes(path, begin, until)) for name, path in paths.items() if not names or name in names]
    if not any(tenant.minutes for tenant in chosen):
        raise ConfigurationError("the folder of the trace", str(folder), "rows of the tenants and the time asked for")
    return tuple(tenant for tenant in chosen if tenant.minutes)


def _files(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name, path in _named(folder):
        if name in found:
            raise ConfigurationError(str(path), name, f"one file of that tenant, beside {found[name].name}")
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise ConfigurationError(str(path), name, f"a printable name of at most {LONGEST_NAME} characters")
        found[name] = path
    if not found:
        raise ConfigurationError("the folder of the trace", str(folder), "a folder with vc*.csv or vc*.csv.gz")
    return found


def _named(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.glob("vc*")):
        suffix = next((suffix for suffix in SUFFIXES if path.name.endswith(suffix)), None)
        if suffix is not None and path.is_file():
            yield path.name.removesuffix(suffix), path
        elif (path / IN_A_FOLDER).is_file():
            yield path.name, path / IN_A_FOLDER


def _minutes(path: Path, begin: int | None, until: int | None) -> tuple[Minute, ...]:
    minutes: dict[int, Minute] = {}
    try:
        with _opened(path) as file:
            for minute in _rows(path, csv.reader(file)):
                if (begin is None or minute.at >= begin) and (until is None or minute.at < until):
                    minutes[minute.at] = minute
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(str(path), str(error), "a whole CSV file") from None
    return tuple(minutes[at] for at in sorted(minutes))


def _opened(path: Path) -> AbstractContextManager[TextIO]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open("rt", encoding="utf-8-sig", newline="")


def _rows(path: Path, lines: Iterator[list[str]]) -> Iterator[Minute]:
    header = next(lines, [])
    for column in (TIME, CAPACITY, RUNNING, PENDING):
        if header.count(column) != 1:
            raise ConfigurationError(f"{path}: columns", ", ".join(header), f"{column} among them, once")
    places = [header.index(column) for column in (TIME, CAPACITY, RUNNING, PENDING)]
    for number, row in enumerate(lines, start=2):
        if not row:
            continue
        if len(row) != len(header):
            raise ConfigurationError(f"{path}: line {number}", f"{len(row)} fields", f"{len(header)}, as in its header")
        time, *counts = (row[place] for place in places)
        where = f"{path}: line {number}"
        capacity, running, pending = (
            _count(where, column, text) for column, text in zip((CAPACITY, RUNNING, PENDING), counts, strict=True)
        )
        yield Minute(_at(where, time), capacity, running, pending)


def _at(where: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        at = instant_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        at = None
    if at is None or at < MINUTE or at % MINUTE:
        raise ConfigurationError(f"{where}: {TIME}", text, "a whole minute since 1970, such as 2020-05-01 00:00:00")
    return at


def _count(where: str, column: str, text: str) -> int:
    """A whole number; pandas writes it as `64.0` where the column has known gaps."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not (0 <= value <= MOST and value.is_integer()):
        raise ConfigurationError(f"{where}: {column}", text, f"a whole number from 0 to {MOST}")
    return int(value)


def tenant_steps(tenants: Sequence[Tenant], type_: str = TYPE) -> Iterator[Step]:
    """What the tenants' nodes and schedulers say at each minute of which some tenant has a row, be it nothing.

    A demand is revised when it changes. Nodes report as `Reporting` says; without a row of theirs they are silent.
    """
    sites = {tenant.name: _Site(tenant.name, type_) for tenant in tenants}
    rows = sorted((minute.at, tenant.name, minute) for tenant in tenants for minute in tenant.minutes)
    for at, together in groupby(rows, key=lambda row: row[0]):
        said = [sites[name].say(minute) for _, name, minute in together]
        counts = tuple(counts for counts, _ in said if counts is not None)
        demands = tuple(demand for _, demand in said if demand is not None)
        yield Step(at, counts, demands)


@dataclass
class _Site:
    """A tenant's virtual cluster as it was last spoken of."""

    name: str
    type: str
    nodes: int = 1
    """The most that there have been: one that is gone goes on saying so. The first is there from the beginning."""
    demand: tuple[int, int] | None = None
    reporting: Reporting = field(default_factory=lambda: Reporting(REPEATED_AFTER))

    def say(self, minute: Minute) -> tuple[SiteCounts | None, DemandRevised | None]:
        """What there is to say of a minute: of the nodes, of the demand."""
        self.nodes = max(self.nodes, -(-max(minute.capacity, minute.running) // PER_NODE))
        nodes = packed(self.type, minute.capacity, minute.running, self.nodes)
        demand = minute.running + minute.pending, minute.running
        counts = self.reporting.due(self.name, nodes, minute.at)
        if demand == self.demand:
            return counts, None
        self.demand = demand
        return counts, self._revised(minute.at, *demand)

    def _revised(self, at: int, wanted: int, granted: int) -> DemandRevised:
        return DemandRevised(
            demand=self.name,
            project=self.name,
            tenant=self.name,
            at=moment_of(at),
            wanted=wanted,
            granted=granted,
            types=(self.type,),
            sites=(self.name,),
        )


@lru_cache(maxsize=4096)
def packed(type_: str, capacity: int, running: int, nodes: int) -> tuple[NodeCounts, ...]:
    """So many nodes that together have this capacity in service and so much of it allocated, filled one by one.

    A node beyond the capacity is drained while something still runs on it, and in maintenance once nothing does.
    """
    return tuple(_node(type_, number, capacity, running) for number in range(nodes))


def _node(type_: str, number: int, capacity: int, running: int) -> NodeCounts:
    in_service = min(max(capacity - number * PER_NODE, 0), PER_NODE)
    allocated = min(max(running - number * PER_NODE, 0), PER_NODE)
    gone = NodeState.DRAINING if allocated else NodeState.MAINTENANCE
    return NodeCounts(
        node=f"node-{number:04d}",
        type=type_,
        installed=max(in_service, allocated) if in_service else PER_NODE,
        in_service=in_service,
        allocated=allocated,
        state=NodeState.IN_SERVICE if in_service else gone,
    )
