"""The planner's interface, and the plain one: sums of free accelerators and of megawatts, site by site.

What it says is named after what is short: accelerators of a project, power of a site, visibility of a site.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from models.catalogue import Catalogue
from models.demand import DemandRevised
from models.shortage import Accelerators, Binding, Constraint, Power, Resource, Scope, ScopeKind, Visibility
from models.tenant import Quota
from twin.demand import by_precedence, pending
from twin.rules import Rules
from twin.view import MILLION, SiteView


@dataclass(frozen=True, slots=True)
class Amount:
    """Accelerators, thousandths of an H100, milliwatts."""

    accelerators: int = 0
    milli_h100e: int = 0
    milliwatts: int = 0


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What is short at one tick."""

    scope: Scope
    resource: Resource
    demanded: Amount
    missing: Amount
    binding: Binding
    projects: tuple[str, ...]
    also: tuple[Binding, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """Demand against capacity at one tick."""

    shortfalls: tuple[Shortfall, ...]
    """In canonical order, no two of one scope and resource."""
    servable: Mapping[str, int]
    """By demand: accelerators that are pending and could be had now; nothing of demands that could have none."""


Quotas = Mapping[str, tuple[Quota, ...]]
"""By tenant."""


class Planner(Protocol):
    """Judges demand against capacity; the same view gives the same assessment."""

    def assess(self, sites: Sequence[SiteView], demands: Sequence[DemandRevised], quotas: Quotas) -> Assessment:
        """What could be served, what is short, and what binds."""
        ...


@dataclass
class _Site:
    """What is left of a site while demands are placed."""

    view: SiteView
    free: dict[str, int]
    headroom: int | None
    """Milliwatts; none where the supply is not known, which then does not bind."""
    added: int = 0
    projects: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class AggregatePlanner:
    """Serves by priority from the free accelerators of acceptable types at allowed sites, within headroom first.

    What finds accelerators but no headroom is counted as the site's power shortage. Gangs are not looked at.
    """

    catalogue: Catalogue
    rules: Rules

    def assess(self, sites: Sequence[SiteView], demands: Sequence[DemandRevised], quotas: Quotas) -> Assessment:  # noqa: ARG002
        """All shortfalls: by project, then power and visibility by site."""
        sites = sorted(sites, key=lambda view: view.site)
        room = [_room(view) for view in sites]
        unserved: dict[tuple[str, tuple[str, ...]], list[tuple[DemandRevised, int]]] = {}
        for demand in by_precedence(demands):
            left = pending(demand)
            for within_headroom in (True, False):
                left = self._place(demand, left, room, within_headroom=within_headroom)
            if left:
                unserved.setdefault((demand.project, tuple(sorted(demand.types))), []).append((demand, left))
        short = [self._accelerators(*key, unserved[key]) for key in sorted(unserved)]
        short += [shortfall for site in room if (shortfall := _power(site))]
        short += [shortfall for view in sites if (shortfall := self._visibility(view))]
        return Assessment(tuple(short), {})

    def _place(self, demand: DemandRevised, left: int, room: list[_Site], *, within_headroom: bool) -> int:
        for site in room:
            if demand.sites and site.view.site not in demand.sites:
                continue
            for type_ in sorted(site.free):
                if left and (not demand.types or type_ in demand.types):
                    each = self._draw(site, type_)
                    taken = min(left, site.free[type_])
                    if within_headroom and site.headroom is not None:
                        taken = min(taken, max(site.headroom - site.added, 0) // max(each, 1))
                    if taken:
                        site.free[type_] -= taken
                        site.added += taken * each
                        site.projects.add(demand.project)
                        left -= taken
        return left

    def _draw(self, site: _Site, type_: str) -> int:
        """Facility milliwatts that work on one more accelerator adds."""
        return self.catalogue[type_].placed_milliwatts * (site.view.pue or MILLION) // MILLION

    def _accelerators(
        self, project: str, types: tuple[str, ...], unserved: list[tuple[DemandRevised, int]]
    ) -> Shortfall:
        missing = sum(left for _, left in unserved)
        wanted = sum(pending(demand) for demand, _ in unserved)
        sites = tuple(sorted({site for demand, _ in unserved for site in demand.sites}))
        what = " or ".join(types) or "accelerators of any type"
        where = f" at {' or '.join(sites)}" if sites else ""
        return Shortfall(
            scope=Scope(kind=ScopeKind.PROJECT, name=project),
            resource=Accelerators(types=types),
            demanded=self._amount(wanted, types),
            missing=self._amount(missing, types),
            binding=Binding(
                constraint=Constraint.ACCELERATORS,
                sites=sites,
                types=types,
                summary=f"{missing} more {what}{where} would serve it",
            ),
            projects=(project,),
        )

    def _amount(self, count: int, types: tuple[str, ...]) -> Amount:
        """So many accelerators, at the least that any acceptable type is worth and draws."""
        kinds = [self.catalogue[type_] for type_ in types or self.catalogue.ids]
        worth = min(kind.milli_h100e for kind in kinds)
        return Amount(count, count * worth, count * min(kind.placed_milliwatts for kind in kinds))

    def _visibility(self, view: SiteView) -> Shortfall | None:
        unknown = {type_: count for type_, count in view.unknown().items() if count}
        known, expected = {type_: pool.installed + pool.lost for type_, pool in view.seen.items()}, view.expected()
        whole = {type_: max(known.get(type_, 0), expected.get(type_, 0)) for type_ in known.keys() | expected.keys()}
        total, dark = sum(whole.values()), sum(unknown.values())
        if dark * MILLION <= total * self.rules.unknown_above:
            return None
        return Shortfall(
            scope=Scope(kind=ScopeKind.SITE, name=view.site),
            resource=Visibility(),
            demanded=self._worth(total, whole),
            missing=self._worth(dark, unknown),
            binding=Binding(
                constraint=Constraint.VISIBILITY,
                sites=(view.site,),
                types=tuple(sorted(unknown)),
                summary=f"{dark} of {total} accelerators at {view.site} are unknown",
            ),
            projects=(),
        )

    def _worth(self, count: int, types: dict[str, int]) -> Amount:
        return Amount(count, sum(self.catalogue[type_].milli_h100e * many for type_, many in types.items()))


def _room(view: SiteView) -> _Site:
    headroom = None if view.supply is None or view.facility is None else view.supply - view.facility
    return _Site(view, {type_: pool.free for type_, pool in view.pools.items() if pool.free}, headroom)


def _power(site: _Site) -> Shortfall | None:
    view = site.view
    if view.supply is None or view.facility is None:
        return None
    demanded = view.facility + site.added
    if demanded <= view.supply:
        return None
    missing = demanded - view.supply
    return Shortfall(
        scope=Scope(kind=ScopeKind.SITE, name=view.site),
        resource=Power(),
        demanded=Amount(milliwatts=demanded),
        missing=Amount(milliwatts=missing),
        binding=Binding(
            constraint=Constraint.POWER,
            sites=(view.site,),
            types=(),
            summary=f"{missing / 1e9:.3f} MW more at {view.site} would cover what it draws and what could be placed",
        ),
        projects=tuple(sorted(site.projects)),
    )
