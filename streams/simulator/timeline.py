"""What happens in a scenario and when: its timelines as one sequence, begun again where the scenario says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from models.scenario import AllocationChange, Scenario
from models.scenario_demand import Demand, End, Revision, Share


@dataclass(frozen=True, slots=True)
class SupplySet:
    """The site states its facts, with this supply."""

    site: str
    supply_mw: float


@dataclass(frozen=True, slots=True)
class AllocationSet:
    """So much of a pool is bound to work from now on."""

    site: str
    type: str
    allocated: float


@dataclass(frozen=True, slots=True)
class TenantSet:
    """A tenant's quotas are stated."""

    tenant: str
    quotas: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class DemandSet:
    """A demand is stated or ends."""

    demand: Demand
    entry: Revision | End


@dataclass(frozen=True, slots=True)
class FaultSet:
    """A scripted fault begins or is over; `index` is its place among the scenario's."""

    index: int
    site: str
    active: bool


Happening = SupplySet | AllocationSet | TenantSet | DemandSet | FaultSet


def happenings(scenario: Scenario) -> Iterator[tuple[int, int, Happening]]:
    """Milliseconds after the start, the round they belong to (0 is the first), and what happens; in order of time."""
    once = sorted(_round(scenario), key=lambda timed: timed[0])
    if scenario.repeat_every_seconds is None:
        yield from ((at, 0, what) for at, what in once)
        return
    period = round(scenario.repeat_every_seconds * 1000)
    for number in count():
        yield from ((number * period + at, number, what) for at, what in once)


def _round(scenario: Scenario) -> Iterator[tuple[int, Happening]]:
    for index, fault in enumerate(scenario.faults.scripted):
        yield _milliseconds(fault.at), FaultSet(index, fault.site, True)
        yield _milliseconds(fault.until), FaultSet(index, fault.site, False)
    for site_id, site in scenario.sites.items():
        yield 0, SupplySet(site_id, site.supply_mw)
        for pool in site.pools:
            yield 0, AllocationSet(site_id, pool.type, pool.allocated)
        for entry in site.timeline:
            at = _milliseconds(entry.at)
            if isinstance(entry, AllocationChange):
                yield at, AllocationSet(site_id, entry.type, entry.allocated)
            else:
                yield at, SupplySet(site_id, entry.supply_mw)
    for tenant in scenario.tenants:
        yield 0, TenantSet(tenant.tenant, tenant.quotas)
        for change in tenant.timeline:
            yield _milliseconds(change.at), TenantSet(tenant.tenant, change.quotas)
    for demand in scenario.demands:
        for revision in demand.timeline:
            yield _milliseconds(revision.at), DemandSet(demand, revision)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
