"""The planner: pending demand becomes lots, sites become pools, and each part that hangs together is solved by itself.

A part that was solved at the last tick and has not changed is not solved again. Nothing else is carried over from tick
to tick, not even where a solver ended: what is answered depends on what is asked alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from models.catalogue import Catalogue
from models.demand import DemandRevised
from models.shortage import Constraint, OneMore
from twin.planner import Assessment, Quotas, Shortfall
from twin.planning.asking import Asking, Wish, asking
from twin.planning.binding import Finding
from twin.planning.problem import Lot, Pool, Problem, Shape, parts
from twin.planning.shortfalls import Outcome, demand_shortfalls, power_shortfall
from twin.planning.solution import Solution, solved
from twin.planning.supply import Supply, supply
from twin.planning.visibility import visibility
from twin.rules import Rules
from twin.view import MILLION, SiteView


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
        problem = _problem(asked, offered, self.catalogue)
        served = [0] * len(problem.lots)
        findings: list[tuple[Finding, ...]] = [_nowhere(one.wish) for one in asked.asked]
        lacking: dict[str, int] = {}
        solutions: dict[Problem, Solution] = {}
        for lots, part in parts(problem):
            found = self._solutions.get(part) or solved(part)
            solutions[part] = found
            for at, gangs, binding in zip(lots, found.served, found.findings, strict=True):
                served[at], findings[at] = gangs, binding
            lacking |= found.lacking
        self._solutions = solutions
        outcomes = list(_outcomes(asked, problem, served, findings))
        servable: dict[str, int] = {}
        for outcome in outcomes:
            if outcome.served:
                servable[outcome.demand.demand] = servable.get(outcome.demand.demand, 0) + outcome.served
        short = list(demand_shortfalls(outcomes, self.catalogue))
        for view in sorted(sites, key=lambda view: view.site):
            short += self._of_site(view, lacking.get(view.site, 0), outcomes)
        return Assessment(tuple(short), servable)

    def _of_site(self, view: SiteView, lacking: int, outcomes: Sequence[Outcome]) -> Iterator[Shortfall]:
        waiting: dict[str, int] = {}
        one_more: OneMore | None = None
        for outcome in outcomes if lacking else ():
            for finding in outcome.findings:
                if finding.constraint is Constraint.POWER and not finding.together_with and view.site in finding.sites:
                    waiting[outcome.demand.project] = waiting.get(outcome.demand.project, 0) + outcome.missing
                    one_more = one_more or finding.one_more
        short = power_shortfall(view, lacking, waiting, one_more)
        if short is not None:
            yield short
        dark = visibility(view, self.catalogue, self.rules.unknown_above)
        if dark is not None:
            yield dark


def _visible(view: SiteView) -> tuple[object, ...]:
    """What `assess` reads of a site beside what it offers."""
    return (
        view.site,
        view.presence,
        view.supply,
        tuple((type_, pool.installed, pool.lost) for type_, pool in sorted(view.seen.items())),
        tuple(view.expected().items()),
    )


def _problem(asked: Asking, offered: Supply, catalogue: Catalogue) -> Problem:
    pue = dict(offered.pue)
    quota_at = {name: at for at, name in enumerate(asked.rooms)}
    levels = {
        priority: at for at, priority in enumerate(sorted({one.wish.priority for one in asked.asked}, reverse=True))
    }
    shapes: dict[Shape, int] = {}
    lots = []
    for one in asked.asked:
        shape = _shape(one.wish, offered.pools, pue, catalogue)
        lots.append(
            Lot(
                shape=shapes.setdefault(shape, len(shapes)),
                level=levels[one.wish.priority],
                gangs=one.gangs,
                quotas=tuple(quota_at[name] for name in one.wish.quotas),
            )
        )
    return Problem(offered.pools, offered.headroom, tuple(shapes), tuple(lots), tuple(asked.rooms.values()))


def _shape(wish: Wish, pools: Sequence[Pool], pue: Mapping[str, int], catalogue: Catalogue) -> Shape:
    places = tuple(at for at, pool in enumerate(pools) if wish.accepts(pool.site, pool.type))
    draws = tuple(
        catalogue[pools[at].type].working_milliwatts(wish.workload) * pue[pools[at].site] // MILLION for at in places
    )
    return Shape(wish.gang, places, draws)


def _nowhere(wish: Wish) -> tuple[Finding, ...]:
    """What binds where there is no pool that would do."""
    return (Finding(Constraint.ACCELERATORS, tuple(("", type_) for type_ in wish.types), wish.sites),)


def _outcomes(
    asked: Asking, problem: Problem, served: Sequence[int], findings: Sequence[tuple[Finding, ...]]
) -> Iterator[Outcome]:
    """What became of each demand: those of a lot are served in the order of their ids."""
    for at, one in enumerate(asked.asked):
        gang, left = one.wish.gang, served[at]
        pools = problem.shapes[problem.lots[at].shape].pools
        places = tuple((problem.pools[pool].site, problem.pools[pool].type) for pool in pools)
        for demand, gangs in one.by:
            had = min(left, gangs)
            left -= had
            yield Outcome(demand, gangs * gang, had * gang, places, findings[at])
