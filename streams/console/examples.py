"""An example of every answer: two small sites of which one is short of power. For readers; nothing runs on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from models.console import (
    AcceleratorsView,
    FleetView,
    Health,
    History,
    NodeAnswer,
    NodesPage,
    NodeView,
    RackView,
    Readiness,
    ShortagesView,
    SitesView,
    SiteTile,
    SiteView,
)
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

_TICK = datetime(2026, 11, 22, 17, 0, 5, tzinfo=UTC)
_NOW = _TICK + timedelta(milliseconds=612)
_SITE, _NODE, _WORKER = "memphis", "memphis-0007", "twin@ops-1/4711"

_POOL = PoolState(
    type="h100-sxm",
    installed=64,
    in_service=56,
    allocated=48,
    free=8,
    held_idle=8,
    unknown=0,
    h100e_in_service=56.0,
    h100e_free=8.0,
    utilization=0.93,
)
_TOTALS: dict[str, Any] = {
    "tick": _TICK,
    "nodes": NodeTotals(reporting=8, stale=0, lost=0, never_seen=0, in_service=7, draining=0, maintenance=1, failed=0),
    "pools": (_POOL,),
    "power": PowerState(
        it_measured=54_810.4,
        it_modelled=0.0,
        it_carried=0.0,
        facility=65_772.48,
        supply=66_000.0,
        headroom=227.52,
    ),
    "installed": 64,
    "in_service": 56,
    "allocated": 48,
    "free": 8,
    "unknown": 0,
    "h100e_in_service": 56.0,
    "h100e_free": 8.0,
    "utilization": 0.93,
    "energy_joules": 98_658_720,
    "newest_reading": _TICK - timedelta(milliseconds=40),
    "intake": IntakeTotals(observed=14_400, duplicate=0, superseded=0, late=3, refused=1),
    "open_shortages": 1,
}
_STATE = SiteState(**_TOTALS, site=_SITE, presence=Presence.PRESENT, pue=1.2)
_FLEET = FleetState(
    **_TOTALS,
    sites_present=1,
    sites_away=0,
    sites_never_seen=0,
    demands=2,
    wanted=64,
    granted=48,
    pending=16,
    servable=0,
    demands_waiting=0,
    demands_expired=0,
    tenants=(
        TenantState(
            tenant="research",
            deserved=64,
            limit=None,
            wanted=64,
            granted=48,
            pending=16,
            used=48,
            starved=16,
            borrowing=0,
            servable=0,
        ),
    ),
)
_HISTORY = History(
    tick=(_TICK - timedelta(seconds=10), _TICK),
    facility_watts=(65_790.2, 65_772.48),
    supply_watts=(66_000.0, 66_000.0),
    in_service=(56, 56),
    allocated=(48, 48),
    free=(8, 8),
    utilization=(0.92, 0.93),
    open_shortages=(1, 1),
)
_SHORTAGE = Shortage(
    id="project/frontier/accelerators/h100-sxm@1795366800000",
    sequence=0,
    change=Change.OPENED,
    status=Status.OPEN,
    severity=Severity.CRITICAL,
    scope=Scope(kind=ScopeKind.PROJECT, name="frontier"),
    resource=Accelerators(types=("h100-sxm",)),
    demanded=Quantity(accelerators=64, h100e=64.0, watts=83_520.0),
    served=Quantity(accelerators=48, h100e=48.0, watts=62_640.0),
    missing=Quantity(accelerators=16, h100e=16.0, watts=20_880.0),
    binding=Binding(
        constraint=Constraint.POWER,
        sites=(_SITE,),
        types=("h100-sxm",),
        behind=16,
        one_more=OneMore(unit=Unit.MEGAWATT, serves=8),
        summary="16 wait for power at memphis",
    ),
    since=_TICK - timedelta(seconds=15),
    at=_TICK - timedelta(seconds=10),
    projects=("frontier",),
)
_NODE_VIEW = NodeView(
    site=_SITE,
    node=_NODE,
    rack="r1",
    type="h100-sxm",
    heard_at=_TICK - timedelta(milliseconds=40),
    hearing="reporting",
    state="in_service",
    installed=8,
    in_service=8,
    allocated=8,
    power_watts=6_851.3,
    power_source="measured",
    utilization=0.93,
    memory_used_bytes=549_755_813_888,
    temperature_celsius=63.5,
    energy_joules=12_332_340,
    idle_since=None,
    accelerators=AcceleratorsView(
        utilization=(0.95, 0.94, 0.93, 0.93, 0.92, 0.92, 0.93, 0.92),
        power_watts=(690.1, 688.0, 681.4, 679.9, 684.2, 680.0, 683.3, 677.7),
        memory_used_bytes=(68_719_476_736,) * 8,
        temperature_celsius=(62.0, 61.5, 63.5, 60.0, 59.5, 61.0, 62.5, None),
    ),
)
_AGE = (_NOW - _TICK).total_seconds()
_ANSWERS: tuple[BaseModel, ...] = (
    FleetView(now=_NOW, age_seconds=_AGE, fleet=_FLEET, history=_HISTORY, readings_per_second=8.0),
    SitesView(now=_NOW, age_seconds=_AGE, sites=(SiteTile(state=_STATE, history=_HISTORY),)),
    SiteView(
        now=_NOW,
        age_seconds=_AGE,
        worker=_WORKER,
        state=_STATE,
        history=_HISTORY,
        shortages=(_SHORTAGE,),
        racks=(RackView(rack="r1", nodes=8, not_reporting=0, power_watts=54_810.4, utilization=0.93),),
        nodes=NodesPage(total=8, offset=0, nodes=(_NODE_VIEW,)),
    ),
    NodeAnswer(now=_NOW, nodes=(_NODE_VIEW,)),
    ShortagesView(now=_NOW, age_seconds=_AGE, open=(_SHORTAGE,), resolved=()),
    Health(alive=True, worker=_WORKER),
    Readiness(ready=True, missing=()),
)


EXAMPLES: dict[str, Any] = {type(one).__name__: one.model_dump(mode="json") for one in _ANSWERS}
"""An answer of each form, as JSON values."""
