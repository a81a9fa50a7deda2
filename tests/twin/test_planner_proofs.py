"""The planner against all plans of small problems: feasible, best in the stated order, and right about what binds."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.shortage import Constraint
from tests.twin import brute_force
from twin.planning.problem import Lot, Pool, Problem, Shape, parts
from twin.planning.solution import Solution, solved

SITES = ("a", "b")


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Up to three pools at two sites, up to three lots in two levels, with power and quotas that may bind."""
    pools = []
    for at in range(draw(st.integers(1, 3))):
        per_node = draw(st.integers(1, 4))
        pools.append(
            Pool(
                site=draw(st.sampled_from(SITES)),
                type=f"t{at}",
                free_per_node=tuple(draw(st.lists(st.integers(0, 2), min_size=1, max_size=per_node + 1))),
                unknown=draw(st.sampled_from([0, 0, 0, 1, 2, 5])),
                per_node=per_node,
            )
        )
    shapes = []
    for gang in draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)):
        places = tuple(sorted(draw(st.sets(st.integers(0, len(pools) - 1), min_size=1))))
        shapes.append(Shape(gang, places, tuple(draw(st.integers(1, 5)) * 100_000 for _ in places)))
    quotas = tuple(draw(st.lists(st.integers(0, 6), max_size=2)))
    lots = [
        Lot(
            shape=draw(st.integers(0, len(shapes) - 1)),
            level=draw(st.integers(0, 1)),
            gangs=draw(st.integers(1, 3)),
            quotas=tuple(sorted(draw(st.sets(st.sampled_from(range(len(quotas))))))) if quotas else (),
        )
        for _ in range(draw(st.integers(1, 3)))
    ]
    lots.sort(key=lambda lot: lot.level)
    headroom = tuple(
        (site, draw(st.integers(-2, 30)) * 100_000) for site in sorted(draw(st.sets(st.sampled_from(SITES))))
    )
    return Problem(tuple(pools), headroom, tuple(shapes), tuple(lots), quotas)


def answers(problem: Problem) -> list[tuple[Problem, Solution]]:
    return [(part, solved(part)) for _, part in parts(problem)]


@given(problems())
@settings(max_examples=150, deadline=None)
def test_what_is_served_can_be_served_together_and_is_the_most_level_after_level(problem: Problem) -> None:
    for part, solution in answers(problem):
        assert solution.served in brute_force.plans(part)
        assert brute_force.by_level(part, solution.served) == brute_force.best(part)
        assert solution.gap == 0


@given(problems())
@settings(max_examples=100, deadline=None)
def test_the_parts_of_a_problem_are_served_as_the_whole_is(problem: Problem) -> None:
    served = [0] * len(problem.lots)
    for lots, part in parts(problem):
        for lot, gangs in zip(lots, solved(part).served, strict=True):
            served[lot] = gangs

    assert tuple(served) in brute_force.plans(problem)
    assert brute_force.by_level(problem, tuple(served)) == brute_force.best(problem)


@given(problems())
@settings(max_examples=150, deadline=None)
def test_a_constraint_is_named_if_and_only_if_more_is_served_without_it(problem: Problem) -> None:
    for part, solution in answers(problem):
        for lot, findings in enumerate(solution.findings):
            short = solution.served[lot] < part.lots[lot].gangs
            assert bool(findings) == short
            if short:
                alone = {one.constraint for one in findings if not one.together_with}
                named = {one.constraint: one.sites for one in findings}
                for constraint in set(Constraint) - {Constraint.POWER, Constraint.VISIBILITY, Constraint.SCHEDULER}:
                    helps = brute_force.helps(part, solution.served, lot, [constraint])
                    assert helps == (constraint in alone), constraint
                for site, _ in part.headroom:
                    helps = brute_force.helps(part, solution.served, lot, [Constraint.POWER], site)
                    assert helps == (Constraint.POWER in alone and site in named[Constraint.POWER]), site


@given(problems())
@settings(max_examples=150, deadline=None)
def test_what_binds_together_helps_together(problem: Problem) -> None:
    joint = [
        (part, solution, lot, one)
        for part, solution in answers(problem)
        for lot, findings in enumerate(solution.findings)
        for one in findings
        if one.together_with
    ]
    assume(joint)

    for part, solution, lot, one in joint:
        assert brute_force.helps(part, solution.served, lot, [one.constraint, *one.together_with])


def test_equal_problems_have_equal_solutions() -> None:
    problem = Problem(
        (Pool("a", "t", (0, 1, 2, 1), 0, 4), Pool("b", "t", (0, 3), 2, 4)),
        (("a", 900_000),),
        (Shape(2, (0, 1), (100_000, 200_000)), Shape(1, (0, 1), (100_000, 200_000))),
        (Lot(0, 0, 3, ()), Lot(1, 1, 9, ())),
        (),
    )

    assert solved(problem) == solved(problem)


@pytest.mark.parametrize(
    ("free_per_node", "gangs", "served"),
    [
        pytest.param((0, 8), (8, 1), 0, id="eight-nodes-with-one-free-have-no-room-for-a-gang-of-eight"),
        pytest.param((0, 0, 0, 0, 0, 0, 0, 0, 1), (8, 1), 1, id="a-free-node-has"),
        pytest.param((0, 0, 0, 0, 0, 0, 0, 0, 2), (5, 4), 2, id="what-a-gang-leaves-of-a-node-has-no-room-for-another"),
        pytest.param((0, 0, 0, 0, 0, 0, 0, 0, 2), (4, 4), 4, id="or-has"),
    ],
)
def test_gangs_need_nodes(free_per_node: tuple[int, ...], gangs: tuple[int, int], served: int) -> None:
    gang, count = gangs
    problem = Problem(
        (Pool("a", "t", free_per_node, 0, 8),), (), (Shape(gang, (0,), (1,)),), (Lot(0, 0, count, ()),), ()
    )

    assert solved(problem).served == (served,)
