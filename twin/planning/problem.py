"""The planning problem: gangs to be placed on the free accelerators of pools, within power and quotas.

Everything is in canonical order and compares by value: equal problems have equal solutions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Pool:
    """The accelerators of one type at a site that are there for work."""

    site: str
    type: str
    free_per_node: tuple[int, ...]
    """How many nodes have exactly 0, 1, 2, ... free accelerators."""
    unknown: int
    """Accelerators that may be free: on nodes that are lost, away, never seen, or do not say."""
    per_node: int
    """Of a usual node: what one more node brings."""

    @property
    def free(self) -> int:
        """Accelerators."""
        return sum(free * nodes for free, nodes in enumerate(self.free_per_node))


@dataclass(frozen=True, slots=True)
class Shape:
    """What equal demands ask for: gangs of so many accelerators, each on one node of one of these pools."""

    gang: int
    pools: tuple[int, ...]
    """Places in `Problem.pools`, rising."""
    milliwatts: tuple[int, ...]
    """What one accelerator at work adds to the site's draw, pool by pool."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Gangs of one shape and priority under the same quotas."""

    shape: int
    level: int
    """0 is served first."""
    gangs: int
    quotas: tuple[int, ...]
    """Places in `Problem.quotas`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What to serve, from what, within which bounds."""

    pools: tuple[Pool, ...]
    headroom: tuple[tuple[str, int], ...]
    """Milliwatts left at each site whose power could bind, by name."""
    shapes: tuple[Shape, ...]
    lots: tuple[Lot, ...]
    """In the order of precedence."""
    quotas: tuple[int, ...]
    """Accelerators that each quota that could bind leaves."""


def parts(problem: Problem) -> Iterator[tuple[tuple[int, ...], Problem]]:
    """The problem in parts that share no pool, power or quota, each with the places of its lots in the whole.

    Power and quotas that cannot bind are left out, so that they tie nothing together. Lots without a pool are in no
    part: nothing can serve them.
    """
    problem = _without_slack(problem)
    groups = _Groups(len(problem.pools))
    for shape in problem.shapes:
        groups.join(shape.pools)
    for site, _ in problem.headroom:
        groups.join(place for place, pool in enumerate(problem.pools) if pool.site == site)
    homes = [problem.shapes[lot.shape].pools[0] if problem.shapes[lot.shape].pools else -1 for lot in problem.lots]
    for quota in range(len(problem.quotas)):
        groups.join(home for home, lot in zip(homes, problem.lots, strict=True) if home >= 0 and quota in lot.quotas)
    members: dict[int, list[int]] = {}
    for place, home in enumerate(homes):
        if home >= 0:
            members.setdefault(groups.of(home), []).append(place)
    for lots in members.values():
        yield tuple(lots), _part(problem, lots)


def _part(problem: Problem, lots: Sequence[int]) -> Problem:
    shapes = sorted({problem.lots[lot].shape for lot in lots})
    pools = sorted({pool for shape in shapes for pool in problem.shapes[shape].pools})
    quotas = sorted({quota for lot in lots for quota in problem.lots[lot].quotas})
    levels = sorted({problem.lots[lot].level for lot in lots})
    sites = {problem.pools[pool].site for pool in pools}
    pool_at, shape_at = {pool: at for at, pool in enumerate(pools)}, {shape: at for at, shape in enumerate(shapes)}
    quota_at, level_at = {quota: at for at, quota in enumerate(quotas)}, {level: at for at, level in enumerate(levels)}
    return Problem(
        pools=tuple(problem.pools[pool] for pool in pools),
        headroom=tuple((site, left) for site, left in problem.headroom if site in sites),
        shapes=tuple(
            Shape(shape.gang, tuple(pool_at[pool] for pool in shape.pools), shape.milliwatts)
            for shape in (problem.shapes[at] for at in shapes)
        ),
        lots=tuple(
            Lot(shape_at[lot.shape], level_at[lot.level], lot.gangs, tuple(quota_at[quota] for quota in lot.quotas))
            for lot in (problem.lots[at] for at in lots)
        ),
        quotas=tuple(problem.quotas[quota] for quota in quotas),
    )


def _without_slack(problem: Problem) -> Problem:
    """Leave out the power and the quotas that would suffice for all that could come."""
    asked = [0] * len(problem.quotas)
    gangs = [0] * len(problem.shapes)
    for lot in problem.lots:
        gangs[lot.shape] += lot.gangs
        for quota in lot.quotas:
            asked[quota] += problem.shapes[lot.shape].gang * lot.gangs
    waiting, dearest, largest = ([0] * len(problem.pools) for _ in range(3))
    for shape, count in zip(problem.shapes, gangs, strict=True):
        for pool, each in zip(shape.pools, shape.milliwatts, strict=True):
            waiting[pool] += shape.gang * count
            dearest[pool] = max(dearest[pool], each)
            largest[pool] = max(largest[pool], shape.gang)
    most: dict[str, int] = {}
    for place, here in enumerate(problem.pools):
        # What is unknown counts, and one gang more: were it there, power would have to suffice for it too.
        usable = min(waiting[place], here.free + here.unknown + largest[place])
        most[here.site] = most.get(here.site, 0) + usable * dearest[place]
    kept = [quota for quota, room in enumerate(problem.quotas) if asked[quota] > room]
    at = {quota: place for place, quota in enumerate(kept)}
    return replace(
        problem,
        headroom=tuple((site, left) for site, left in problem.headroom if most.get(site, 0) > left),
        lots=tuple(
            replace(lot, quotas=tuple(at[quota] for quota in lot.quotas if quota in at)) if lot.quotas else lot
            for lot in problem.lots
        ),
        quotas=tuple(problem.quotas[quota] for quota in kept),
    )


class _Groups:
    """Which of `count` things belong together; each group is called by its lowest."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def of(self, one: int) -> int:
        while self._above[one] != one:
            self._above[one] = self._above[self._above[one]]
            one = self._above[one]
        return one

    def join(self, some: Iterable[int]) -> None:
        roots = [self.of(one) for one in some]
        for root in roots:
            low, high = sorted((self.of(roots[0]), self.of(root)))
            self._above[high] = low
