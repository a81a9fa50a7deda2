"""A linear program with whole-number columns, solved with HiGHS.

One thread, no clock: limits are numbers of iterations and of nodes of the search tree, so the same program has the
same result whenever and wherever it is solved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np
from numpy.typing import NDArray

INFINITE = highspy.kHighsInf
MOST_NODES = 100
"""Of the search tree; what has been found by then is taken, with the bound that was proven."""
MOST_SEARCHED = 6000
"""Whole-number columns of all searches of a solver together, which bounds their time; beyond it there is no search."""
MOST_ITERATIONS = 1_000_000
"""Of the simplex method."""

Reals = NDArray[np.float64]
Places = NDArray[np.int32]
"""Of rows or columns."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """A solution; whole numbers are as whole as the tolerance of the solver."""

    values: Reals
    """By column."""
    prices: Reals
    """By row: what one more of its bound would be worth; of no meaning where columns had to be whole."""
    objective: float
    bound: float
    """No solution is better; equal to `objective` but where the search was cut off."""


@dataclass
class Program:
    """Rows and columns, gathered before `solver` is called. Every column is from 0; the objective is maximised."""

    upper: list[float] = field(default_factory=list)
    """Of each column."""
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    _entries: list[tuple[Places, Places, Reals]] = field(default_factory=list)
    """Rows, columns, factors."""

    def columns(self, upper: Sequence[float]) -> Places:
        """More columns, up to these bounds."""
        first = len(self.upper)
        self.upper += upper
        return np.arange(first, len(self.upper), dtype=np.int32)

    def rows(self, upper: Sequence[float], lower: float = -INFINITE) -> Places:
        """More rows, between these bounds."""
        first = len(self.row_upper)
        self.row_upper += upper
        self.row_lower += [lower] * len(upper)
        return np.arange(first, len(self.row_upper), dtype=np.int32)

    def enter(self, rows: Places, columns: Places, factors: Reals) -> None:
        """Let columns count in rows, so many times each; no pair twice."""
        self._entries.append((rows, columns, factors))

    def solver(self) -> Solver:
        """What solves it."""
        rows, columns, factors = (np.concatenate(some) for some in zip(*self._entries, strict=True))
        order = np.argsort(columns, kind="stable")
        count = len(self.upper)
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = count, len(self.row_upper)
        program.sense_ = highspy.ObjSense.kMaximize
        program.col_cost_ = np.zeros(count)
        program.col_lower_ = np.zeros(count)
        program.col_upper_ = np.array(self.upper)
        program.row_lower_ = np.array(self.row_lower)
        program.row_upper_ = np.array(self.row_upper)
        program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        program.a_matrix_.start_ = np.searchsorted(columns[order], np.arange(count + 1)).astype(np.int32)
        program.a_matrix_.index_ = rows[order]
        program.a_matrix_.value_ = factors[order]
        return Solver(program)


class Solver:
    """A program in HiGHS; each solution begins where the one before ended."""

    def __init__(self, program: highspy.HighsLp) -> None:
        self.columns = program.num_col_
        self._all = np.arange(self.columns, dtype=np.int32)
        self._searched = 0
        self._highs = _highs()
        self._highs.passModel(program)

    def bound_row(self, row: int, lower: float, upper: float) -> None:
        """Change the bounds of a row."""
        self._highs.changeRowBounds(row, lower, upper)

    def bound_column(self, column: int, lower: float, upper: float) -> None:
        """Change the bounds of a column."""
        self._highs.changeColBounds(column, lower, upper)

    def maximise(self, costs: Reals, *, anew: bool = False) -> Optimum | None:
        """The best of all real solutions; none where there is no solution, or none was found within the limits.

        `anew` says that nothing was solved before: the dual simplex method is quicker then, the primal one from a
        solution that was best in another respect.
        """
        self._highs.setOptionValue("simplex_strategy", _DUAL if anew else _PRIMAL)
        self._highs.changeColsCost(self.columns, self._all, costs)
        self._highs.run()
        return _optimum(self._highs)

    def maximise_whole(self, costs: Reals, whole: Places) -> Optimum | None:
        """The best solution with whole numbers in these columns, as far as the limits let it be found."""
        self._searched += len(whole)
        if self._searched > MOST_SEARCHED:
            return None
        search = _highs()
        search.setOptionValue("presolve", "on")
        search.setOptionValue("simplex_strategy", _DUAL)
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


_DUAL, _PRIMAL = 1, 4
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
    solution = highs.getSolution()
    optimal = status == highspy.HighsModelStatus.kOptimal
    bound = info.objective_function_value if optimal else info.mip_dual_bound
    values, prices = np.array(solution.col_value), np.array(solution.row_dual)
    return Optimum(values, prices, info.objective_function_value, bound)


_ENDED: Sequence[highspy.HighsModelStatus] = (
    highspy.HighsModelStatus.kOptimal,
    highspy.HighsModelStatus.kSolutionLimit,
)
