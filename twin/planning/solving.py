"""The best plan: level after level the most accelerators served, then, among equals, those that come first.

Each level is first solved over real numbers. Where that is not whole, it is rounded down and filled up in the order of
precedence; if that reaches the bound which the real solution proves, it is the best. If not, HiGHS searches whole
numbers, in programs small enough for it; in larger ones the filled plan stands, and `Plan.proven` says that it may fall
short of the bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce

import numpy as np

from twin.planning.model import Model
from twin.planning.packing import Nodes
from twin.planning.problem import Problem
from twin.planning.program import INFINITE, Optimum, Reals, Solver

TOLERANCE = 1e-6
MOST_WHOLE = 1500
"""Whole-number columns of a program up to which they are searched."""


@dataclass
class Plan:
    """Gangs, all whole: of each shape on each pool, and served of each lot."""

    placed: dict[tuple[int, int], int]
    served: list[int]
    nodes: list[Nodes]
    """What is left of each pool."""
    power: dict[str, int]
    """Milliwatts left of each site's headroom, where that could bind."""
    quotas: list[int]
    """Accelerators left of each quota."""
    proven: bool = True

    def at_level(self, problem: Problem, level: int) -> int:
        """Accelerators served."""
        return sum(
            gangs * problem.shapes[lot.shape].gang
            for lot, gangs in zip(problem.lots, self.served, strict=True)
            if lot.level == level
        )


def best_plan(model: Model) -> Plan:
    """The best plan of the model's problem."""
    return _Search(model).run()


class _Search:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.problem = model.problem
        self.solver: Solver = model.solver()
        self.targets: dict[int, int] = {}
        self.plan = filled(model, None)
        self.proven = True

    def run(self) -> Plan:
        for level in self.model.levels:
            self.targets[level] = self._level(level)
            self.solver.bound_row(self.model.levels[level], self.targets[level] - TOLERANCE, INFINITE)
        self._settle_ties()
        self.plan.proven = self.proven
        return self.plan

    def _level(self, level: int) -> int:
        """The most that this level can be served, with what is settled above it."""
        lots = [at for at, lot in enumerate(self.problem.lots) if lot.level == level]
        asked = sum(self.model.gang(lot) * self.problem.lots[lot].gangs for lot in lots)
        if self.plan.at_level(self.problem, level) == asked:
            return asked
        costs = self.model.costs(dict.fromkeys(lots, 1.0))
        real = self.solver.maximise(costs)
        bound = asked if real is None else min(self._whole(lots, real.objective), asked)
        self._offer(real, level)
        found = self.plan.at_level(self.problem, level)
        if found < bound and len(self.model.whole) <= MOST_WHOLE:
            searched = self.solver.maximise_whole(costs, self.model.whole_columns())
            self._offer(searched, level)
            found = self.plan.at_level(self.problem, level)
            if searched is not None:
                bound = min(bound, self._whole(lots, searched.bound))
        self.proven &= found >= bound
        return found

    def _whole(self, lots: list[int], bound: float) -> int:
        """The largest number of accelerators, not above the bound, that gangs of these lots can add up to."""
        step = reduce(math.gcd, (self.model.gang(lot) for lot in lots))
        return math.floor(bound + TOLERANCE) // step * step

    def _offer(self, optimum: Optimum | None, level: int) -> None:
        """Take the plan that the solution rounds to, if it keeps what is settled and serves this level better."""
        if optimum is not None:
            plan = filled(self.model, optimum.values)
            if self._keeps(plan) and plan.at_level(self.problem, level) > self.plan.at_level(self.problem, level):
                self.plan = plan

    def _keeps(self, plan: Plan) -> bool:
        return all(plan.at_level(self.problem, level) >= target for level, target in self.targets.items())

    def _settle_ties(self) -> None:
        """With what each level is served settled: the earlier a lot, the more its accelerators are worth."""
        count = len(self.problem.lots)
        if all(served == lot.gangs for served, lot in zip(self.plan.served, self.problem.lots, strict=True)):
            return
        worth = {lot: 2.0 - lot / count for lot in range(count)}
        costs = self.model.costs(worth)
        found = [self.solver.maximise(costs)]
        if len(self.model.whole) <= MOST_WHOLE and found[0] is not None and not self._is_whole(found[0].values):
            found.append(self.solver.maximise_whole(costs, self.model.whole_columns()))
        for optimum in found:
            if optimum is not None:
                plan = filled(self.model, optimum.values)
                if self._keeps(plan) and self._worth(plan, worth) > self._worth(self.plan, worth):
                    self.plan = plan

    def _is_whole(self, values: Reals) -> bool:
        some = values[self.model.whole]
        return bool((np.abs(some - np.round(some)) < TOLERANCE).all())

    def _worth(self, plan: Plan, worth: dict[int, float]) -> float:
        return sum(worth[lot] * self.model.gang(lot) * gangs for lot, gangs in enumerate(plan.served))


def filled(model: Model, values: Reals | None) -> Plan:
    """The plan that a solution rounds down to, filled up in the order of precedence; exactly within every bound.

    Without a solution it is filled from nothing.
    """
    problem = model.problem
    plan = Plan(
        placed=dict.fromkeys(model.placed, 0),
        served=[0] * len(problem.lots),
        nodes=[Nodes(pool.free_per_node) for pool in problem.pools],
        power={site: max(left, 0) for site, left in problem.headroom},
        quotas=list(problem.quotas),
    )
    if values is not None:
        _round_down(model, plan, values)
    for lot in range(len(problem.lots)):
        _fill(problem, plan, lot, problem.lots[lot].gangs - plan.served[lot])
    return plan


def _round_down(model: Model, plan: Plan, values: Reals) -> None:
    problem = model.problem
    due = [0] * len(problem.shapes)
    for lot, column in enumerate(model.lots):
        due[problem.lots[lot].shape] += _serve(problem, plan, lot, int(values[column] + TOLERANCE))
    large_first = sorted(model.placed, key=lambda at: (-problem.shapes[at[0]].gang, at))
    for shape, pool in large_first:
        due[shape] -= _place(
            problem, plan, shape, pool, min(int(values[model.placed[shape, pool]] + TOLERANCE), due[shape])
        )
    for shape, pool in large_first:
        due[shape] -= _place(problem, plan, shape, pool, due[shape])
    for lot in reversed(range(len(problem.lots))):
        shape = problem.lots[lot].shape
        due[shape] += _serve(problem, plan, lot, -min(due[shape], plan.served[lot]))


def _place(problem: Problem, plan: Plan, shape: int, pool: int, wanted: int) -> int:
    """Place up to so many gangs of a shape on a pool, within power; tell how many."""
    if not wanted:
        return 0
    of_shape, of_pool = problem.shapes[shape], problem.pools[pool]
    each = of_shape.gang * of_shape.milliwatts[of_shape.pools.index(pool)]
    if of_pool.site in plan.power and each:
        wanted = min(wanted, plan.power[of_pool.site] // each)
    taken = plan.nodes[pool].place(of_shape.gang, wanted)
    if of_pool.site in plan.power:
        plan.power[of_pool.site] -= taken * each
    plan.placed[shape, pool] += taken
    return taken


def _serve(problem: Problem, plan: Plan, lot: int, wanted: int) -> int:
    """Serve a lot up to so many gangs more, within its quotas, or so many less; tell how many more."""
    of_lot = problem.lots[lot]
    gang = problem.shapes[of_lot.shape].gang
    gangs = min([wanted, *(plan.quotas[quota] // gang for quota in of_lot.quotas)])
    for quota in of_lot.quotas:
        plan.quotas[quota] -= gangs * gang
    plan.served[lot] += gangs
    return gangs


def _fill(problem: Problem, plan: Plan, lot: int, wanted: int) -> None:
    of_lot = problem.lots[lot]
    shape = problem.shapes[of_lot.shape]
    wanted = min([wanted, *(plan.quotas[quota] // shape.gang for quota in of_lot.quotas)])
    for pool in shape.pools:
        wanted -= _serve(problem, plan, lot, _place(problem, plan, of_lot.shape, pool, wanted))
