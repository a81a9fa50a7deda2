"""States, shortages and node frames for the database's tests; every argument that is left out is unremarkable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any, LiteralString

import pyarrow as pa

from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection, connect
from infra.timescale.migrations import migrate
from infra.timescale.sink import TimescaleSink
from models.dead_letter import DeadLetter
from models.instants import moment_of
from models.node_frame import COLUMNS, NodeFrame, encode_node_frame, read_node_frame
from models.pipeline import Delay, Flow, PipelineSample, Stage
from models.shortage import (
    Accelerators,
    Binding,
    Change,
    Constraint,
    OneMore,
    Quantity,
    Scope,
    ScopeKind,
    Severity,
    Shortage,
    Status,
    Unit,
)
from models.state import FleetState, IntakeTotals, NodeTotals, PoolState, PowerState, Presence, SiteState, TenantState

HOUR = 3_600_000
T0 = 1_800_000_000_000
"""2027-01-15 08:00 UTC: the beginning of an hour."""

ODD_NAMES = ('"; drop table', "back\\slash", "tab\there", "Zürich-東京-🜚", "'", "%s{}", "a b", "\\N", "NULL", " ")


def pool(kind: str = "h100-sxm", *, free: int = 8, utilization: float | None = 0.1) -> PoolState:
    return PoolState(
        type=kind,
        installed=64,
        in_service=56,
        allocated=56 - free,
        free=free,
        held_idle=1,
        unknown=0,
        h100e_in_service=56.1,
        h100e_free=free * 1.1,
        utilization=utilization,
    )


def totals(tick: int, *, watts: float, facility: float | None, pools: Sequence[PoolState], free: int) -> dict[str, Any]:
    return {
        "tick": moment_of(tick),
        "nodes": NodeTotals(
            reporting=7, stale=1, lost=2, never_seen=0, in_service=6, draining=1, maintenance=0, failed=1
        ),
        "pools": tuple(pools),
        "power": PowerState(
            it_measured=watts, it_modelled=0.1, it_carried=0.2, facility=facility, supply=None, headroom=None
        ),
        "installed": 64,
        "in_service": 56,
        "allocated": 56 - free,
        "free": free,
        "unknown": 0,
        "h100e_in_service": 56.1,
        "h100e_free": free / 3,
        "utilization": None,
        "energy_joules": tick - T0 + 2**40,
        "newest_reading": moment_of(tick - 137),
        "intake": IntakeTotals(observed=2**35, duplicate=1, superseded=2, late=3, refused=4),
        "open_shortages": 1,
        "unexpected": 6,
    }


def site_state(
    site: str = "memphis",
    tick: int = T0,
    *,
    watts: float = 1e6 / 3,
    facility: float | None = 1.3e6 / 7,
    free: int = 8,
    pools: Sequence[PoolState] | None = None,
) -> SiteState:
    kinds = [pool(free=free)] if pools is None else pools
    common = totals(tick, watts=watts, facility=facility, pools=kinds, free=free)
    return SiteState(site=site, presence=Presence.PRESENT, pue=1.3, **common)


def tenant(name: str = "research", *, pending: int = 3, deserved: int | None = 10) -> TenantState:
    """One with quotas, or without where it deserves nobody knows what."""
    known = deserved is not None
    return TenantState(
        tenant=name,
        deserved=deserved,
        limit=20 if known else None,
        wanted=8 + pending,
        granted=8,
        pending=pending,
        used=8 if known else None,
        starved=min(pending, 2) if known else None,
        borrowing=0 if known else None,
        servable=1,
    )


def fleet_state(tick: int = T0, *, pending: int = 3, tenants: Sequence[TenantState] = ()) -> FleetState:
    return FleetState(
        sites_present=1,
        sites_away=0,
        sites_never_seen=0,
        demands=2,
        wanted=16,
        granted=13,
        pending=pending,
        servable=2,
        demands_waiting=4,
        demands_expired=5,
        overcommitted=7,
        tenants=tuple(tenants),
        **totals(tick, watts=0.1 + 0.2, facility=None, pools=[pool(), pool("gb200", utilization=None)], free=8),
    )


def shortage(
    sequence: int = 0, *, tick: int = T0, status: Status = Status.OPEN, name: str = "atlas", missing: int = 5
) -> Shortage:
    change = Change.RESOLVED if status is Status.RESOLVED else Change.UPDATED if sequence else Change.OPENED
    return Shortage(
        id=f"project/{name}@{T0}",
        sequence=sequence,
        change=change,
        status=status,
        severity=Severity.WARNING,
        scope=Scope(kind=ScopeKind.PROJECT, name=name),
        resource=Accelerators(types=("h100-sxm", name)),
        demanded=Quantity(accelerators=16, h100e=16.1, watts=0.1),
        served=Quantity(accelerators=16 - missing),
        missing=Quantity(accelerators=missing, h100e=missing / 3),
        binding=Binding(
            constraint=Constraint.WHOLE_NODES,
            sites=(name,),
            types=(),
            together_with=(Constraint.POWER, Constraint.QUOTA),
            behind=missing,
            one_more=OneMore(unit=Unit.WHOLE_NODE, serves=8),
            summary=f"{name}: short",
        ),
        also=(Binding(constraint=Constraint.UNKNOWN_CAPACITY, sites=(name,), types=("gb200",), summary=name),),
        since=moment_of(T0 - 5000),
        at=moment_of(tick),
        resolved_at=moment_of(tick) if status is Status.RESOLVED else None,
        projects=(name, "b,{c}"),
    )


def node_frame(site: str, tick: int, columns: Mapping[str, Sequence[Any]], part: int = 0) -> NodeFrame:
    """A frame from Python values; columns that are left out get the same value in every row, lists none."""
    rows = len(columns["node"])
    plain = {"rack": "r1", "type": "h100-sxm", "at": tick - 250, "hearing": 0, "state": 0, "installed": 8} | {
        "in_service": 8,
        "allocated": 4,
        "power_milliwatts": 5_000_001,
        "power_source": 0,
        "utilization_ppm": 333_333,
        "memory_used_bytes": 2**39,
        "temperature_millicelsius": 61_001,
        "energy_joules": 2**41 + 1,
    }
    arrays = {}
    for name, kind in COLUMNS.items():
        values = columns[name] if name in columns else [plain.get(name)] * rows
        if pa.types.is_dictionary(kind):
            coded = pa.array(values, pa.string()).dictionary_encode()
            arrays[name] = pa.DictionaryArray.from_arrays(coded.indices.cast(pa.int16()), coded.dictionary)
        else:
            arrays[name] = pa.array(values, kind)
    return read_node_frame(encode_node_frame(site, tick, part, arrays))


def nodes(site: str = "memphis", tick: int = T0, names: Sequence[str] = ("n1", "n2"), part: int = 0) -> NodeFrame:
    return node_frame(site, tick, {"node": list(names)}, part)


def letter(offset: int = 0, at: int = T0, *, code: str = "out_of_range", rows: int = 2) -> DeadLetter:
    return DeadLetter(
        topic="fleet.telemetry.v1.dlq",
        partition=0,
        offset=offset,
        at=at,
        code=code,
        detail="2 rows refused; row 16: power_watts is -43.0",
        source_topic="fleet.telemetry.v1",
        source_partition=9,
        source_offset=2**40 + offset,
        key="memphis",
        rows=rows,
        bytes=4536,
    )


def pipeline_sample(worker: str = "store@here/1", at: int = T0, *, lag: int | None = 7) -> PipelineSample:
    return PipelineSample(
        worker=worker,
        app=worker.partition("@")[0],
        since=moment_of(at - 10_000),
        at=moment_of(at),
        flows=(
            Flow(topic="fleet.state.v1", partition=0, records=40, bytes=71_810, lag=lag),
            Flow(topic="fleet.nodes.v1", partition=9, records=0, bytes=0, lag=None),
        ),
        delays=(Delay(stage=Stage.SITE_ROW, count=30, p50=0.951, p95=1.075, p99=1.08, most=-1.1),),
        rows=2329,
        resident_bytes=2**40,
        cpu_seconds=0.147757,
    )


def minute_of_everything(
    start: int = T0, *, seconds: int = 60, sites: Sequence[str] = ("memphis", "abilene")
) -> RowBatch:
    """What the machines put out within so many seconds."""
    ticks = range(start, start + seconds * 1000, 1000)
    return RowBatch(
        sites=[
            site_state(
                site,
                tick,
                watts=1e6 / 3 + tick % 977,
                facility=None if tick % 7 == 0 else tick / 1e6,
                free=tick // 1000 % 9,
            )
            for tick in ticks
            for site in sites
        ],
        fleet=[
            fleet_state(
                tick,
                pending=tick // 1000 % 5,
                tenants=[
                    tenant(pending=tick // 1000 % 7),
                    tenant("product", deserved=None if tick % 3000 else tick // 1000 % 11),
                ],
            )
            for tick in ticks
        ],
        shortages=[shortage(index, tick=tick) for index, tick in enumerate(ticks[::20])],
        nodes=[
            node_frame(site, tick, {"node": ["n1", "n2"], "power_milliwatts": [tick % 1_000_003, None]})
            for tick in ticks[::10]
            for site in sites
        ],
        letters=[letter(index, tick) for index, tick in enumerate(ticks[::20])],
        pipeline=[pipeline_sample(worker, tick) for tick in ticks[::10] for worker in ("twin@a/1", "store@a/2")],
    )


@contextmanager
def opened(address: str, schema: str = "fleettwin") -> Iterator[tuple[TimescaleSink, Connection]]:
    """A sink on a migrated database, and a connection of the owner's to look at it."""
    with connect(address, "test") as look:
        migrate(look, schema, "the test's server")
        with TimescaleSink(address, schema) as sink:
            yield sink, look


def select(look: Connection, statement: LiteralString) -> list[tuple[Any, ...]]:
    """The rows of a statement in the schema `fleettwin`."""
    look.execute("set search_path to fleettwin, public")
    return look.execute(statement).fetchall()


def waits_for_lock(look: Connection, working: Thread, application: str = "fleettwin store") -> bool:
    """Watch the sink, or another application at work, until it waits for somebody's lock; false if it ends without."""
    while working.is_alive():
        waiting = look.execute(
            "select from pg_stat_activity where wait_event_type = 'Lock' and application_name = %s"
            " and datname = current_database()",
            [application],
        ).fetchone()
        if waiting is not None:
            return True
    return False
