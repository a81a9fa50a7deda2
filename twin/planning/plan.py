"""A plan in whole numbers: what is placed and served, and what is left of nodes, power and quotas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from twin.planning.packing import Nodes
from twin.planning.problem import Problem

Draws = Sequence[Mapping[int, int]]
"""The milliwatts that a gang of a shape on a pool draws, by shape and pool."""


def draws_of(problem: Problem) -> Draws:
    """What gangs draw."""
    return [
        {pool: shape.gang * each for pool, each in zip(shape.pools, shape.milliwatts, strict=True)}
        for shape in problem.shapes
    ]


@dataclass
class Plan:
    """Gangs, never beyond a bound: what does not fit is not placed, and what is not placed is not served."""

    problem: Problem
    served: list[int]
    """Of each lot."""
    nodes: list[Nodes]
    """What is left of each pool."""
    power: dict[str, int]
    """Milliwatts left of each site's headroom, where that could bind."""
    quotas: list[int]
    """Accelerators left of each quota."""
    draws: Draws
    used: dict[str, int] = field(default_factory=dict)
    """Milliwatts that what is placed draws, by site."""

    @staticmethod
    def empty(problem: Problem, draws: Draws) -> Plan:
        """Nothing is placed."""
        return Plan(
            problem=problem,
            served=[0] * len(problem.lots),
            nodes=[Nodes(pool.free_per_node, pool.free) for pool in problem.pools],
            power={site: max(left, 0) for site, left in problem.headroom},
            quotas=list(problem.quotas),
            draws=draws,
        )

    def with_power(self, more: Mapping[str, int]) -> Plan:
        """A copy with so many milliwatts more at these sites; nothing may be placed at others."""
        pools = zip(self.nodes, self.problem.pools, strict=True)
        return replace(
            self,
            served=list(self.served),
            nodes=[nodes.copy() if pool.site in more else nodes for nodes, pool in pools],
            power={site: left + more.get(site, 0) for site, left in self.power.items()},
            quotas=list(self.quotas),
            used=dict(self.used),
        )

    def at_level(self, level: int) -> int:
        """Accelerators served to the lots of a level."""
        shapes = self.problem.shapes
        return sum(
            shapes[lot.shape].gang * gangs
            for lot, gangs in zip(self.problem.lots, self.served, strict=True)
            if gangs and lot.level == level
        )

    def missing(self, lot: int) -> int:
        """Gangs that are not served."""
        return self.problem.lots[lot].gangs - self.served[lot]

    def take(self, wanted: Sequence[int], placed: Iterable[tuple[int, int, int]]) -> None:
        """Serve lots so many gangs each, as far as these can be placed: gangs of a shape on a pool.

        The largest gangs are placed first. Where a pool has no room for its part, another may.
        """
        problem = self.problem
        due = [0] * len(problem.shapes)
        for lot, gangs in enumerate(wanted):
            if gangs:
                due[problem.lots[lot].shape] += self._serve(lot, gangs)
        for shape, pool, gangs in sorted(placed, key=lambda one: (-problem.shapes[one[0]].gang, one)):
            due[shape] -= self._place(shape, pool, min(gangs, due[shape]))
        for shape, left in sorted(enumerate(due), key=lambda one: -problem.shapes[one[0]].gang):
            for pool in problem.shapes[shape].pools if left else ():
                due[shape] -= self._place(shape, pool, due[shape])
        for lot in reversed(range(len(problem.lots))):
            shape = problem.lots[lot].shape
            if due[shape]:
                due[shape] += self._serve(lot, -min(due[shape], self.served[lot]))

    def fill(self, lots: Iterable[tuple[int, Sequence[int]]] | None = None) -> int:
        """Serve lots what still fits, in the order of precedence: all on all of their pools, or these on these.

        Gives the accelerators that came to be served.
        """
        problem, more = self.problem, 0
        if lots is None:
            lots = ((at, problem.shapes[lot.shape].pools) for at, lot in enumerate(problem.lots))
        for at, pools in lots:
            lot = problem.lots[at]
            wanted = lot.gangs - self.served[at]
            gang = problem.shapes[lot.shape].gang
            if wanted and lot.quotas:
                wanted = min(wanted, *(self.quotas[quota] // gang for quota in lot.quotas))
            if wanted <= 0:
                continue
            for pool in pools:
                if self.nodes[pool].largest >= gang:
                    served = self._serve(at, self._place(lot.shape, pool, wanted))
                    more += served * gang
                    wanted -= served
                    if not wanted:
                        break
        return more

    def _place(self, shape: int, pool: int, wanted: int) -> int:
        """Place up to so many gangs of a shape on a pool, within power; tell how many."""
        nodes, gang = self.nodes[pool], self.problem.shapes[shape].gang
        if wanted <= 0:
            return 0
        site, each = self.problem.pools[pool].site, self.draws[shape][pool]
        if each and site in self.power:
            wanted = min(wanted, self.power[site] // each)
            if not wanted:
                return 0
        taken = nodes.place(gang, wanted)
        if taken:
            self.used[site] = self.used.get(site, 0) + taken * each
            if site in self.power:
                self.power[site] -= taken * each
        return taken

    def _serve(self, lot: int, wanted: int) -> int:
        """Serve a lot up to so many gangs more, within its quotas, or so many less; tell how many more."""
        of_lot = self.problem.lots[lot]
        if wanted and of_lot.quotas:
            gang = self.problem.shapes[of_lot.shape].gang
            wanted = min(wanted, *(self.quotas[quota] // gang for quota in of_lot.quotas))
            for quota in of_lot.quotas:
                self.quotas[quota] -= wanted * gang
        self.served[lot] += wanted
        return wanted
