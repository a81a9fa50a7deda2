"""The highest rate that is held: tries ever larger fleets, beginning near what the measured costs promise."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.pipeline.figures import Run

HOPEFUL = 0.85
"""Part of the promised rate that is tried first: what is left over pays for bursts."""
STEP = 1.25
COARSEST = 1.1
"""No rate between a held and a missed one is tried once they are so near."""

Try = Callable[[float], Run]
"""Runs so many times the fleet of the first run."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One fleet that was tried."""

    factor: float
    readings_per_second: int
    held: bool
    misses: list[str]
    cpu_seconds_per_million: dict[str, float]
    p99_sample_seconds: float
    p99_row_seconds: float
    cores_busy: float


@dataclass(frozen=True, slots=True)
class Highest:
    """The highest rate that was held for `seconds`, and all that was tried."""

    readings_per_second: int
    seconds: float
    attempts: tuple[Attempt, ...]

    def report(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def highest_rate(first: Run, run: Try, most: int, cores: int | None = None) -> Highest:
    """Look for it in at most so many runs, beginning from what `first`, a run that was held, has cost.

    A rate that is missed is tried once more: a machine that is shared stands still now and then.
    """
    promised = (cores or os.cpu_count() or 1) / sum(first.cpu_seconds_per_million.values()) * 1e6
    best, held, missed, doubted = first, 1.0, float("inf"), 0.0
    factor, attempts = max(HOPEFUL * promised / first.readings_per_second, STEP), list[Attempt]()
    while len(attempts) < most and missed / held > COARSEST:
        found = run(factor)
        attempts.append(_attempt(factor, found))
        if found.misses and factor != doubted:
            doubted = factor
            continue
        if found.misses:
            missed = factor
        else:
            best, held = found, factor
        factor = held * STEP if missed == float("inf") else (held * missed) ** 0.5
    return Highest(best.readings_per_second, best.seconds, tuple(attempts))


def _attempt(factor: float, run: Run) -> Attempt:
    return Attempt(
        round(factor, 3),
        run.readings_per_second,
        not run.misses,
        run.misses,
        run.cpu_seconds_per_million,
        run.p99_sample_seconds,
        run.p99_row_seconds,
        run.cores_busy,
    )
