"""From views to the states that are published: of each site, and of the fleet as their sum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.catalogue import Catalogue
from models.instants import moment_of
from models.sample import Pool
from models.state import FleetState, IntakeTotals, NodeTotals, PoolState, PowerState, Presence, SiteState
from twin.tenants import Claims
from twin.view import MILLION, SiteView


@dataclass
class _PoolSum:
    """One type, summed; utilisation as the sum over accelerators whose utilisation is known."""

    installed: int = 0
    in_service: int = 0
    allocated: int = 0
    free: int = 0
    held_idle: int = 0
    unknown: int = 0
    utilization: int = 0
    known: int = 0


def site_state(view: SiteView, tick: int, catalogue: Catalogue, open_shortages: int) -> SiteState:
    """The state of one site."""
    return SiteState(
        site=view.site,
        presence=view.presence,
        pue=view.facts.pue if view.facts else None,
        **_totals([view], tick, catalogue),
        open_shortages=open_shortages,
    )


def fleet_state(
    views: Sequence[SiteView], tick: int, catalogue: Catalogue, claims: Claims, open_shortages: int
) -> FleetState:
    """The state of all sites together."""
    presences = [view.presence for view in views]
    return FleetState(
        sites_present=presences.count(Presence.PRESENT),
        sites_away=presences.count(Presence.AWAY),
        sites_never_seen=presences.count(Presence.NEVER_SEEN),
        demands=claims.demands,
        wanted=claims.wanted,
        granted=claims.granted,
        pending=claims.wanted - claims.granted,
        servable=claims.servable,
        demands_waiting=claims.waiting,
        demands_expired=claims.expired,
        overcommitted=claims.overcommitted,
        tenants=claims.tenants,
        **_totals(views, tick, catalogue),
        open_shortages=open_shortages,
    )


def _totals(views: Sequence[SiteView], tick: int, catalogue: Catalogue) -> dict[str, Any]:
    pools = _pools(views)
    states = [_pool_state(type_, pools[type_], catalogue) for type_ in sorted(pools)]
    newest = max((view.sample.newest for view in views if view.sample), default=-1)
    samples = [view.sample for view in views if view.sample]
    return {
        "tick": moment_of(tick),
        "nodes": _nodes(views),
        "pools": tuple(states),
        "power": _power(views),
        "installed": sum(pool.installed for pool in pools.values()),
        "in_service": sum(pool.in_service for pool in pools.values()),
        "allocated": sum(pool.allocated for pool in pools.values()),
        "free": sum(pool.free for pool in pools.values()),
        "unknown": sum(pool.unknown for pool in pools.values()),
        "h100e_in_service": _h100e({type_: pool.in_service for type_, pool in pools.items()}, catalogue),
        "h100e_free": _h100e({type_: pool.free for type_, pool in pools.items()}, catalogue),
        "utilization": _mean(pools.values()),
        "energy_joules": sum(sample.energy_joules for sample in samples),
        "unexpected": sum(view.unexpected() for view in views),
        "newest_reading": moment_of(newest) if newest >= 0 else None,
        "intake": IntakeTotals(
            observed=sum(sample.intake.observed for sample in samples),
            duplicate=sum(sample.intake.duplicate for sample in samples),
            superseded=sum(sample.intake.superseded for sample in samples),
            late=sum(sample.intake.late for sample in samples),
            refused=sum(sample.intake.refused for sample in samples),
        ),
    }


def _pools(views: Sequence[SiteView]) -> Mapping[str, _PoolSum]:
    sums: dict[str, _PoolSum] = {}
    for view in views:
        for type_, pool in view.seen.items():
            _add(sums.setdefault(type_, _PoolSum()), pool, usable=view.presence is Presence.PRESENT)
        for type_, unknown in view.unknown().items():
            sums.setdefault(type_, _PoolSum()).unknown += unknown
    return sums


def _add(total: _PoolSum, pool: Pool, *, usable: bool) -> None:
    total.installed += pool.installed
    if usable:
        total.in_service += pool.in_service
        total.allocated += pool.allocated
        total.free += pool.free
        total.held_idle += pool.held_idle
        total.utilization += pool.utilization_ppm * pool.utilization_known
        total.known += pool.utilization_known


def _pool_state(type_: str, pool: _PoolSum, catalogue: Catalogue) -> PoolState:
    return PoolState(
        type=type_,
        installed=pool.installed,
        in_service=pool.in_service,
        allocated=pool.allocated,
        free=pool.free,
        held_idle=pool.held_idle,
        unknown=pool.unknown,
        h100e_in_service=_h100e({type_: pool.in_service}, catalogue),
        h100e_free=_h100e({type_: pool.free}, catalogue),
        utilization=_mean([pool]),
    )


def _mean(pools: Iterable[_PoolSum]) -> float | None:
    some = list(pools)
    known = sum(pool.known for pool in some)
    return sum(pool.utilization for pool in some) // known / MILLION if known else None


def _h100e(counts: Mapping[str, int], catalogue: Catalogue) -> float:
    return sum(catalogue[type_].milli_h100e * count for type_, count in counts.items()) / 1000


def _nodes(views: Sequence[SiteView]) -> NodeTotals:
    counts = [view.sample.nodes for view in views if view.sample]
    never_seen = 0
    for view in views:
        expected = sum(entry.nodes for entry in view.facts.expected) if view.facts else 0
        seen = view.sample.nodes if view.sample else None
        never_seen += max(expected - (seen.reporting + seen.stale + seen.lost if seen else 0), 0)
    return NodeTotals(
        reporting=sum(count.reporting for count in counts),
        stale=sum(count.stale for count in counts),
        lost=sum(count.lost for count in counts),
        never_seen=never_seen,
        in_service=sum(count.in_service for count in counts),
        draining=sum(count.draining for count in counts),
        maintenance=sum(count.maintenance for count in counts),
        failed=sum(count.failed for count in counts),
    )


def _power(views: Sequence[SiteView]) -> PowerState:
    """Sums; the facility's figures are there if every site's facts are."""
    measured = modelled = carried = 0
    for view in views:
        if view.sample is None:
            continue
        power = view.sample.power
        if view.presence is Presence.PRESENT:
            measured, modelled, carried = measured + power.measured, modelled + power.modelled, carried + power.carried
        else:
            carried += power.total
    facilities = [view.facility for view in views]
    supplies = [view.supply for view in views]
    facility = None if None in facilities or not views else sum(watts or 0 for watts in facilities)
    supply = None if None in supplies or not views else sum(watts or 0 for watts in supplies)
    return PowerState(
        it_measured=measured / 1000,
        it_modelled=modelled / 1000,
        it_carried=carried / 1000,
        facility=None if facility is None else facility / 1000,
        supply=None if supply is None else supply / 1000,
        headroom=None if facility is None or supply is None else (supply - facility) / 1000,
    )
