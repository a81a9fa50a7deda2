"""The solution of a planning problem: what each lot is served, what holds back the rest, and the power that lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.shortage import Constraint
from twin.planning.binding import Bindings, Finding
from twin.planning.model import KILOWATT, PRICE_OF_POWER, Model
from twin.planning.problem import Problem
from twin.planning.program import INFINITE
from twin.planning.solving import Solved, best_plan

UNBOUNDED = 10**18
"""Milliwatts: more than there is."""


@dataclass(frozen=True, slots=True)
class Solution:
    """What became of a problem's lots."""

    served: tuple[int, ...]
    """Gangs, by lot."""
    findings: tuple[tuple[Finding, ...], ...]
    """What binds, by lot; nothing where all is served."""
    lacking: tuple[tuple[str, int], ...]
    """Milliwatts beyond its headroom that a site would need to serve what power alone holds back, by site."""
    gap: int
    """Accelerators by which it may fall short of the best; 0 if it is proven to be the best."""


def solved(problem: Problem) -> Solution:
    """Solve a problem."""
    model = Model(problem)
    best = best_plan(model)
    bindings = Bindings(model, best)
    findings = tuple(bindings.of(lot) if best.plan.missing(lot) else () for lot in range(len(problem.lots)))
    starved = any(one.constraint is Constraint.POWER and not one.together_with for some in findings for one in some)
    lacking = tuple(_lacking(model, best)) if starved else ()
    return Solution(tuple(best.plan.served), findings, lacking, best.gap)


def _lacking(model: Model, best: Solved) -> Iterator[tuple[str, int]]:
    """The power beyond headroom with which the most can be served, by site.

    It is the least such power where the program is small; in a large one lots are given it in the order of precedence.
    """
    if best.small:
        yield from _least_power(model, best)
        return
    plan = best.plan.with_power({pool.site: UNBOUNDED for pool in model.problem.pools})
    plan.fill()
    for site, left in best.plan.power.items():
        beyond = plan.used.get(site, 0) - best.plan.used.get(site, 0) - left
        if beyond > 0:
            yield site, beyond


def _least_power(model: Model, best: Solved) -> Iterator[tuple[str, int]]:
    solver = best.solver
    for row in model.levels.values():
        solver.bound_row(row, -INFINITE, INFINITE)
    for column, served, lot in zip(model.lots.tolist(), best.plan.served, model.problem.lots, strict=True):
        solver.bound_column(column, served, lot.gangs)
    for column in model.beyond.values():
        solver.bound_column(column, 0.0, INFINITE)
    costs = model.costs(np.ones(len(model.lots)))
    costs[list(model.beyond.values())] = -PRICE_OF_POWER
    most = solver.maximise(costs)
    if most is None:
        return
    for site, column in model.beyond.items():
        milliwatts = round(float(most.values[column]) * KILOWATT)
        if milliwatts:
            yield site, milliwatts
