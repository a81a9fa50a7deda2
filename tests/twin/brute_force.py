"""All plans of a small problem, one by one: what the planner's answers are held against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product

from models.shortage import Constraint
from twin.planning.problem import Lot, Pool, Problem

Served = tuple[int, ...]
"""Gangs, by lot."""


@lru_cache(maxsize=200_000)
def fits(nodes: tuple[int, ...], gangs: tuple[int, ...]) -> bool:
    """Whether gangs of these sizes, the largest first, find room on nodes with so many free accelerators."""
    if not gangs:
        return True
    for room in sorted(set(nodes)):
        if room >= gangs[0]:
            at = nodes.index(room)
            if fits(tuple(sorted((*nodes[:at], *nodes[at + 1 :], room - gangs[0]))), gangs[1:]):
                return True
    return False


def nodes_of(pool: Pool) -> tuple[int, ...]:
    return tuple(free for free, nodes in enumerate(pool.free_per_node) for _ in range(nodes))


def _spreads(gangs: int, pools: int) -> Iterator[tuple[int, ...]]:
    """Every way to place up to so many gangs on so many pools."""
    yield from (spread for spread in product(range(gangs + 1), repeat=pools) if sum(spread) <= gangs)


def plans(problem: Problem, *, whole_nodes: bool = True) -> set[Served]:
    """What can be served together; without `whole_nodes` a gang's accelerators may be anywhere in its pool."""
    found: set[Served] = set()
    shapes = [problem.shapes[lot.shape] for lot in problem.lots]
    options = [list(_spreads(lot.gangs, len(shape.pools))) for lot, shape in zip(problem.lots, shapes, strict=True)]
    for spreads in product(*options):
        served = tuple(sum(spread) for spread in spreads)
        if served not in found and _feasible(problem, spreads, served, whole_nodes=whole_nodes):
            found.add(served)
    return found


def _feasible(problem: Problem, spreads: Sequence[tuple[int, ...]], served: Served, *, whole_nodes: bool) -> bool:
    rooms = list(problem.quotas)
    power = dict(problem.headroom)
    gangs: list[list[int]] = [[] for _ in problem.pools]
    for lot, spread, count in zip(problem.lots, spreads, served, strict=True):
        shape = problem.shapes[lot.shape]
        for quota in lot.quotas:
            rooms[quota] -= count * shape.gang
        for at, each, many in zip(shape.pools, shape.milliwatts, spread, strict=True):
            gangs[at] += [shape.gang] * many
            site = problem.pools[at].site
            if site in power and many:
                power[site] -= many * shape.gang * each
                if power[site] < 0:
                    return False
    if min(rooms, default=0) < 0:
        return False
    for pool, here in zip(problem.pools, gangs, strict=True):
        if sum(here) > pool.free:
            return False
        if whole_nodes and here and not fits(nodes_of(pool), tuple(sorted(here, reverse=True))):
            return False
    return True


def by_level(problem: Problem, served: Served) -> tuple[int, ...]:
    """Accelerators served at each level."""
    levels = sorted({lot.level for lot in problem.lots})
    return tuple(
        sum(
            problem.shapes[lot.shape].gang * gangs
            for lot, gangs in zip(problem.lots, served, strict=True)
            if lot.level == level
        )
        for level in levels
    )


def best(problem: Problem) -> tuple[int, ...]:
    """The most that can be served, level after level."""
    return max(by_level(problem, served) for served in plans(problem))


def helps(problem: Problem, served: Served, lot: int, constraints: Sequence[Constraint], site: str = "") -> bool:
    """Whether, without these constraints, lots like this one can be served more while all keep what they have."""
    looser = _without(problem, problem.lots[lot], constraints, site)
    alike = [
        at
        for at, one in enumerate(problem.lots)
        if (one.shape, one.quotas) == (problem.lots[lot].shape, problem.lots[lot].quotas)
    ]
    now = sum(served[at] for at in alike)
    return any(
        all(new >= old for new, old in zip(plan, served, strict=True)) and sum(plan[at] for at in alike) > now
        for plan in plans(looser, whole_nodes=Constraint.WHOLE_NODES not in constraints)
    )


def _without(problem: Problem, lot: Lot, constraints: Sequence[Constraint], site: str) -> Problem:
    mine = problem.shapes[lot.shape].pools
    pools = list(problem.pools)
    for at in mine:
        if Constraint.ACCELERATORS in constraints:
            pools[at] = _with_nodes(pools[at], pools[at].per_node, 4)
        if Constraint.UNKNOWN_CAPACITY in constraints and pools[at].unknown:
            whole, rest = divmod(pools[at].unknown, pools[at].per_node)
            pools[at] = _with_nodes(_with_nodes(pools[at], pools[at].per_node, whole), rest, 1)
    quotas = tuple(
        10_000 if Constraint.QUOTA in constraints and quota in lot.quotas else room
        for quota, room in enumerate(problem.quotas)
    )
    headroom = tuple(
        (name, left)
        for name, left in problem.headroom
        if Constraint.POWER not in constraints or (site and name != site)
    )
    return replace(problem, pools=tuple(pools), quotas=quotas, headroom=headroom)


def _with_nodes(pool: Pool, free: int, count: int) -> Pool:
    nodes = [*pool.free_per_node, *[0] * (free + 1 - len(pool.free_per_node))]
    nodes[free] += count
    return replace(pool, free_per_node=tuple(nodes))
