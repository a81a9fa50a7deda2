"""The planning problem as a linear program: columns count gangs, rows are what they share.

Columns: the gangs of each shape on each pool; the gangs served of each lot; per site, power beyond its headroom, held
at zero unless it is asked what is lacking. Where the gang sizes on a pool do not divide in turn, also how many nodes
with so many free accelerators take a gang of each size (the one-cut model of cutting stock: Dyckhoff 1981), so that a
node split by one gang can take another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.planning.packing import divides_in_turn, most_in, reachable
from twin.planning.problem import Problem
from twin.planning.program import INFINITE, Program, Reals, Solver

KILOWATT = 1_000_000
"""In milliwatts. Rows of power are in kilowatts: the solver likes its numbers neither large nor small."""

PRICE_OF_POWER = 1e-3
"""Of a kilowatt beyond headroom, in accelerators served: no accelerator draws so much that it would not be worth it."""


@dataclass
class Model:
    """The program of a problem, and where in it everything stands."""

    problem: Problem
    program: Program = field(default_factory=Program)
    placed: dict[tuple[int, int], int] = field(default_factory=dict)
    """The column of a shape on a pool."""
    lots: list[int] = field(default_factory=list)
    beyond: dict[str, int] = field(default_factory=dict)
    """By site: kilowatts beyond its headroom."""
    levels: dict[int, int] = field(default_factory=dict)
    """The row of a level: accelerators that its lots are served."""
    quotas: list[int] = field(default_factory=list)
    power: dict[str, int] = field(default_factory=dict)
    totals: dict[int, int] = field(default_factory=dict)
    """The row of a pool's free accelerators."""
    nodes: dict[int, dict[int, int]] = field(default_factory=dict)
    """Of a pool, the rows that know of nodes: by gang size, or by level where sizes do not divide in turn."""
    split: set[int] = field(default_factory=set)
    """The pools whose nodes' levels are told apart."""
    whole: list[int] = field(default_factory=list)
    """The columns that must be whole numbers."""

    def __post_init__(self) -> None:
        self._columns()
        self._demand_rows()
        for pool in range(len(self.problem.pools)):
            self._pool_rows(pool)
        self._power_rows()
        self.whole = [*self.placed.values(), *self.lots, *self.whole]

    def _columns(self) -> None:
        for at, shape in enumerate(self.problem.shapes):
            for pool in shape.pools:
                self.placed[at, pool] = self.program.column()
        self.lots = [self.program.column(lot.gangs) for lot in self.problem.lots]
        self.beyond = {site: self.program.column(0.0) for site, _ in self.problem.headroom}

    def _demand_rows(self) -> None:
        problem = self.problem
        of_shape: list[list[tuple[int, float]]] = [[] for _ in problem.shapes]
        of_quota: list[list[tuple[int, float]]] = [[] for _ in problem.quotas]
        of_level: dict[int, list[tuple[int, float]]] = {}
        for column, lot in zip(self.lots, problem.lots, strict=True):
            gang = problem.shapes[lot.shape].gang
            of_shape[lot.shape].append((column, -1.0))
            of_level.setdefault(lot.level, []).append((column, gang))
            for quota in lot.quotas:
                of_quota[quota].append((column, gang))
        for (shape, _), column in self.placed.items():
            of_shape[shape].append((column, 1.0))
        for terms in of_shape:
            self.program.row(terms, 0.0, 0.0)
        self.quotas = [self.program.row(terms, room) for terms, room in zip(of_quota, problem.quotas, strict=True)]
        self.levels = {level: self.program.row(terms, INFINITE) for level, terms in sorted(of_level.items())}

    def _pool_rows(self, pool: int) -> None:
        here = [
            (shape.gang, self.placed[at, pool])
            for at, shape in enumerate(self.problem.shapes)
            if (at, pool) in self.placed
        ]
        of_pool = self.problem.pools[pool]
        self.totals[pool] = self.program.row([(column, gang) for gang, column in here], of_pool.free)
        sizes = sorted({gang for gang, _ in here} - {1})
        if divides_in_turn(sizes):
            self.nodes[pool] = {
                size: self.program.row(
                    [(column, gang) for gang, column in here if gang >= size], most_in(of_pool.free_per_node, size)
                )
                for size in sizes
            }
        else:
            self._split_nodes(pool, sizes, here)

    def _split_nodes(self, pool: int, sizes: list[int], here: list[tuple[int, int]]) -> None:
        of_pool = self.problem.pools[pool]
        self.split.add(pool)
        levels = reachable(of_pool.free_per_node, sizes, (of_pool.per_node, of_pool.unknown % of_pool.per_node))
        cut = {(level, size): self.program.column() for level in levels for size in sizes if size <= level}
        self.whole += cut.values()
        for size in sizes:
            terms = [(column, 1.0) for gang, column in here if gang == size]
            self.program.row([*terms, *((cut[at], -1.0) for at in cut if at[1] == size)], 0.0, 0.0)
        self.nodes[pool] = {}
        for level in levels:
            taken = [(cut[at], 1.0) for at in cut if at[0] == level]
            made = [(cut[at], -1.0) for at in cut if at[0] - at[1] == level]
            nodes = of_pool.free_per_node[level] if level < len(of_pool.free_per_node) else 0
            self.nodes[pool][level] = self.program.row([*taken, *made], nodes)

    def _power_rows(self) -> None:
        problem = self.problem
        for site, left in problem.headroom:
            terms = [
                (self.placed[at, pool], shape.gang * each / KILOWATT)
                for at, shape in enumerate(problem.shapes)
                for pool, each in zip(shape.pools, shape.milliwatts, strict=True)
                if problem.pools[pool].site == site
            ]
            self.power[site] = self.program.row([*terms, (self.beyond[site], -1.0)], max(left, 0) / KILOWATT)

    def solver(self) -> Solver:
        """What solves it."""
        return self.program.solver()

    def costs(self, worth: Mapping[int, float]) -> Reals:
        """An objective in which an accelerator of each of these lots is worth so much."""
        costs = np.zeros(len(self.program.upper))
        for lot, each in worth.items():
            costs[self.lots[lot]] = each * self.gang(lot)
        return costs

    def gang(self, lot: int) -> int:
        """The size of a lot's gangs."""
        return self.problem.shapes[self.problem.lots[lot].shape].gang

    def whole_columns(self) -> NDArray[np.int32]:
        """The columns that must be whole numbers."""
        return np.array(self.whole, dtype=np.int32)

    def room(self, pool: int, free_per_node: tuple[int, ...]) -> Iterator[tuple[int, float]]:
        """The upper bounds of the pool's rows, were these its nodes."""
        yield self.totals[pool], sum(free * nodes for free, nodes in enumerate(free_per_node))
        for key, row in self.nodes[pool].items():
            if pool not in self.split:
                yield row, most_in(free_per_node, key)
            else:
                yield row, free_per_node[key] if key < len(free_per_node) else 0
