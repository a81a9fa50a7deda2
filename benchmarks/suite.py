"""Which measurements belong together, in which order, and how their figures are called in the report."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.disk import disk
from benchmarks.fleets import scaled
from benchmarks.growth import CASES, growth
from benchmarks.machine import hardware, versions
from benchmarks.pipeline.figures import Run
from benchmarks.pipeline.highest import highest_rate
from benchmarks.pipeline.running import ran
from benchmarks.recovery import recovery
from benchmarks.rivals.comparison import compared
from benchmarks.single import json_ratio
from benchmarks.stage import Stage
from benchmarks.store import store_cost
from models.errors import FleettwinError
from models.scenario import load_scenario

MILLION = "million"


@dataclass(frozen=True, slots=True)
class Extent:
    """How long is measured."""

    seconds: int
    """Of the million accelerators."""
    attempts: int
    """At most, at the highest rate that is held."""
    attempt_seconds: int
    recovered_nodes: tuple[int, ...]
    stored_ticks: int
    """Node frames of 125,000 nodes that are written to measure the store."""
    growth: bool = False
    """Whether it is measured how cost grows, and how much disk a day takes."""


STANDARD = Extent(seconds=120, attempts=3, attempt_seconds=60, recovered_nodes=(125_000,), stored_ticks=3)
LONG = Extent(
    seconds=600,
    attempts=5,
    attempt_seconds=60,
    recovered_nodes=(2_000, 25_000, 125_000),
    stored_ticks=12,
    growth=True,
)


@dataclass
class Suite:
    """Measures one after the other; what goes wrong in one is noted, and does not keep the others from being run."""

    stage: Stage
    extent: Extent
    report: dict[str, Any] = field(default_factory=lambda: {"machine": hardware(), "versions": versions()})
    failed: list[str] = field(default_factory=list)

    def run(self) -> dict[str, Any]:
        """Everything; figures that could not be had are null."""
        million = self._measured("end_to_end", self._end_to_end)
        if million is not None and not million.misses:
            self._measured("highest_rate", lambda: self._highest(million))
        self._measured("ratios", self._ratios)
        self._measured("json_ratio", self._single)
        self._measured("recovery_seconds", self._recovery)
        self._measured("store", self._store)
        if self.extent.growth:
            self._measured("growth", self._growth)
            self._measured("disk", self._disk)
        return self.report | {"failed": self.failed}

    def _end_to_end(self) -> Run:
        found = ran(self.stage, load_scenario(MILLION), self.extent.seconds)
        self.report["end_to_end"] = found.report()
        return found

    def _highest(self, million: Run) -> None:
        found = highest_rate(
            million,
            lambda factor: ran(self.stage, scaled(load_scenario(MILLION), factor), self.extent.attempt_seconds),
            self.extent.attempts,
        )
        self.report["highest_rate"] = found.readings_per_second
        self.report["highest_rate_attempts"] = found.report()["attempts"]

    def _ratios(self) -> None:
        found = compared(self.stage)
        self.report["ratios"] = dict(found.ratios)
        self.report["rivals"] = asdict(found)

    def _single(self) -> None:
        found = json_ratio(self.stage)
        self.report["json_ratio"] = round(found.ratio, 3)
        self.report["single_readings"] = asdict(found)

    def _recovery(self) -> None:
        found = [recovery(self.stage, nodes) for nodes in self.extent.recovered_nodes]
        self.report["recovery_seconds"] = found[-1].seconds
        self.report["recoveries"] = [asdict(one) for one in found]

    def _store(self) -> None:
        self.report["store"] = asdict(store_cost(self.stage, ticks=self.extent.stored_ticks))

    def _growth(self) -> None:
        self.report["growth"] = {
            by: [asdict(growth(self.stage, case, verified=by == "workers")) for case in cases]
            for by, cases in CASES.items()
        }

    def _disk(self) -> None:
        self.report["disk"] = asdict(disk(self.stage))

    def _measured(self, name: str, measure: Callable[[], Any]) -> Any:
        with told(name):
            self.report[name] = None
            try:
                return measure()
            except (FleettwinError, SystemExit) as error:
                self.failed.append(f"{name}: {error}")
                print(f"{name}: {error}", file=sys.stderr, flush=True)
        return None


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say on stderr what is being measured, and how long it took."""
    began = time.monotonic()
    print(f"{what} ...", file=sys.stderr, flush=True)
    yield
    print(f"{what}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
