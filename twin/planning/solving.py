"""The best plan: level after level the most accelerators served, then, among equals, those that come first.

Each level is first solved over real numbers. Where that is not whole, it is rounded down and filled up in the order of
precedence; if that reaches the bound which the real solution proves, it is the best. If not, HiGHS searches whole
numbers, in programs small enough for it. In larger ones the filled plan stands, and `Solved.gap` says by how much it
may fall short of the best: what rounding cost, a few gangs for each constraint that binds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce

import numpy as np

from twin.planning.model import Model
from twin.planning.plan import Plan
from twin.planning.program import INFINITE, Optimum, Reals, Solver

TOLERANCE = 1e-6
MOST_WHOLE = 300
"""Whole-number columns of a program up to which they are searched."""

MANY_COLUMNS = 4000
"""From here on it is quicker to solve all levels at once, roughly, before one after the other."""
TIES = 1e-4
"""By so much more the first lot of a level is worth than the last, where ties are not settled apart."""
FALLING = (1.0, 0.1, 0.01, 0.001, 0.0001, 0.00001)
"""What an accelerator of each level is worth to begin with."""


@dataclass(frozen=True, slots=True)
class Solved:
    """The best plan that was found, and what is known of it."""

    plan: Plan
    gap: int
    """Accelerators that the first level short of its bound is short of it; 0 if no plan serves more."""
    small: bool
    """Whether the program may be searched for whole numbers."""
    solver: Solver
    """As the last solution left it."""
    prices: Reals | None
    """By row: what one more would be worth where lots in front are worth most; none if all is served, or not small."""
    slack: float
    """By how much, in that worth, the solution over real numbers is better."""


def best_plan(model: Model) -> Solved:
    """The best plan of the model's problem."""
    return _Search(model).run()


class _Search:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.solver = model.solver()
        self.small = len(model.whole) <= MOST_WHOLE
        self.targets: dict[int, int] = {}
        self.plan = Plan.empty(model.problem, model.draws)
        self.plan.fill()
        self.last: Optimum | None = None
        self.prices: Reals | None = None
        self.slack = 0.0

    def run(self) -> Solved:
        bounds: dict[int, int] = {}
        if len(self.model.program.upper) > MANY_COLUMNS:
            # Near to what is best level after level, so that little is left to do for each.
            worth = np.array(FALLING)[np.minimum(self.model.lot_levels, len(FALLING) - 1)]
            self.solver.maximise(self.model.costs(worth), anew=True)
        for level, row in self.model.levels.items():
            # A plan serves a level best if it serves all of it and keeps what is settled above it.
            if self._is_full(level) and self._by_level(self.plan)[: len(bounds)] == list(bounds.values()):
                bounds[level] = self.targets[level] = self.plan.at_level(level)
                kept = float(bounds[level])
            elif self.small:
                bounds[level], kept = self._exact(level)
            else:
                bounds[level], kept = self._approximate(level)
            self.solver.bound_row(row, kept - TOLERANCE, INFINITE)
        if self.small and any(self.plan.missing(lot) for lot in range(len(self.plan.served))):
            self._settle_ties()
        elif self.last is not None:
            plan = rounded(self.model, self.last.values)
            if self._by_level(plan) > self._by_level(self.plan):
                self.plan = plan
        gaps = [bound - self.plan.at_level(level) for level, bound in bounds.items()]
        gap = next((gap for gap in gaps if gap > 0), 0)
        return Solved(self.plan, gap, self.small, self.solver, self.prices, self.slack)

    def _is_full(self, level: int) -> bool:
        return not any(self.plan.missing(lot) for lot in self._lots(level))

    def _exact(self, level: int) -> tuple[int, float]:
        """The most that this level can be served with what is settled above it, and what it is to keep below."""
        lots = self._lots(level)
        costs = self.model.costs(dict.fromkeys(lots, 1.0))
        real = self.solver.maximise(costs)
        bound = self._asked(lots) if real is None else self._whole(lots, real.objective)
        self._offer(real, level)
        if self.plan.at_level(level) < bound:
            searched = self.solver.maximise_whole(costs, self.model.whole)
            self._offer(searched, level)
            if searched is not None:
                bound = min(bound, self._whole(lots, searched.bound))
        self.targets[level] = self.plan.at_level(level)
        return bound, self.targets[level]

    def _approximate(self, level: int) -> tuple[int, float]:
        """A bound of what this level can be served, and what it is to keep below: over real numbers, ties with it."""
        lots = self._lots(level)
        worth = {lot: 1.0 + TIES * (1.0 - place / len(lots)) for place, lot in enumerate(lots)}
        real = self.solver.maximise(self.model.costs(worth))
        if real is None:
            return self._asked(lots), 0.0
        self.last = real
        served = sum(self.model.gang(lot) * float(real.values[self.model.lots[lot]]) for lot in lots)
        return self._whole(lots, real.objective), served

    def _lots(self, level: int) -> list[int]:
        return [at for at, lot in enumerate(self.model.problem.lots) if lot.level == level]

    def _asked(self, lots: list[int]) -> int:
        return sum(self.model.gang(lot) * self.model.problem.lots[lot].gangs for lot in lots)

    def _whole(self, lots: list[int], bound: float) -> int:
        """The largest number of accelerators, not above the bound, that gangs of these lots can add up to."""
        step = reduce(math.gcd, (self.model.gang(lot) for lot in lots))
        return min(math.floor(bound + TOLERANCE) // step * step, self._asked(lots))

    def _offer(self, optimum: Optimum | None, level: int) -> None:
        """Take the plan that the solution rounds to, if it keeps what is settled and serves this level better."""
        if optimum is not None:
            plan = rounded(self.model, optimum.values)
            if self._keeps(plan) and plan.at_level(level) > self.plan.at_level(level):
                self.plan = plan

    def _keeps(self, plan: Plan) -> bool:
        return all(plan.at_level(level) >= target for level, target in self.targets.items())

    def _settle_ties(self) -> None:
        """With what each level is served settled: the earlier a lot, the more its accelerators are worth.

        Over real numbers; where their rounding would take from a level, the plan stays as it was.
        """
        count = len(self.model.lots)
        real = self.solver.maximise(self.model.costs(2.0 - np.arange(count) / count))
        if real is None:
            return
        plan = rounded(self.model, real.values)
        if self._keeps(plan) and self._worth(plan) > self._worth(self.plan):
            self.plan = plan
        self.prices = real.prices
        self.slack = real.objective - self._worth(self.plan) / count

    def _worth(self, plan: Plan) -> int:
        """The objective of ties, times the number of lots: a whole number, so that plans compare exactly."""
        count = len(plan.served)
        return sum((2 * count - lot) * self.model.gang(lot) * gangs for lot, gangs in enumerate(plan.served) if gangs)

    def _by_level(self, plan: Plan) -> list[int]:
        return [plan.at_level(level) for level in self.model.levels]


def rounded(model: Model, values: Reals) -> Plan:
    """The plan that a solution rounds down to, filled up in the order of precedence."""
    down = np.floor(values + TOLERANCE).astype(np.int64)
    placed = np.flatnonzero(down[: len(model.pool_of)])
    plan = Plan.empty(model.problem, model.draws)
    plan.take(
        down[model.lots].tolist(),
        zip(
            model.shape_of[placed].tolist(),
            model.pool_of[placed].tolist(),
            down[placed].tolist(),
            strict=True,
        ),
    )
    plan.fill()
    return plan
