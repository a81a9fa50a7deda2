"""The planner: pending demand becomes lots, sites become pools, and each part that hangs together is solved by itself.

A part that was solved at the last tick and has not changed is not solved again. Nothing else is carried over from tick
to tick, not even where a solver ended: what is answered depends on what is asked alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from models.catalogue import Catalogue
from models.demand import DemandRevised, Workload
from models.shortage import Constraint
from twin.planner import Assessment, Quotas
from twin.planning.asking import Asking, Wish, asking
from twin.planning.binding import Finding
from twin.planning.problem import Lot, Pool, Problem, Shape, parts
from twin.planning.shortfalls import Outcome, PowerWait, demand_shortfalls, power_shortfall, power_waits
from twin.planning.solution import Solution, solved
from twin.planning.supply import Supply, supply
from twin.planning.visibility import visibility
from twin.rules import Rules
from twin.view import MILLION, SiteView

Shaped = tuple[tuple[Shape, ...], tuple[Lot, ...]]


@dataclass(slots=True)
class _Last:
    """What was asked last, and the answer."""

    demands: Sequence[DemandRevised]
    quotas: Quotas
    facts: tuple[object, ...]
    asking: Asking
    assessment: Assessment


@dataclass
class ExactPlanner:
    """Serves the higher priority first, then the most accelerators, then the demands whose ids come first."""

    catalogue: Catalogue
    rules: Rules
    _last: _Last | None = field(default=None, init=False, repr=False)
    _shaped: tuple[Asking, object, Shaped] | None = field(default=None, init=False, repr=False)
    _solutions: dict[Problem, Solution] = field(default_factory=dict, init=False, repr=False)

    def assess(self, sites: Sequence[SiteView], demands: Sequence[DemandRevised], quotas: Quotas) -> Assessment:
        """What could be served, what is short, and what binds."""
        offered = supply(sites, self.catalogue)
        facts = (offered, tuple(_visible(view) for view in sites))
        last = self._last
        same = last is not None and last.demands == demands and last.quotas == quotas
        if last is not None and same and last.facts == facts:
            return last.assessment
        asked = last.asking if last is not None and same else asking(demands, quotas)
        assessment = self._assess(sites, asked, offered)
        self._last = _Last(demands, quotas, facts, asked, assessment)
        return assessment

    def _assess(self, sites: Sequence[SiteView], asked: Asking, offered: Supply) -> Assessment:
        key = tuple((pool.site, pool.type) for pool in offered.pools), offered.pue
        if self._shaped is None or self._shaped[0] is not asked or self._shaped[1] != key:
            self._shaped = asked, key, _shaped(asked, offered, self.catalogue)
        shapes, lots = self._shaped[2]
        problem = Problem(offered.pools, offered.headroom, shapes, lots, tuple(asked.rooms.values()))
        served = [0] * len(problem.lots)
        findings: list[tuple[Finding, ...]] = [()] * len(lots)
        for at, lot in enumerate(lots):
            if not shapes[lot.shape].pools:
                findings[at] = _nowhere(asked.asked[at].wish)
        lacking: dict[str, int] = {}
        solutions: dict[Problem, Solution] = {}
        for places, part in parts(problem):
            found = self._solutions.get(part) or solved(part)
            solutions[part] = found
            for at, gangs, binding in zip(places, found.served, found.findings, strict=True):
                served[at], findings[at] = gangs, binding
            lacking |= found.lacking
        self._solutions = solutions
        outcomes = list(_outcomes(asked, problem, served, findings, self.catalogue))
        servable: dict[str, int] = {}
        for outcome in outcomes:
            if outcome.served:
                servable[outcome.demand] = servable.get(outcome.demand, 0) + outcome.served
        short = list(demand_shortfalls(outcomes))
        waits = power_waits(outcomes) if lacking else {}
        for view in sorted(sites, key=lambda view: view.site):
            power = power_shortfall(view, lacking.get(view.site, 0), waits.get(view.site, PowerWait()))
            dark = visibility(view, self.catalogue, self.rules.unknown_above)
            short += [found for found in (power, dark) if found is not None]
        return Assessment(tuple(short), servable, sum(found.gap for found in solutions.values()))


def _visible(view: SiteView) -> tuple[object, ...]:
    """What `assess` reads of a site beside what it offers."""
    return (
        view.site,
        view.presence,
        view.supply,
        tuple((type_, pool.installed, pool.lost) for type_, pool in sorted(view.seen.items())),
        tuple(view.expected().items()),
    )


def _shaped(asked: Asking, offered: Supply, catalogue: Catalogue) -> Shaped:
    """The lots that are asked for, by the pools that are there."""
    quota_at = {name: at for at, name in enumerate(asked.rooms)}
    priorities = sorted({one.wish.priority for one in asked.asked}, reverse=True)
    levels = {priority: at for at, priority in enumerate(priorities)}
    draws = {workload: _draws(offered, workload, catalogue) for workload in {one.wish.workload for one in asked.asked}}
    places = _Places(offered.pools)
    drawn: dict[tuple[tuple[int, ...], Workload | None], tuple[int, ...]] = {}
    shapes: dict[Shape, int] = {}
    lots = []
    for one in asked.asked:
        wish = one.wish
        pools = places.of(wish.types, wish.sites)
        if (pools, wish.workload) not in drawn:
            drawn[pools, wish.workload] = tuple(draws[wish.workload][at] for at in pools)
        shape = Shape(wish.gang, pools, drawn[pools, wish.workload])
        quotas = tuple(quota_at[name] for name in wish.quotas)
        lots.append(Lot(shapes.setdefault(shape, len(shapes)), levels[wish.priority], one.gangs, quotas))
    return tuple(shapes), tuple(lots)


class _Places:
    """Where pools of some types at some sites stand; none of either means any."""

    def __init__(self, pools: Sequence[Pool]) -> None:
        self._pools = pools
        self._at_site: dict[str, list[int]] = {}
        for at, pool in enumerate(pools):
            self._at_site.setdefault(pool.site, []).append(at)
        self._found: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[int, ...]] = {}

    def of(self, types: tuple[str, ...], sites: tuple[str, ...]) -> tuple[int, ...]:
        """Places, rising."""
        if (types, sites) not in self._found:
            some = [at for site in sites for at in self._at_site.get(site, ())] if sites else range(len(self._pools))
            found = (at for at in some if not types or self._pools[at].type in types)
            self._found[types, sites] = tuple(sorted(found))
        return self._found[types, sites]


def _draws(offered: Supply, workload: Workload | None, catalogue: Catalogue) -> list[int]:
    """Facility milliwatts that such work on one more accelerator of each pool adds."""
    pue = dict(offered.pue)
    working = {type_: catalogue[type_].working_milliwatts(workload) for type_ in {pool.type for pool in offered.pools}}
    return [working[pool.type] * pue[pool.site] // MILLION for pool in offered.pools]


def _nowhere(wish: Wish) -> tuple[Finding, ...]:
    """What binds where there is no pool that would do."""
    return (Finding(Constraint.ACCELERATORS, wish.sites, wish.types),)


def _outcomes(
    asked: Asking,
    problem: Problem,
    served: Sequence[int],
    findings: Sequence[tuple[Finding, ...]],
    catalogue: Catalogue,
) -> Iterator[Outcome]:
    """What became of each demand: those of a lot are served in the order of their ids."""
    named: dict[tuple[int, ...], tuple[tuple[str, ...], tuple[str, ...]]] = {}
    least: dict[tuple[tuple[str, ...], Workload | None], tuple[int, int]] = {}
    for at, one in enumerate(asked.asked):
        wish, left = one.wish, served[at]
        pools = problem.shapes[problem.lots[at].shape].pools
        if pools not in named:
            there = [problem.pools[pool] for pool in pools]
            named[pools] = tuple(sorted({pool.site for pool in there})), tuple(sorted({pool.type for pool in there}))
        kind = wish.types, wish.workload
        if kind not in least:
            kinds = [catalogue[type_] for type_ in wish.types or catalogue.ids]
            draws = min(kind.working_milliwatts(wish.workload) for kind in kinds)
            least[kind] = min(kind.milli_h100e for kind in kinds), draws
        worth, draw = least[kind]
        for demand, gangs in one.by:
            had = min(left, gangs)
            left -= had
            yield Outcome(
                demand=demand.demand,
                project=demand.project,
                types=wish.types,
                milli_h100e=worth,
                milliwatts=draw,
                pending=gangs * wish.gang,
                served=had * wish.gang,
                missing=(gangs - had) * wish.gang,
                sites=named[pools][0],
                kinds=named[pools][1],
                findings=findings[at],
            )
