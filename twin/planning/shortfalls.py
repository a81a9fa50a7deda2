"""From what lots are served to what is short: of a project, of a site, of the fleet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from models.names import FLEET
from models.shortage import Accelerators, Binding, Constraint, OneMore, Power, Resource, Scope, ScopeKind, Unplaced
from twin.planner import Amount, Shortfall
from twin.planning.binding import ORDER, Finding
from twin.planning.summaries import binding_summary
from twin.view import SiteView

THE_FLEET = Scope(kind=ScopeKind.FLEET, name=FLEET)


@dataclass(slots=True)
class Outcome:
    """What became of the part of a demand that asks for gangs of one size; accelerators throughout."""

    demand: str
    project: str
    types: tuple[str, ...]
    """That the demand accepts, sorted."""
    milli_h100e: int
    milliwatts: int
    """What one accelerator is worth and draws: the least of any type that the demand accepts."""
    pending: int
    served: int
    missing: int
    sites: tuple[str, ...]
    kinds: tuple[str, ...]
    """Of the pools that would do, sorted; the kinds are types of accelerators."""
    findings: tuple[Finding, ...]
    """What binds, if not all is served."""


@dataclass(slots=True)
class _Behind:
    """What waits for a constraint."""

    finding: Finding
    foremost: int = 0
    """Accelerators of demands for which it is what is changed most easily."""
    waiting: int = 0
    sites: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    one_more: OneMore | None = None


def demand_shortfalls(outcomes: Sequence[Outcome]) -> Iterator[Shortfall]:
    """What is short of the fleet and of each project by the types it accepts, then what could be had and is not."""
    groups: dict[tuple[str, tuple[str, ...]], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.project, outcome.types), []).append(outcome)
    short = [outcome for outcome in outcomes if outcome.missing]
    if short:
        yield _unserved(THE_FLEET, Accelerators(types=()), outcomes, short)
    order = sorted(groups)
    scopes = {project: Scope(kind=ScopeKind.PROJECT, name=project) for project, _ in order}
    for project, types in order:
        some = groups[project, types]
        short = [outcome for outcome in some if outcome.missing]
        if short:
            yield _unserved(scopes[project], Accelerators(types=types), some, short)
    for project, types in order:
        some = groups[project, types]
        served = [outcome for outcome in some if outcome.served]
        if served:
            yield _unplaced(scopes[project], types, some, served)


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
                project = outcome.project
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
    words = f"{megawatts} would {'run what is free and waited for' if waiting else 'cover what it draws'}"
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


def _unserved(scope: Scope, resource: Resource, outcomes: Sequence[Outcome], short: Sequence[Outcome]) -> Shortfall:
    first, *rest = _bindings(short)
    return Shortfall(
        scope=scope,
        resource=resource,
        demanded=_amount((outcome, outcome.pending) for outcome in outcomes),
        missing=_amount((outcome, outcome.missing) for outcome in short),
        binding=first,
        also=tuple(rest),
        projects=tuple(sorted({outcome.project for outcome in short})),
    )


def _unplaced(
    scope: Scope, types: tuple[str, ...], outcomes: Sequence[Outcome], served: Sequence[Outcome]
) -> Shortfall:
    sites = tuple(sorted(set().union(*{outcome.sites for outcome in served})))
    kinds = tuple(sorted(set().union(*{outcome.kinds for outcome in served})))
    had = _amount((outcome, outcome.served) for outcome in served)
    return Shortfall(
        scope=scope,
        resource=Unplaced(types=types),
        demanded=_amount((outcome, outcome.pending) for outcome in outcomes),
        missing=had,
        binding=Binding(
            constraint=Constraint.SCHEDULER,
            sites=sites,
            types=kinds,
            behind=had.accelerators,
            summary=binding_summary(Constraint.SCHEDULER, sites, kinds, had.accelerators),
        ),
        projects=(scope.name,),
    )


def _amount(counts: Iterable[tuple[Outcome, int]]) -> Amount:
    accelerators = milli_h100e = milliwatts = 0
    for outcome, count in counts:
        accelerators += count
        milli_h100e += count * outcome.milli_h100e
        milliwatts += count * outcome.milliwatts
    return Amount(accelerators, milli_h100e, milliwatts)


def _bindings(short: Iterable[Outcome]) -> list[Binding]:
    """What binds: first what most wait for before all else, then by how much waits, then what is changed easily."""
    behind: dict[str, _Behind] = {}
    for outcome in short:
        missing = outcome.missing
        for place, finding in enumerate(outcome.findings):
            one = behind.get(finding.name)
            if one is None:
                one = behind[finding.name] = _Behind(finding)
            one.waiting += missing
            one.foremost += 0 if place else missing
            one.sites.update(finding.sites)
            one.types.update(finding.types)
            if finding.one_more and (one.one_more is None or one.one_more.serves < finding.one_more.serves):
                one.one_more = finding.one_more
    order = sorted(behind.values(), key=_weight)
    return [_binding(one) for one in order]


def _weight(behind: _Behind) -> tuple[int, int, int, str]:
    return -behind.foremost, -behind.waiting, ORDER.index(behind.finding.constraint), behind.finding.name


def _binding(behind: _Behind) -> Binding:
    finding, sites, types = behind.finding, tuple(sorted(behind.sites)), tuple(sorted(behind.types))
    together_with, one_more = finding.together_with, behind.one_more
    return Binding(
        constraint=finding.constraint,
        sites=sites,
        types=types,
        together_with=together_with,
        behind=behind.waiting,
        one_more=one_more,
        summary=binding_summary(finding.constraint, sites, types, behind.waiting, together_with, one_more),
    )
