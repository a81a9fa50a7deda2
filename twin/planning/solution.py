"""The solution of a planning problem: what each lot is served, what holds back the rest, and the power that lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.shortage import Constraint
from twin.planning.binding import Bindings, Finding
from twin.planning.model import KILOWATT, PRICE_OF_POWER, Model
from twin.planning.problem import Problem
from twin.planning.program import INFINITE
from twin.planning.solving import Plan, best_plan


@dataclass(frozen=True, slots=True)
class Solution:
    """What became of a problem's lots."""

    served: tuple[int, ...]
    """Gangs, by lot."""
    findings: tuple[tuple[Finding, ...], ...]
    """What binds, by lot; nothing where all is served."""
    lacking: tuple[tuple[str, int], ...]
    """Milliwatts beyond its headroom that a site would need to serve what power alone holds back, by site."""
    proven: bool
    """Whether no plan serves more; false where a search for whole numbers was cut off."""


def solved(problem: Problem) -> Solution:
    """Solve a problem."""
    model = Model(problem)
    plan = best_plan(model)
    short = [lot.gangs > served for lot, served in zip(problem.lots, plan.served, strict=True)]
    bindings = Bindings(model, plan)
    findings = tuple(bindings.of(at) if is_short else () for at, is_short in enumerate(short))
    starved = any(one.constraint is Constraint.POWER and not one.together_with for some in findings for one in some)
    lacking = tuple(_lacking(model, plan)) if starved else ()
    return Solution(tuple(plan.served), findings, lacking, plan.proven)


def _lacking(model: Model, plan: Plan) -> Iterator[tuple[str, int]]:
    """The least power beyond headroom with which the most can be served, by site."""
    problem, solver = model.problem, model.solver()
    for column, served, lot in zip(model.lots, plan.served, problem.lots, strict=True):
        solver.bound_column(column, served, lot.gangs)
    for column in model.beyond.values():
        solver.bound_column(column, 0.0, INFINITE)
    costs = model.costs(dict.fromkeys(range(len(problem.lots)), 1.0))
    costs[list(model.beyond.values())] = -PRICE_OF_POWER
    best = solver.maximise(costs)
    if best is None:
        return
    for site, column in model.beyond.items():
        milliwatts = round(float(best.values[column]) * KILOWATT)
        if milliwatts:
            yield site, milliwatts
