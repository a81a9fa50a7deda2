"""The planning problem as a linear program: columns count gangs, rows are what they share.

Columns: the gangs of each shape on each pool; the gangs served of each lot; per site, power beyond its headroom, held
at zero unless it is asked what is lacking. Where the gang sizes on a pool do not divide in turn, also how many nodes
with so many free accelerators take a gang of each size (the one-cut model of cutting stock: Dyckhoff 1981), so that a
node split by one gang can take another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from twin.planning.packing import divides_in_turn, most_in, reachable
from twin.planning.plan import Draws, draws_of
from twin.planning.problem import Problem
from twin.planning.program import INFINITE, Places, Program, Reals, Solver

KILOWATT = 1_000_000
"""In milliwatts. Rows of power are in kilowatts: the solver likes its numbers neither large nor small."""

PRICE_OF_POWER = 1e-3
"""Of a kilowatt beyond headroom, in accelerators served: no accelerator draws so much that it would not be worth it."""


@dataclass
class Model:
    """The program of a problem, and where in it everything stands."""

    problem: Problem
    program: Program = field(default_factory=Program)
    draws: Draws = field(init=False)
    shape_of: Places = field(init=False)
    """By column of gangs placed, which come first: the place of the shape."""
    pool_of: Places = field(init=False)
    """And of the pool."""
    lots: Places = field(init=False)
    """The column of each lot."""
    lot_gangs: Reals = field(init=False)
    """The size of each lot's gangs."""
    lot_levels: Places = field(init=False)
    beyond: dict[str, int] = field(default_factory=dict)
    """By site: the column of kilowatts beyond its headroom."""
    levels: dict[int, int] = field(default_factory=dict)
    """The row of a level: accelerators that its lots are served."""
    quotas: Places = field(init=False)
    power: dict[str, int] = field(default_factory=dict)
    totals: Places = field(init=False)
    """The row of each pool's free accelerators."""
    nodes: list[dict[int, int]] = field(default_factory=list)
    """Of each pool, the rows that know of nodes: by gang size, or by level where sizes do not divide in turn."""
    split: set[int] = field(default_factory=set)
    """The pools whose nodes' levels are told apart."""
    whole: Places = field(init=False)
    """The columns that must be whole numbers."""

    def __post_init__(self) -> None:
        shapes, lots = self.problem.shapes, self.problem.lots
        self.draws = draws_of(self.problem)
        counts = [len(shape.pools) for shape in shapes]
        self.shape_of = np.repeat(np.arange(len(shapes), dtype=np.int32), counts)
        self.pool_of = np.concatenate([np.array(shape.pools, dtype=np.int32) for shape in shapes])
        self._gangs = np.repeat(np.array([shape.gang for shape in shapes], dtype=float), counts)
        self._placed = self.program.columns([INFINITE] * len(self.shape_of))
        self.lots = self.program.columns([float(lot.gangs) for lot in lots])
        self.lot_gangs = np.array([shapes[lot.shape].gang for lot in lots], dtype=float)
        self.lot_levels = np.array([lot.level for lot in lots], dtype=np.int32)
        self._demand_rows()
        cuts = list(self._pool_rows())
        self._power_rows()
        self.whole = np.concatenate([self._placed, self.lots, *cuts])

    def _demand_rows(self) -> None:
        problem, program = self.problem, self.program
        balance = program.rows([0.0] * len(problem.shapes), 0.0)
        program.enter(balance[self.shape_of], self._placed, np.ones(len(self._placed)))
        of_lot = np.array([lot.shape for lot in problem.lots], dtype=np.int32)
        program.enter(balance[of_lot], self.lots, np.full(len(self.lots), -1.0))
        self.quotas = program.rows([float(room) for room in problem.quotas])
        under = [(quota, at) for at, lot in enumerate(problem.lots) for quota in lot.quotas]
        if under:
            quotas, lots = np.array(under, dtype=np.int32).T
            program.enter(self.quotas[quotas], self.lots[lots], self.lot_gangs[lots])
        levels = sorted({lot.level for lot in problem.lots})
        rows = program.rows([INFINITE] * len(levels))
        self.levels = dict(zip(levels, rows.tolist(), strict=True))
        program.enter(rows[np.searchsorted(levels, self.lot_levels)], self.lots, self.lot_gangs)

    def _pool_rows(self) -> Iterator[Places]:
        """Room on the pools' nodes; gives the columns of how nodes are split."""
        pools, program = self.problem.pools, self.program
        self.totals = program.rows([float(pool.free) for pool in pools])
        program.enter(self.totals[self.pool_of], self._placed, self._gangs)
        order = np.argsort(self.pool_of, kind="stable")
        ends = np.searchsorted(self.pool_of[order], np.arange(len(pools) + 1))
        for pool in range(len(pools)):
            here = order[ends[pool] : ends[pool + 1]].astype(np.int32)
            sizes = sorted({int(gang) for gang in self._gangs[here].tolist()} - {1})
            if divides_in_turn(sizes):
                self._whole_nodes(pool, sizes, here)
            else:
                yield self._split_nodes(pool, sizes, here)

    def _whole_nodes(self, pool: int, sizes: Sequence[int], here: Places) -> None:
        free = self.problem.pools[pool].free_per_node
        rows = self.program.rows([float(most_in(free, size)) for size in sizes])
        for size, row in zip(sizes, rows.tolist(), strict=True):
            large = here[self._gangs[here] >= size]
            self.program.enter(np.full(len(large), row, dtype=np.int32), self._placed[large], self._gangs[large])
        self.nodes.append(dict(zip(sizes, rows.tolist(), strict=True)))

    def _split_nodes(self, pool: int, sizes: Sequence[int], here: Places) -> Places:
        of_pool, program = self.problem.pools[pool], self.program
        self.split.add(pool)
        levels = reachable(of_pool.free_per_node, sizes, (of_pool.per_node, of_pool.unknown % of_pool.per_node))
        free = dict(enumerate(of_pool.free_per_node))
        level_rows = dict(
            zip(levels, program.rows([float(free.get(level, 0)) for level in levels]).tolist(), strict=True)
        )
        size_rows = dict(zip(sizes, program.rows([0.0] * len(sizes), 0.0).tolist(), strict=True))
        for size in sizes:
            same = here[self._gangs[here] == size]
            rows = np.full(len(same), size_rows[size], dtype=np.int32)
            program.enter(rows, self._placed[same], np.ones(len(same)))
        cut = [(level, size) for level in levels for size in sizes if size <= level]
        columns = program.columns([INFINITE] * len(cut))
        entries: list[tuple[int, int, float]] = []
        for column, (level, size) in zip(columns.tolist(), cut, strict=True):
            entries += [(size_rows[size], column, -1.0), (level_rows[level], column, 1.0)]
            if level - size in level_rows:
                entries.append((level_rows[level - size], column, -1.0))
        rows_, columns_, factors = zip(*entries, strict=True) if entries else ((), (), ())
        program.enter(
            np.array(rows_, dtype=np.int32), np.array(columns_, dtype=np.int32), np.array(factors, dtype=float)
        )
        self.nodes.append(level_rows)
        return columns

    def _power_rows(self) -> None:
        problem, program = self.problem, self.program
        places = {site: at for at, (site, _) in enumerate(problem.headroom)}
        beyond = program.columns([0.0] * len(places))
        rows = program.rows([max(left, 0) / KILOWATT for _, left in problem.headroom])
        self.beyond = dict(zip(places, beyond.tolist(), strict=True))
        self.power = dict(zip(places, rows.tolist(), strict=True))
        program.enter(rows, beyond, np.full(len(places), -1.0))
        place = np.array([places.get(pool.site, -1) for pool in problem.pools], dtype=np.int32)[self.pool_of]
        draws = np.concatenate([np.array(shape.milliwatts, dtype=float) for shape in problem.shapes]) * self._gangs
        bound = place >= 0
        program.enter(rows[place[bound]], self._placed[bound], draws[bound] / KILOWATT)

    def solver(self) -> Solver:
        """What solves it."""
        return self.program.solver()

    def costs(self, worth: Mapping[int, float] | Reals) -> Reals:
        """An objective in which an accelerator of each of these lots is worth so much."""
        costs = np.zeros(len(self.program.upper))
        if isinstance(worth, np.ndarray):
            costs[self.lots] = worth * self.lot_gangs
        else:
            some = list(worth)
            costs[self.lots[some]] = np.array(list(worth.values())) * self.lot_gangs[some]
        return costs

    def gang(self, lot: int) -> int:
        """The size of a lot's gangs."""
        return self.problem.shapes[self.problem.lots[lot].shape].gang

    def room(self, pool: int, free_per_node: Sequence[int]) -> Iterator[tuple[int, float]]:
        """The upper bounds of the pool's rows, were these its nodes."""
        yield int(self.totals[pool]), sum(free * nodes for free, nodes in enumerate(free_per_node))
        for key, row in self.nodes[pool].items():
            if pool not in self.split:
                yield row, most_in(free_per_node, key)
            else:
                yield row, free_per_node[key] if key < len(free_per_node) else 0
