"""What holds back a lot that is not fully served: what would have to give way for it to be served one gang more.

A constraint binds a lot if without it the lot could be served more while every lot keeps at least what it is served.
Where a pool shows that directly (room for the gang there but no power, say), that is a proof. Where others would have
to move for it, the prices of the plan's own solution are asked first: what is worth nothing there serves nobody more
(complementary slackness). Then the program is solved again without the constraint: a gain of less than a gang proves
that it does not bind, and a gain is taken as proof where its solution is whole, or becomes so in a search. If nothing
binds by itself, the fewest constraints are named that do together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from models.shortage import Constraint, OneMore, Unit
from twin.planning.model import Model
from twin.planning.packing import Nodes
from twin.planning.problem import Lot, Pool, Problem
from twin.planning.program import INFINITE, Solver
from twin.planning.solving import TOLERANCE, Solved

ORDER = (
    Constraint.QUOTA,
    Constraint.WHOLE_NODES,
    Constraint.POWER,
    Constraint.ACCELERATORS,
    Constraint.UNKNOWN_CAPACITY,
)
"""What is changed most easily comes first; nodes that may come back come last."""

MOST_CHECKED = 20_000
"""Columns times programs that are solved to see what binds where others would have to move. Beyond that, and in
programs too large to be searched for whole numbers, only what pools show directly is named."""

MEGAWATT = 1_000_000_000
"""In milliwatts."""


@dataclass(frozen=True)
class Finding:
    """A constraint that binds, where, and together with which others."""

    constraint: Constraint
    sites: tuple[str, ...]
    types: tuple[str, ...]
    """Of the pools that would serve more; of a quota none."""
    together_with: tuple[Constraint, ...] = ()
    one_more: OneMore | None = None

    @cached_property
    def name(self) -> str:
        """The same for the same constraints."""
        return "+".join((self.constraint, *self.together_with))


Needs = dict[tuple[Constraint, ...], list[int]]
"""What would have to give way for one more gang, in the order of `ORDER`: the pools on which that is so."""


class Bindings:
    """Finds what binds each lot of a plan."""

    def __init__(self, model: Model, best: Solved) -> None:
        self.model = model
        self.problem: Problem = model.problem
        self.plan = best.plan
        self._best = best
        self._checks = MOST_CHECKED // len(model.program.upper) if best.small else 0
        self._solver: Solver | None = None
        self._found: dict[tuple[int, tuple[int, ...]], tuple[Finding, ...]] = {}
        self._needed: dict[int, Needs] = {}
        self._megawatts: dict[str, int] = {}

    def of(self, at: int) -> tuple[Finding, ...]:
        """What binds a lot that is not fully served, what is changed most easily first.

        Lots of one shape are bound alike, but for quotas that have no room for a gang more.
        """
        lot = self.problem.lots[at]
        gang = self.model.gang(at)
        key = lot.shape, tuple(quota for quota in lot.quotas if self.plan.quotas[quota] < gang)
        if key not in self._found:
            self._found[key] = tuple(self._findings(lot))
        return self._found[key]

    def _findings(self, lot: Lot) -> Iterator[Finding]:
        needs = self._needs(lot)
        alone = False
        for constraint in ORDER:
            found = self._alone(lot, constraint, needs.get((constraint,), []))
            if found is not None:
                alone = True
                yield found
        if not alone:
            yield self._together(needs)

    def _needs(self, lot: Lot) -> Needs:
        gang = self.problem.shapes[lot.shape].gang
        if lot.shape not in self._needed:
            self._needed[lot.shape] = self._needs_of(lot.shape)
        needs = self._needed[lot.shape]
        if any(self.plan.quotas[quota] < gang for quota in lot.quotas):
            return {(Constraint.QUOTA, *way): pools for way, pools in needs.items()}
        return needs

    def _needs_of(self, of: int) -> Needs:
        """What would have to give way beside quotas, for a gang of a shape."""
        shape, plan = self.problem.shapes[of], self.plan
        gang, draws = shape.gang, plan.draws[of]
        needs: Needs = {}
        for pool in shape.pools:
            here, nodes = self.problem.pools[pool], plan.nodes[pool]
            power = plan.power.get(here.site, draws[pool]) < draws[pool]
            for way in _ways(here, gang, nodes):
                needs.setdefault(_WITH_POWER[way] if power else way, []).append(pool)
        return needs

    def _alone(self, lot: Lot, constraint: Constraint, shown: list[int]) -> Finding | None:
        """The constraint, if it binds by itself; `shown` are the pools that show it."""
        if constraint is Constraint.POWER:
            return self._power(lot, shown)
        if shown or (self._may_bind(lot, constraint) and self._gains(lot, constraint, None)):
            return self._finding(lot, constraint, shown or list(self.problem.shapes[lot.shape].pools))
        return None

    def _power(self, lot: Lot, shown: list[int]) -> Finding | None:
        sites = {self.problem.pools[pool].site for pool in shown}
        for site in self.plan.power if self._checks > 0 else ():
            seen = site in sites or not self._may_bind(lot, Constraint.POWER, site)
            if not seen and self._gains(lot, Constraint.POWER, site):
                sites.add(site)
        return self._finding(lot, Constraint.POWER, shown, tuple(sorted(sites))) if sites else None

    def _may_bind(self, lot: Lot, constraint: Constraint, site: str = "") -> bool:
        """Whether it is worth a closer look if others could move so that the lot is served more without it."""
        problem, plan = self.problem, self.plan
        gang = problem.shapes[lot.shape].gang
        if self._checks <= 0:
            return False
        if any(plan.quotas[quota] < gang for quota in lot.quotas):
            return constraint is Constraint.QUOTA
        match constraint:
            case Constraint.POWER:
                # A site that has nothing left to give gives nothing more with more power.
                nodes = zip(plan.nodes, problem.pools, strict=True)
                return any(left.free for left, pool in nodes if pool.site == site)
            case Constraint.WHOLE_NODES:
                return any(left.free for left in plan.nodes) and any(shape.gang > 1 for shape in problem.shapes)
            case Constraint.UNKNOWN_CAPACITY:
                return any(problem.pools[pool].unknown for pool in problem.shapes[lot.shape].pools)
        return constraint is Constraint.ACCELERATORS

    def _together(self, needs: Needs) -> Finding:
        fewest = min(needs, key=lambda some: (len(some), [ORDER.index(one) for one in some]))
        return self._where(fewest[0], needs[fewest], together_with=fewest[1:])

    def _finding(self, lot: Lot, constraint: Constraint, pools: list[int], sites: tuple[str, ...] = ()) -> Finding:
        return self._where(constraint, pools, sites, one_more=self._one_more(lot, constraint, pools, sites))

    def _where(
        self,
        constraint: Constraint,
        pools: list[int],
        sites: tuple[str, ...] = (),
        together_with: tuple[Constraint, ...] = (),
        one_more: OneMore | None = None,
    ) -> Finding:
        shown = () if constraint is Constraint.QUOTA else [self.problem.pools[pool] for pool in pools]
        return Finding(
            constraint=constraint,
            sites=sites or tuple(sorted({pool.site for pool in shown})),
            types=tuple(sorted({pool.type for pool in shown})),
            together_with=together_with,
            one_more=one_more,
        )

    def _one_more(self, lot: Lot, constraint: Constraint, pools: list[int], sites: tuple[str, ...]) -> OneMore | None:
        gang = self.problem.shapes[lot.shape].gang
        if constraint is Constraint.POWER:
            return OneMore(unit=Unit.MEGAWATT, serves=max(self._megawatt(site) for site in sites))
        if gang == 1 and constraint is not Constraint.WHOLE_NODES:
            return OneMore(unit=Unit.ACCELERATOR, serves=1)
        if constraint is Constraint.QUOTA:
            return None
        nodes = max(self.problem.pools[pool].per_node for pool in pools) // gang * gang
        return OneMore(unit=Unit.WHOLE_NODE, serves=nodes) if nodes else None

    # What follows solves the plan's program again, with every lot kept at what it is served.

    def _program(self) -> Solver:
        if self._solver is None:
            self._solver = self.model.solver()
            for lot, column in enumerate(self.model.lots.tolist()):
                self._keep(self._solver, lot, column, more=False)
        return self._solver

    def _keep(self, solver: Solver, lot: int, column: int, *, more: bool) -> None:
        most = self.problem.lots[lot].gangs if more else self.plan.served[lot]
        solver.bound_column(column, max(self.plan.served[lot] - TOLERANCE, 0.0), most)

    def _gains(self, lot: Lot, constraint: Constraint, site: str | None) -> bool:
        """Whether lots like this one can be served a gang more without the constraint."""
        loose = list(self._without(lot, constraint, site))
        if not self._is_worth(loose):
            return False
        self._checks -= 1
        solver = self._program()
        alike = [at for at, one in enumerate(self.problem.lots) if (one.shape, one.quotas) == (lot.shape, lot.quotas)]
        for at in alike:
            self._keep(solver, at, int(self.model.lots[at]), more=True)
        for row, upper in loose:
            solver.bound_row(row, -INFINITE, upper)
        gained = self._gain(solver, alike)
        for row, _ in loose:
            solver.bound_row(row, self.model.program.row_lower[row], self.model.program.row_upper[row])
        for at in alike:
            self._keep(solver, at, int(self.model.lots[at]), more=False)
        return gained

    def _is_worth(self, rows: list[tuple[int, float]]) -> bool:
        """Whether more in any of these rows could serve anybody one accelerator more, as far as prices tell."""
        best = self._best
        if best.prices is None or best.slack > 1 - TOLERANCE:
            return True
        return any(abs(best.prices[row]) > TOLERANCE for row, _ in rows)

    def _gain(self, solver: Solver, alike: list[int]) -> bool:
        costs = self.model.costs(dict.fromkeys(alike, 1.0 / self.model.gang(alike[0])))
        now = sum(self.plan.served[at] for at in alike)
        real = solver.maximise(costs)
        if real is None or real.objective < now + 1 - TOLERANCE:
            return False
        some = real.values[self.model.whole]
        if (abs(some - some.round()) < TOLERANCE).all():
            return True
        searched = solver.maximise_whole(costs, self.model.whole)
        return searched is not None and searched.objective > now + 1 - TOLERANCE

    def _without(self, lot: Lot, constraint: Constraint, site: str | None) -> Iterator[tuple[int, float]]:
        """The rows that the constraint is, each with what bounds it without."""
        model, problem = self.model, self.problem
        match constraint:
            case Constraint.QUOTA:
                yield from ((int(model.quotas[quota]), INFINITE) for quota in lot.quotas)
            case Constraint.POWER:
                yield model.power[str(site)], INFINITE
            case Constraint.WHOLE_NODES:
                for pool, rows in enumerate(model.nodes):
                    free = problem.pools[pool].free
                    yield from ((row, INFINITE if pool in model.split else free) for row in rows.values())
            case Constraint.UNKNOWN_CAPACITY:
                for pool in problem.shapes[lot.shape].pools:
                    yield from model.room(pool, _with_unknown(problem.pools[pool]))
            case _:
                for pool in problem.shapes[lot.shape].pools:
                    yield int(model.totals[pool]), INFINITE
                    most = problem.pools[pool].per_node
                    rows = model.nodes[pool]
                    if pool in model.split:
                        yield from ((rows[level], INFINITE) for level in rows if level == most)
                    else:
                        yield from ((rows[size], INFINITE) for size in rows if size <= most)

    @cached_property
    def _waiting(self) -> Mapping[str, Sequence[tuple[int, Sequence[int]]]]:
        """The lots that are not fully served, by the sites whose power binds where they could be, with their pools."""
        waiting: dict[str, list[tuple[int, Sequence[int]]]] = {}
        there: list[dict[str, list[int]]] = []
        for shape in self.problem.shapes:
            there.append({})
            for pool in shape.pools:
                site = self.problem.pools[pool].site
                if site in self.plan.power:
                    there[-1].setdefault(site, []).append(pool)
        for at, lot in enumerate(self.problem.lots):
            for site, pools in there[lot.shape].items() if self.plan.missing(at) else ():
                waiting.setdefault(site, []).append((at, pools))
        return waiting

    def _megawatt(self, site: str) -> int:
        """Accelerators, at least, that one more megawatt at a site would serve, of all that wait."""
        if site not in self._megawatts:
            plan = self.plan.with_power({site: MEGAWATT})
            self._megawatts[site] = plan.fill(self._waiting.get(site, ()))
        return self._megawatts[site]


_NOTHING: tuple[Constraint, ...] = ()
_NODES = (Constraint.WHOLE_NODES,)
_MORE = (Constraint.ACCELERATORS,)
_LARGER = (Constraint.WHOLE_NODES, Constraint.ACCELERATORS)
_FOUND = (Constraint.UNKNOWN_CAPACITY,)
_WITH_POWER = {
    way: tuple(one for one in ORDER if one is Constraint.POWER or one in way)
    for way in (_NOTHING, _NODES, _MORE, _LARGER, _FOUND)
}


def _ways(pool: Pool, gang: int, nodes: Nodes) -> Iterator[tuple[Constraint, ...]]:
    """What would have to give way on a pool beside power and quotas, in each way in which it could."""
    if nodes.largest >= gang:
        yield _NOTHING
        return
    fits = pool.per_node >= gang
    yield _MORE if fits else _LARGER
    if nodes.free >= gang:
        yield _NODES
    if fits and pool.unknown >= gang:
        yield _FOUND


def _with_unknown(pool: Pool) -> tuple[int, ...]:
    """The pool's free accelerators per node, were the unknown ones free on usual nodes."""
    whole, rest = divmod(pool.unknown, pool.per_node)
    most = max(len(pool.free_per_node), pool.per_node + 1)
    nodes = [*pool.free_per_node, *[0] * (most - len(pool.free_per_node))]
    nodes[pool.per_node] += whole
    nodes[rest] += 1
    return tuple(nodes)
