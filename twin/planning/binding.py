"""What holds back a lot that is not fully served: what would have to give way for it to be served one gang more.

A constraint binds a lot if without it the lot could be served more while every lot keeps at least what it is served.
Where a pool shows that directly (room for the gang there but no power, say), that is a proof. Where others would have
to move for it, the plan's program is solved again without the constraint: a gain of less than a gang proves that it
does not bind, and a gain is taken as proof where its solution is whole, or becomes so in a search. If nothing binds by
itself, the fewest constraints are named that do together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from models.shortage import Constraint, OneMore, Unit
from twin.planning.model import KILOWATT, Model
from twin.planning.problem import Lot, Pool, Problem
from twin.planning.program import INFINITE, Solver
from twin.planning.solving import MOST_WHOLE, TOLERANCE, Plan

ORDER = (
    Constraint.QUOTA,
    Constraint.WHOLE_NODES,
    Constraint.POWER,
    Constraint.ACCELERATORS,
    Constraint.UNKNOWN_CAPACITY,
)
"""What is changed most easily comes first; nodes that may come back come last."""

MOST_CHECKED = 400_000
"""Columns times programs that are solved to see what binds; then only what pools show directly is named."""

MEGAWATT = 1_000_000_000
"""In milliwatts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A constraint that binds, where, and together with which others."""

    constraint: Constraint
    pools: tuple[tuple[str, str], ...]
    """Site and type; of power, every pool that could be used, of a quota none."""
    sites: tuple[str, ...]
    together_with: tuple[Constraint, ...] = ()
    one_more: OneMore | None = None


@dataclass(frozen=True, slots=True)
class _Need:
    """What would have to give way for one more gang on a pool."""

    pool: int
    constraints: tuple[Constraint, ...]


class Bindings:
    """Finds what binds each lot of a plan."""

    def __init__(self, model: Model, plan: Plan) -> None:
        self.model = model
        self.problem: Problem = model.problem
        self.plan = plan
        self._checks = MOST_CHECKED // max(len(model.program.upper), 1)
        self._solver: Solver | None = None
        self._found: dict[tuple[int, tuple[int, ...]], tuple[Finding, ...]] = {}
        self._megawatts: dict[str, int] = {}

    def of(self, at: int) -> tuple[Finding, ...]:
        """What binds a lot that is not fully served, what is changed most easily first."""
        lot = self.problem.lots[at]
        key = lot.shape, lot.quotas
        if key not in self._found:
            self._found[key] = tuple(self._findings(lot))
        return self._found[key]

    def _findings(self, lot: Lot) -> Iterator[Finding]:
        needs = [need for pool in self.problem.shapes[lot.shape].pools for need in self._needs(lot, pool)]
        alone = False
        for constraint in ORDER:
            found = self._alone(lot, constraint, [need.pool for need in needs if need.constraints == (constraint,)])
            if found is not None:
                alone = True
                yield found
        if not alone:
            yield from self._together(lot, needs)

    def _needs(self, lot: Lot, pool: int) -> Iterator[_Need]:
        """What would have to give way on a pool, in each way in which it could."""
        problem, plan = self.problem, self.plan
        shape, here, nodes = problem.shapes[lot.shape], problem.pools[pool], plan.nodes[pool]
        each = shape.gang * shape.milliwatts[shape.pools.index(pool)]
        first = [Constraint.QUOTA] if any(plan.quotas[quota] < shape.gang for quota in lot.quotas) else []
        last = [Constraint.POWER] if plan.power.get(here.site, each) < each else []
        fits = here.per_node >= shape.gang
        if nodes.room(shape.gang):
            yield _Need(pool, _in_order([*first, *last]))
            return
        if nodes.free >= shape.gang:
            yield _Need(pool, _in_order([*first, Constraint.WHOLE_NODES, *last]))
        more = [Constraint.ACCELERATORS] if fits else [Constraint.ACCELERATORS, Constraint.WHOLE_NODES]
        yield _Need(pool, _in_order([*first, *more, *last]))
        if any(_with_unknown(here)[shape.gang :]) and here.unknown:
            yield _Need(pool, _in_order([*first, Constraint.UNKNOWN_CAPACITY, *last]))

    def _alone(self, lot: Lot, constraint: Constraint, shown: list[int]) -> Finding | None:
        """The constraint, if it binds by itself; `shown` are the pools that show it."""
        if constraint is Constraint.POWER:
            return self._power(lot, shown)
        if shown or (self._may_bind(lot, constraint) and self._gains(lot, constraint, None)):
            return self._finding(lot, constraint, shown or list(self.problem.shapes[lot.shape].pools))
        return None

    def _power(self, lot: Lot, shown: list[int]) -> Finding | None:
        sites = {self.problem.pools[pool].site for pool in shown}
        for site in self.plan.power:
            seen = site in sites or not self._may_bind(lot, Constraint.POWER, site)
            if not seen and self._gains(lot, Constraint.POWER, site):
                sites.add(site)
        return self._finding(lot, Constraint.POWER, shown, tuple(sorted(sites))) if sites else None

    def _may_bind(self, lot: Lot, constraint: Constraint, site: str = "") -> bool:
        """Whether others could move so that without the constraint the lot is served more: what is seen at a glance."""
        problem, plan = self.problem, self.plan
        gang = problem.shapes[lot.shape].gang
        if any(plan.quotas[quota] < gang for quota in lot.quotas):
            return constraint is Constraint.QUOTA
        match constraint:
            case Constraint.QUOTA:
                return False
            case Constraint.POWER:
                # A site that has nothing left to give gives nothing more with more power.
                return any(
                    nodes.free for nodes, pool in zip(plan.nodes, problem.pools, strict=True) if pool.site == site
                )
            case Constraint.WHOLE_NODES:
                broken = any(nodes.free for nodes in plan.nodes)
                return broken and any(shape.gang > 1 for shape in problem.shapes)
            case Constraint.UNKNOWN_CAPACITY:
                return any(problem.pools[pool].unknown for pool in problem.shapes[lot.shape].pools)
            case _:
                return True

    def _together(self, lot: Lot, needs: list[_Need]) -> Iterator[Finding]:
        fewest = min((len(need.constraints), [ORDER.index(one) for one in need.constraints]) for need in needs)
        chosen = next(
            need.constraints
            for need in needs
            if (len(need.constraints), [ORDER.index(one) for one in need.constraints]) == fewest
        )
        pools = [need.pool for need in needs if need.constraints == chosen]
        yield replace(self._where(chosen[0], pools), together_with=chosen[1:])

    def _finding(self, lot: Lot, constraint: Constraint, pools: list[int], sites: tuple[str, ...] = ()) -> Finding:
        found = self._where(constraint, pools, sites)
        return replace(found, one_more=self._one_more(lot, constraint, pools, sites))

    def _where(self, constraint: Constraint, pools: list[int], sites: tuple[str, ...] = ()) -> Finding:
        shown = tuple(sorted((self.problem.pools[pool].site, self.problem.pools[pool].type) for pool in set(pools)))
        if constraint is Constraint.QUOTA:
            shown = ()
        return Finding(
            constraint=constraint,
            pools=shown,
            sites=sites or tuple(sorted({site for site, _ in shown})),
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
            for lot, column in enumerate(self.model.lots):
                self._keep(self._solver, lot, column, more=False)
        return self._solver

    def _keep(self, solver: Solver, lot: int, column: int, *, more: bool) -> None:
        most = self.problem.lots[lot].gangs if more else self.plan.served[lot]
        solver.bound_column(column, max(self.plan.served[lot] - TOLERANCE, 0.0), most)

    def _gains(self, lot: Lot, constraint: Constraint, site: str | None) -> bool:
        """Whether lots like this one can be served a gang more without the constraint."""
        if self._checks <= 0:
            return False
        self._checks -= 1
        solver = self._program()
        alike = [at for at, one in enumerate(self.problem.lots) if (one.shape, one.quotas) == (lot.shape, lot.quotas)]
        for at in alike:
            self._keep(solver, at, self.model.lots[at], more=True)
        loose = list(self._without(lot, constraint, site))
        for row, upper in loose:
            solver.bound_row(row, -INFINITE, upper)
        gained = self._gain(solver, alike)
        for row, _ in loose:
            solver.bound_row(row, self.model.program.row_lower[row], self.model.program.row_upper[row])
        for at in alike:
            self._keep(solver, at, self.model.lots[at], more=False)
        return gained

    def _gain(self, solver: Solver, alike: list[int]) -> bool:
        costs = self.model.costs(dict.fromkeys(alike, 1.0 / self.model.gang(alike[0])))
        now = sum(self.plan.served[at] for at in alike)
        real = solver.maximise(costs)
        if real is None or real.objective < now + 1 - TOLERANCE:
            return False
        some = real.values[self.model.whole]
        if (abs(some - some.round()) < TOLERANCE).all() or len(self.model.whole) > MOST_WHOLE:
            return True
        searched = solver.maximise_whole(costs, self.model.whole_columns())
        return searched is not None and searched.objective > now + 1 - TOLERANCE

    def _without(self, lot: Lot, constraint: Constraint, site: str | None) -> Iterator[tuple[int, float]]:
        """The rows that the constraint is, each with what bounds it without."""
        model, problem = self.model, self.problem
        match constraint:
            case Constraint.QUOTA:
                yield from ((model.quotas[quota], INFINITE) for quota in lot.quotas)
            case Constraint.POWER:
                yield model.power[str(site)], INFINITE
            case Constraint.WHOLE_NODES:
                for pool, rows in model.nodes.items():
                    free = problem.pools[pool].free
                    yield from ((row, INFINITE if pool in model.split else free) for row in rows.values())
            case Constraint.UNKNOWN_CAPACITY:
                for pool in problem.shapes[lot.shape].pools:
                    yield from model.room(pool, _with_unknown(problem.pools[pool]))
            case _:
                for pool in problem.shapes[lot.shape].pools:
                    yield model.totals[pool], INFINITE
                    most = problem.pools[pool].per_node
                    rows = model.nodes[pool]
                    if pool in model.split:
                        yield from ((rows[level], INFINITE) for level in rows if level == most)
                    else:
                        yield from ((rows[size], INFINITE) for size in rows if size <= most)

    def _megawatt(self, site: str) -> int:
        """Accelerators that one more megawatt at a site would serve, of all that wait."""
        if site not in self._megawatts:
            solver, model = self._program(), self.model
            for lot, column in enumerate(model.lots):
                self._keep(solver, lot, column, more=True)
            row = model.power[site]
            solver.bound_row(row, -INFINITE, model.program.row_upper[row] + MEGAWATT / KILOWATT)
            real = solver.maximise(model.costs(dict.fromkeys(range(len(model.lots)), 1.0)))
            solver.bound_row(row, -INFINITE, model.program.row_upper[row])
            for lot, column in enumerate(model.lots):
                self._keep(solver, lot, column, more=False)
            now = sum(model.gang(lot) * gangs for lot, gangs in enumerate(self.plan.served))
            self._megawatts[site] = 0 if real is None else max(int(real.objective + TOLERANCE) - now, 0)
        return self._megawatts[site]


def _in_order(constraints: list[Constraint]) -> tuple[Constraint, ...]:
    return tuple(one for one in ORDER if one in constraints)


def _with_unknown(pool: Pool) -> tuple[int, ...]:
    """The pool's free accelerators per node, were the unknown ones free on usual nodes."""
    whole, rest = divmod(pool.unknown, pool.per_node)
    most = max(len(pool.free_per_node), pool.per_node + 1)
    nodes = [*pool.free_per_node, *[0] * (most - len(pool.free_per_node))]
    nodes[pool.per_node] += whole
    nodes[rest] += 1
    return tuple(nodes)
