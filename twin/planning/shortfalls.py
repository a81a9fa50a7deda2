"""From what lots are served to what is short: of a project, of a site, of the fleet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from models.catalogue import Catalogue
from models.demand import DemandRevised, Workload
from models.shortage import Accelerators, Binding, Constraint, OneMore, Power, Resource, Scope, ScopeKind, Unplaced
from twin.planner import Amount, Shortfall
from twin.planning.binding import ORDER, Finding
from twin.planning.summaries import binding_summary
from twin.view import SiteView

FLEET = Scope(kind=ScopeKind.FLEET, name="fleet")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the part of a demand that asks for gangs of one size."""

    demand: DemandRevised
    pending: int
    """Accelerators."""
    served: int
    places: tuple[tuple[str, str], ...]
    """Site and type of the pools that would do."""
    findings: tuple[Finding, ...]
    """What binds, if not all is served."""

    @property
    def missing(self) -> int:
        """Accelerators."""
        return self.pending - self.served


@dataclass
class _Behind:
    """What waits for a constraint."""

    waiting: int = 0
    sites: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    one_more: OneMore | None = None


@dataclass(frozen=True)
class Worth:
    """What accelerators of a demand are worth and draw: the least of any type that it accepts."""

    catalogue: Catalogue
    _each: dict[tuple[tuple[str, ...], Workload | None], tuple[int, int]] = field(default_factory=dict)

    def of(self, outcomes: Iterable[Outcome], counts: Iterable[int]) -> Amount:
        """So many accelerators for each of these."""
        accelerators = milli_h100e = milliwatts = 0
        for outcome, count in zip(outcomes, counts, strict=True):
            worth, draw = self._least(outcome.demand.types, outcome.demand.workload)
            accelerators += count
            milli_h100e += count * worth
            milliwatts += count * draw
        return Amount(accelerators, milli_h100e, milliwatts)

    def _least(self, types: tuple[str, ...], workload: Workload | None) -> tuple[int, int]:
        key = types, workload
        if key not in self._each:
            kinds = [self.catalogue[type_] for type_ in types or self.catalogue.ids]
            draws = min(kind.working_milliwatts(workload) for kind in kinds)
            self._each[key] = min(kind.milli_h100e for kind in kinds), draws
        return self._each[key]


def demand_shortfalls(outcomes: Sequence[Outcome], worth: Worth) -> Iterator[Shortfall]:
    """What is short of the fleet and of each project by the types it accepts, then what could be had and is not."""
    groups: dict[tuple[str, tuple[str, ...]], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.demand.project, tuple(sorted(outcome.demand.types))), []).append(outcome)
    if any(outcome.missing for outcome in outcomes):
        yield _unserved(FLEET, Accelerators(types=()), outcomes, worth)
    scopes = {project: Scope(kind=ScopeKind.PROJECT, name=project) for project, _ in groups}
    for project, types in sorted(groups):
        some = groups[project, types]
        if any(outcome.missing for outcome in some):
            yield _unserved(scopes[project], Accelerators(types=types), some, worth)
    for project, types in sorted(groups):
        some = groups[project, types]
        if any(outcome.served for outcome in some):
            yield _unplaced(scopes[project], types, some, worth)


@dataclass
class PowerWait:
    """Who waits for the power of a site."""

    projects: dict[str, int] = field(default_factory=dict)
    """Accelerators."""
    one_more: OneMore | None = None


def power_waits(outcomes: Iterable[Outcome]) -> Mapping[str, PowerWait]:
    """Who waits for power and nothing else, by site."""
    waits: dict[str, PowerWait] = {}
    for outcome in outcomes:
        for finding in outcome.findings if outcome.missing else ():
            if finding.constraint is Constraint.POWER and not finding.together_with:
                project = outcome.demand.project
                for site in finding.sites:
                    wait = waits.setdefault(site, PowerWait(one_more=finding.one_more))
                    wait.projects[project] = wait.projects.get(project, 0) + outcome.missing
    return waits


def power_shortfall(view: SiteView, lacking: int, wait: PowerWait) -> Shortfall | None:
    """What a site lacks in power: for what it draws beyond its supply, and for work that power alone keeps away.

    `lacking` are milliwatts.
    """
    if view.supply is None or view.facility is None:
        return None
    missing = lacking + max(view.facility - view.supply, 0)
    if not missing:
        return None
    waiting = sum(wait.projects.values())
    megawatts = f"{missing / 1e9:.3f} MW more at {view.site}"
    words = f"{megawatts} would run {waiting} free accelerators that are waited for"
    if not waiting:
        words = f"{megawatts} would cover what it draws"
    return Shortfall(
        scope=Scope(kind=ScopeKind.SITE, name=view.site),
        resource=Power(),
        demanded=Amount(milliwatts=view.supply + missing),
        missing=Amount(milliwatts=missing),
        binding=Binding(
            constraint=Constraint.POWER,
            sites=(view.site,),
            types=(),
            behind=waiting,
            one_more=wait.one_more,
            summary=words,
        ),
        projects=tuple(sorted(wait.projects)),
    )


def _unserved(scope: Scope, resource: Resource, outcomes: Sequence[Outcome], worth: Worth) -> Shortfall:
    first, *rest = _bindings(outcomes)
    return Shortfall(
        scope=scope,
        resource=resource,
        demanded=worth.of(outcomes, [outcome.pending for outcome in outcomes]),
        missing=worth.of(outcomes, [outcome.missing for outcome in outcomes]),
        binding=first,
        also=tuple(rest),
        projects=tuple(sorted({outcome.demand.project for outcome in outcomes if outcome.missing})),
    )


def _unplaced(scope: Scope, types: tuple[str, ...], outcomes: Sequence[Outcome], worth: Worth) -> Shortfall:
    served = [outcome for outcome in outcomes if outcome.served]
    places = {place for outcome in served for place in outcome.places}
    sites, found = tuple(sorted({site for site, _ in places})), tuple(sorted({type_ for _, type_ in places}))
    count = sum(outcome.served for outcome in served)
    return Shortfall(
        scope=scope,
        resource=Unplaced(types=types),
        demanded=worth.of(outcomes, [outcome.pending for outcome in outcomes]),
        missing=worth.of(served, [outcome.served for outcome in served]),
        binding=Binding(
            constraint=Constraint.SCHEDULER,
            sites=sites,
            types=found,
            behind=count,
            summary=binding_summary(Constraint.SCHEDULER, sites, found, count),
        ),
        projects=(scope.name,),
    )


def _bindings(outcomes: Iterable[Outcome]) -> list[Binding]:
    """What binds, the first for each demand's first counted: by how much waits for it, then what is changed easily."""
    behind: dict[tuple[Constraint, tuple[Constraint, ...]], _Behind] = {}
    foremost: dict[tuple[Constraint, tuple[Constraint, ...]], int] = {}
    for outcome in outcomes:
        for place, finding in enumerate(outcome.findings if outcome.missing else ()):
            key = finding.constraint, finding.together_with
            one = behind.setdefault(key, _Behind())
            one.waiting += outcome.missing
            one.sites.update(finding.sites)
            one.types.update(finding.types)
            if finding.one_more and (one.one_more is None or one.one_more.serves < finding.one_more.serves):
                one.one_more = finding.one_more
            foremost[key] = foremost.get(key, 0) + (0 if place else outcome.missing)
    order = sorted(behind, key=lambda key: (-foremost[key], -behind[key].waiting, ORDER.index(key[0]), key[1]))
    return [_binding(*key, behind[key]) for key in order]


def _binding(constraint: Constraint, together_with: tuple[Constraint, ...], behind: _Behind) -> Binding:
    sites, types = tuple(sorted(behind.sites)), tuple(sorted(behind.types))
    return Binding(
        constraint=constraint,
        sites=sites,
        types=types,
        together_with=together_with,
        behind=behind.waiting,
        one_more=behind.one_more,
        summary=binding_summary(constraint, sites, types, behind.waiting, together_with, behind.one_more),
    )
