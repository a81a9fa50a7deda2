"""A small database as the store leaves it: three sites, one of an odd name, through the store's own sink."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.grafana.expansion import ODD_NAME
from infra.timescale.batch import RowBatch
from infra.timescale.connection import connect
from infra.timescale.migrations import migrate
from infra.timescale.sink import TimescaleSink
from models.dead_letter import DeadLetter
from models.instants import moment_of
from models.node_frame import NodeFrame
from models.pipeline import Delay, Flow, PipelineSample, Stage
from models.shortage import (
    Accelerators,
    Binding,
    Change,
    Constraint,
    OneMore,
    Power,
    Quantity,
    Resource,
    Scope,
    ScopeKind,
    Severity,
    Shortage,
    Status,
    Unit,
    Unplaced,
    Visibility,
)
from models.state import FleetState, IntakeTotals, NodeTotals, PoolState, PowerState, Presence, SiteState, TenantState
from models.topics import DEMAND, LEDGER, SITES, TELEMETRY, dead_letters
from tests.infra.timescale_builders import node_frame

SCHEMA = "fleettwin"
END = 1_800_003_600_000
"""Where the newest rows are, 2027-01-15 09:00 UTC."""
SEED_SITES = ("abilene", "memphis", ODD_NAME)
TYPES = ("gb200", "h100-sxm")
NODES = 6
MINUTE = 60_000


def seed(address: str) -> None:
    """Migrate, and write five minutes, and one of three hours before, with their rollups."""
    with connect(address, "seed") as owner:
        migrate(owner, SCHEMA, "the test's server")
    with TimescaleSink(address, SCHEMA) as sink:
        for since, until in ((END - 181 * MINUTE, END - 180 * MINUTE), (END - 5 * MINUTE, END)):
            for start in range(since, until, MINUTE):
                sink.write(_minute(start))
        sink.write(RowBatch(shortages=list(_shortages()), letters=list(_letters()), pipeline=list(_pipeline())))
        sink.roll_up()


def _minute(start: int) -> RowBatch:
    ticks = range(start + 1000, start + MINUTE + 1000, 1000)
    return RowBatch(
        sites=[_site(index, site, tick) for tick in ticks for index, site in enumerate(SEED_SITES)],
        fleet=[_fleet(tick) for tick in ticks],
        nodes=[_nodes(index, site, tick) for tick in ticks[9::10] for index, site in enumerate(SEED_SITES)],
    )


def _site(index: int, site: str, tick: int) -> SiteState:
    drawn, supply = 1e6 * (index + 1) + tick // 1000 % 60 * 1000, 1.05e6 * (index + 1)
    return SiteState(
        site=site,
        presence=Presence.PRESENT,
        pue=1.2,
        tick=moment_of(tick),
        nodes=NodeTotals(
            reporting=4, stale=1, lost=1, never_seen=index, in_service=3, draining=1, maintenance=0, failed=1
        ),
        pools=tuple(_pool(kind, index + 1) for kind in TYPES),
        power=PowerState(
            it_measured=drawn / 1.2, it_modelled=0, it_carried=0, facility=drawn, supply=supply, headroom=supply - drawn
        ),
        energy_joules=tick // 1000 * (index + 1),
        **_totals(index + 1, tick),
    )


def _fleet(tick: int) -> FleetState:
    return FleetState(
        sites_present=3,
        sites_away=0,
        sites_never_seen=0,
        demands=4,
        wanted=48,
        granted=40,
        pending=8,
        servable=2,
        demands_waiting=2,
        demands_expired=0,
        overcommitted=0,
        tenants=(
            TenantState(
                tenant="research",
                deserved=32,
                limit=40,
                wanted=40,
                granted=32,
                pending=8,
                used=32,
                starved=0,
                borrowing=0,
                servable=2,
            ),
            TenantState(
                tenant="it's us",
                deserved=None,
                limit=None,
                wanted=8,
                granted=8,
                pending=0,
                used=None,
                starved=None,
                borrowing=None,
                servable=0,
            ),
        ),
        tick=moment_of(tick),
        nodes=NodeTotals(
            reporting=12, stale=3, lost=3, never_seen=3, in_service=9, draining=3, maintenance=0, failed=3
        ),
        pools=tuple(_pool(kind, 6) for kind in TYPES),
        power=PowerState(it_measured=5e6, it_modelled=0, it_carried=0, facility=6e6, supply=6.3e6, headroom=0.3e6),
        energy_joules=tick // 1000 * 6,
        **_totals(6, tick),
    )


def _totals(scale: int, tick: int) -> dict[str, object]:
    return {
        "installed": 16 * scale,
        "in_service": 14 * scale,
        "allocated": 10 * scale,
        "free": 4 * scale,
        "unknown": scale,
        "unexpected": 0,
        "h100e_in_service": 20.5 * scale,
        "h100e_free": 5.5 * scale,
        "utilization": 0.5 + tick // 1000 % 10 / 100,
        "newest_reading": moment_of(tick - 300),
        "intake": IntakeTotals(observed=tick // 1000, duplicate=0, superseded=0, late=tick // 10_000, refused=7),
        "open_shortages": 3,
    }


def _pool(kind: str, scale: int) -> PoolState:
    return PoolState(
        type=kind,
        installed=8 * scale,
        in_service=7 * scale,
        allocated=5 * scale,
        free=2 * scale,
        held_idle=scale,
        unknown=0,
        h100e_in_service=10.25 * scale,
        h100e_free=2.75 * scale,
        utilization=None if kind == "gb200" else 0.4,
    )


def _nodes(index: int, site: str, tick: int) -> NodeFrame:
    """Six nodes: the first drains for a minute, the fourth idles, the fifth is stale, the last is lost and failed."""
    drains = END - 3 * MINUTE < tick <= END - 2 * MINUTE
    told = [[0.9, 0.8, None], [0.2, 0.4, None], None, [0.0, 0.01, 0.02], None, None]
    return node_frame(
        site,
        tick,
        {
            "node": [f"n{number}" for number in range(NODES)],
            "rack": ["r1", "r1", "r1", "r2", "r2", "r'2"],
            "hearing": [0, 0, 0, 0, 1, 2],
            "state": [int(drains), 0, 1, 0, 0, 3],
            "power_milliwatts": [5_000_000 + tick // 1000 % 60, 6_000_000, None, 900_000, 4_000_000, None],
            "utilization_ppm": [900_000, 300_000, 500_000, 10_000, 700_000, None],
            "temperature_millicelsius": [61_000, 81_000, 60_000, 40_000, 86_000, None],
            "energy_joules": [tick // 1000 + 5000 * number + index for number in range(NODES)],
            "accelerator_utilization_ppm": [
                row and [value if value is None else int(value * 1e6) for value in row] for row in told
            ],
            "accelerator_power_milliwatts": [row and [700_000, 650_000, None] for row in told],
            "accelerator_memory_used_bytes": [row and [2**36, 2**35, None] for row in told],
            "accelerator_temperature_millicelsius": [row and [60_000, 84_000, 86_000] for row in told],
        },
    )


def _shortages() -> Iterator[Shortage]:
    """Of power, critical after a warning; of a project, resolved; of a little-known site; of nothing."""
    power = (Scope(kind=ScopeKind.SITE, name="memphis"), Power(), Constraint.POWER, ("memphis",))
    yield _shortage(power, 0, 4 * MINUTE, Severity.WARNING)
    yield _shortage(power, 1, 2 * MINUTE, Severity.CRITICAL)
    project = (
        Scope(kind=ScopeKind.PROJECT, name="atlas, 'the big one'"),
        Accelerators(types=("h100-sxm",)),
        Constraint.WHOLE_NODES,
        (ODD_NAME,),
    )
    yield _shortage(project, 0, 4 * MINUTE, Severity.WARNING)
    yield _shortage(project, 1, 3 * MINUTE, Severity.WARNING)
    yield _shortage(project, 2, MINUTE, Severity.WARNING, resolved=True)
    unknown = (Scope(kind=ScopeKind.SITE, name=ODD_NAME), Visibility(), Constraint.VISIBILITY, (ODD_NAME,))
    yield _shortage(unknown, 0, 3 * MINUTE, Severity.INFO)
    unplaced = (Scope(kind=ScopeKind.PROJECT, name="beta"), Unplaced(types=()), Constraint.SCHEDULER, ())
    yield _shortage(unplaced, 0, MINUTE, Severity.INFO)


def _shortage(
    what: tuple[Scope, Resource, Constraint, tuple[str, ...]],
    sequence: int,
    ago: int,
    severity: Severity,
    *,
    resolved: bool = False,
) -> Shortage:
    scope, resource, constraint, sites = what
    at, since = moment_of(END - ago), moment_of(END - 4 * MINUTE - 5000)
    change = Change.RESOLVED if resolved else Change.UPDATED if sequence else Change.OPENED
    return Shortage(
        id=f"{scope.kind.value}/{scope.name}/{resource.kind}@{since.isoformat()}",
        sequence=sequence,
        change=change,
        status=Status.RESOLVED if resolved else Status.OPEN,
        severity=severity,
        scope=scope,
        resource=resource,
        demanded=Quantity(accelerators=16, h100e=16, watts=2e5),
        served=Quantity(accelerators=8, h100e=8, watts=1e5),
        missing=Quantity(accelerators=8 + sequence, h100e=8, watts=1e5),
        binding=Binding(
            constraint=constraint,
            sites=sites,
            types=("h100-sxm",),
            behind=8,
            one_more=OneMore(unit=Unit.MEGAWATT, serves=97),
            summary=f"{scope.name} is short",
        ),
        also=(Binding(constraint=Constraint.QUOTA, sites=(), types=(), behind=2, summary="a quota too"),),
        since=since,
        at=at,
        resolved_at=at if resolved else None,
        projects=("atlas, 'the big one'", "beta"),
    )


def _letters() -> Iterator[DeadLetter]:
    for index in range(12):
        topic, code = ((TELEMETRY, "unknown_type"), (DEMAND, "undecodable"), (SITES, "wrong_site"))[index % 3]
        yield DeadLetter(
            topic=dead_letters(topic),
            partition=0,
            offset=index,
            at=END - index * 20_000,
            code=code,
            detail="type is 'h1000', which nobody knows",
            source_topic=topic,
            source_partition=index % 2,
            source_offset=100 + index,
            key=None if index == 5 else ODD_NAME,
            rows=3 if topic == TELEMETRY else 1,
            bytes=1234,
        )


def _pipeline() -> Iterator[PipelineSample]:
    """A twin and a store, each 10 s; the store does not know where one of its partitions ends."""
    stages = {"twin": (Stage.SITE_STATE,), "store": (Stage.SITE_ROW, Stage.NODE_ROW, Stage.SHORTAGE_ROW)}
    for at in range(END - 5 * MINUTE, END + 1, 10_000):
        for app in ("twin", "store"):
            topics = (TELEMETRY, LEDGER) if app == "twin" else ("fleet.state.v1", "fleet.nodes.v1")
            yield PipelineSample(
                worker=f"{app}@host-1/{app == 'twin'}",
                app=app,
                since=moment_of(at - 10_000),
                at=moment_of(at),
                flows=tuple(
                    Flow(
                        topic=topic,
                        partition=partition,
                        records=100 + partition,
                        bytes=64_000,
                        lag=None if topic == "fleet.nodes.v1" and partition else at // 10_000 % 5,
                    )
                    for topic in topics
                    for partition in range(2)
                ),
                delays=tuple(
                    Delay(stage=stage, count=30, p50=0.6, p95=0.8, p99=1.1, most=1.4) for stage in stages[app]
                ),
                rows=0 if app == "twin" else 250,
                resident_bytes=300 * 2**20,
                cpu_seconds=2.5,
            )
