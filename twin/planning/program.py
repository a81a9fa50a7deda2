"""A linear program with whole-number columns, solved with HiGHS.

One thread, no clock: limits are numbers of iterations and of nodes of the search tree, so the same program has the
same result whenever and wherever it is solved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np
from numpy.typing import NDArray

INFINITE = highspy.kHighsInf
MOST_NODES = 500
"""Of the search tree; what has been found by then is taken, with the bound that was proven."""
MOST_ITERATIONS = 1_000_000
"""Of the simplex method."""

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Optimum:
    """A solution; whole numbers are as whole as the tolerance of the solver."""

    values: Reals
    """By column."""
    objective: float
    bound: float
    """No solution is better; equal to `objective` but where the search was cut off."""


@dataclass
class Program:
    """Rows and columns, gathered before `solver` is called. Every value is to be maximised over."""

    upper: list[float] = field(default_factory=list)
    """Of each column; all are from 0."""
    row_upper: list[float] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    _rows: list[int] = field(default_factory=list)
    _columns: list[int] = field(default_factory=list)
    _values: list[float] = field(default_factory=list)

    def column(self, upper: float = INFINITE) -> int:
        """One more column, between 0 and `upper`."""
        self.upper.append(upper)
        return len(self.upper) - 1

    def row(self, terms: Iterable[tuple[int, float]], upper: float, lower: float = -INFINITE) -> int:
        """One more row: the sum of column times factor, between `lower` and `upper`."""
        row = len(self.row_upper)
        for column, factor in terms:
            self._rows.append(row)
            self._columns.append(column)
            self._values.append(factor)
        self.row_upper.append(upper)
        self.row_lower.append(lower)
        return row

    def solver(self) -> Solver:
        """What solves it."""
        columns = np.array(self._columns, dtype=np.int32)
        order = np.argsort(columns, kind="stable")
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = len(self.upper), len(self.row_upper)
        program.sense_ = highspy.ObjSense.kMaximize
        program.col_cost_ = np.zeros(len(self.upper))
        program.col_lower_ = np.zeros(len(self.upper))
        program.col_upper_ = np.array(self.upper)
        program.row_lower_ = np.array(self.row_lower)
        program.row_upper_ = np.array(self.row_upper)
        program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        program.a_matrix_.start_ = np.searchsorted(columns[order], np.arange(len(self.upper) + 1)).astype(np.int32)
        program.a_matrix_.index_ = np.array(self._rows, dtype=np.int32)[order]
        program.a_matrix_.value_ = np.array(self._values)[order]
        return Solver(program)


class Solver:
    """A program in HiGHS; each solution begins where the one before ended."""

    def __init__(self, program: highspy.HighsLp) -> None:
        self.columns = program.num_col_
        self._all = np.arange(self.columns, dtype=np.int32)
        self._program = program
        self._highs = _highs()
        self._highs.passModel(program)

    def bound_row(self, row: int, lower: float, upper: float) -> None:
        """Change the bounds of a row."""
        self._highs.changeRowBounds(row, lower, upper)

    def bound_column(self, column: int, lower: float, upper: float) -> None:
        """Change the bounds of a column."""
        self._highs.changeColBounds(column, lower, upper)

    def maximise(self, costs: Reals) -> Optimum | None:
        """The best of all real solutions; none where there is no solution, or none was found within the limits."""
        self._highs.changeColsCost(self.columns, self._all, costs)
        self._highs.run()
        return _optimum(self._highs)

    def maximise_whole(self, costs: Reals, whole: NDArray[np.int32]) -> Optimum | None:
        """The best solution with whole numbers in these columns, as far as the limits let it be found."""
        search = _highs()
        self._highs.changeColsCost(self.columns, self._all, costs)
        search.passModel(self._highs.getLp())
        kinds = np.full(len(whole), int(highspy.HighsVarType.kInteger), dtype=np.uint8)
        search.changeColsIntegrality(len(whole), whole, kinds)
        search.run()
        return _optimum(search)


def _highs() -> highspy.Highs:
    highs = highspy.Highs()  # type: ignore[no-untyped-call]  # its constructor has no types
    for option, value in _OPTIONS.items():
        highs.setOptionValue(option, value)
    return highs


_OPTIONS: Mapping[str, bool | int | float | str] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    "random_seed": 0,
    "presolve": "off",
    "solver": "simplex",
    "simplex_iteration_limit": MOST_ITERATIONS,
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "mip_feasibility_tolerance": 1e-9,
    "mip_max_nodes": MOST_NODES,
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 0.5,
}


def _optimum(highs: highspy.Highs) -> Optimum | None:
    status, info = highs.getModelStatus(), highs.getInfo()
    found = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    if not found or status not in _ENDED:
        return None
    values = np.array(highs.getSolution().col_value)
    optimal = status == highspy.HighsModelStatus.kOptimal
    bound = info.objective_function_value if optimal else info.mip_dual_bound
    return Optimum(values, info.objective_function_value, bound)


_ENDED: Sequence[highspy.HighsModelStatus] = (
    highspy.HighsModelStatus.kOptimal,
    highspy.HighsModelStatus.kSolutionLimit,
)
