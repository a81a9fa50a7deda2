"""Solves the program of a plan again without a constraint: would anybody be served more?

Every lot is kept at what it is served. The prices of the plan's own solution are asked first: what is worth nothing
there serves nobody more (complementary slackness). Then a gain of less than a gang proves that the constraint does not
bind, and a gain is taken as proof where its solution is whole, or becomes so in a search.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.shortage import Constraint
from twin.planning.model import Model
from twin.planning.problem import Lot, Pool
from twin.planning.program import INFINITE, Solver
from twin.planning.solving import TOLERANCE, Solved

MOST_SOLVED = 20_000
"""Columns times programs that are solved again; in programs too large to be searched for whole numbers none is."""


class Relaxations:
    """What a plan would gain without one constraint."""

    def __init__(self, model: Model, best: Solved) -> None:
        self.model = model
        self.problem = model.problem
        self.plan = best.plan
        self.left = MOST_SOLVED // len(model.program.upper) if best.small else 0
        """How many programs may still be solved; at none nothing is found to be gained."""
        self._best = best
        self._solver: Solver | None = None

    def gain(self, lot: Lot, constraint: Constraint, site: str = "") -> bool:
        """Whether lots like this one can be served a gang more without the constraint; power is that of the site."""
        if not self.left or not self._may_bind(lot, constraint, site):
            return False
        loose = list(self._without(lot, constraint, site))
        if not self._is_worth(loose):
            return False
        self.left -= 1
        solver = self._program()
        alike = [at for at, one in enumerate(self.problem.lots) if (one.shape, one.quotas) == (lot.shape, lot.quotas)]
        for at in alike:
            self._keep(solver, at, int(self.model.lots[at]), more=True)
        for row, upper in loose:
            solver.bound_row(row, -INFINITE, upper)
        gained = self._serves_more(solver, alike)
        for row, _ in loose:
            solver.bound_row(row, self.model.program.row_lower[row], self.model.program.row_upper[row])
        for at in alike:
            self._keep(solver, at, int(self.model.lots[at]), more=False)
        return gained

    def _may_bind(self, lot: Lot, constraint: Constraint, site: str) -> bool:
        """Whether it is worth a closer look if others could move so that the lot is served more without it."""
        problem, plan = self.problem, self.plan
        gang = problem.shapes[lot.shape].gang
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

    def _program(self) -> Solver:
        if self._solver is None:
            self._solver = self.model.solver()
            for lot, column in enumerate(self.model.lots.tolist()):
                self._keep(self._solver, lot, column, more=False)
        return self._solver

    def _keep(self, solver: Solver, lot: int, column: int, *, more: bool) -> None:
        most = self.problem.lots[lot].gangs if more else self.plan.served[lot]
        solver.bound_column(column, max(self.plan.served[lot] - TOLERANCE, 0.0), most)

    def _is_worth(self, rows: list[tuple[int, float]]) -> bool:
        """Whether more in any of these rows could serve anybody one accelerator more, as far as prices tell."""
        best = self._best
        if best.prices is None or best.slack > 1 - TOLERANCE:
            return True
        return any(abs(best.prices[row]) > TOLERANCE for row, _ in rows)

    def _serves_more(self, solver: Solver, alike: list[int]) -> bool:
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

    def _without(self, lot: Lot, constraint: Constraint, site: str) -> Iterator[tuple[int, float]]:
        """The rows that the constraint is, each with what bounds it without."""
        model, problem = self.model, self.problem
        match constraint:
            case Constraint.QUOTA:
                yield from ((int(model.quotas[quota]), INFINITE) for quota in lot.quotas)
            case Constraint.POWER:
                yield model.power[site], INFINITE
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


def _with_unknown(pool: Pool) -> tuple[int, ...]:
    """The pool's free accelerators per node, were the unknown ones free on usual nodes."""
    whole, rest = divmod(pool.unknown, pool.per_node)
    most = max(len(pool.free_per_node), pool.per_node + 1)
    nodes = [*pool.free_per_node, *[0] * (most - len(pool.free_per_node))]
    nodes[pool.per_node] += whole
    nodes[rest] += 1
    return tuple(nodes)
