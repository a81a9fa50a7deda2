"""All contestants one after the other on the same readings, each held to the same sums, and what each of them cost."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rivals import ceiling, faust_idiomatic, ours, quix, telegraf
from benchmarks.rivals.readings import SINGLES, Load, write
from benchmarks.rivals.rival import Rival, run
from benchmarks.rivals.sums import first_difference
from benchmarks.rivals.topics import topics
from benchmarks.rivals.workers import Cost
from benchmarks.stage import Stage, set_up
from infra.settings import ClockSource
from models.errors import Unavailable

RIVALS = (ceiling.RIVAL, telegraf.RIVAL, quix.RIVAL, faust_idiomatic.RIVAL)
WHOLE = Load()

TWIN, BOTH = "twin", "twin and store"
RATIOS = {
    "faust_idiomatic": (TWIN, faust_idiomatic.NAME),
    "quix": (TWIN, quix.NAME),
    "telegraf": (BOTH, telegraf.NAME),
    "ceiling": (BOTH, ceiling.RIVAL.name),
}
"""Each by what of ours is compared with whom: those who write to no database with the twin alone."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one contestant has read, and what that cost."""

    contestant: str
    readings: int
    cpu_seconds: float
    kafka_cpu_seconds: float
    """Of the broker meanwhile; in no ratio."""
    database_cpu_seconds: float

    @property
    def readings_per_cpu_second(self) -> float | None:
        """The figure that is compared; none where there was too little work for the processor's clock to show it."""
        return self.readings / self.cpu_seconds if self.cpu_seconds else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of ours with the others."""

    runs: tuple[Run, ...]
    ratios: Mapping[str, float | None]
    """Readings per CPU second, ours divided by theirs; none where a contestant is not here or has no such figure."""
    missing: Mapping[str, str]
    """Why one is not."""


def compared(stage: Stage, load: Load = WHOLE, rivals: tuple[Rival, ...] = RIVALS) -> Comparison:
    """Run them, on topics and tables of their own; ends the program where one of them comes to other sums than we do.

    Args:
        stage: The servers.
        load: How much there is to read.
        rivals: Some of them, or all.
    """
    telling = tuple(rival.name for rival in rivals if rival.reads == SINGLES)
    with (
        set_up(stage, ClockSource.LOG) as own,
        topics(own, telling, faust_idiomatic.CHANGELOGS),
        tempfile.TemporaryDirectory() as folder,
    ):
        written = write(own, load)
        cost = ours.run(own)
        known = ours.sums(own)
        runs = [
            _run(TWIN, written.readings, cost, cost.workers[TWIN]),
            _run(BOTH, written.readings, cost, sum(cost.workers.values())),
        ]
        missing = {}
        for rival in rivals:
            single = rival.reads == SINGLES
            try:
                cost = run(rival, own, Path(folder))
            except Unavailable as absent:
                missing[rival.name] = str(absent)
                continue
            sites, ticks = (written.single_sites, load.single_ticks) if single else (written.sites, load.ticks)
            difference = first_difference(rival.name, known, rival.sums(own), sites, ticks)
            if difference is not None:
                sys.exit(str(difference))
            read = written.single_readings if single else written.readings
            runs.append(_run(rival.name, read, cost, cost.workers[rival.name]))
    return Comparison(tuple(runs), ratios({one.contestant: one for one in runs}), missing)


def ratios(runs: Mapping[str, Run]) -> Mapping[str, float | None]:
    """Ours divided by theirs, by the names of `RATIOS`."""
    figures = {name: one.readings_per_cpu_second for name, one in runs.items()}
    pairs = {name: (figures.get(mine), figures.get(theirs)) for name, (mine, theirs) in RATIOS.items()}
    return {name: round(ours / theirs, 3) if ours and theirs else None for name, (ours, theirs) in pairs.items()}


def _run(contestant: str, readings: int, cost: Cost, cpu: float) -> Run:
    return Run(contestant, readings, round(cpu, 2), round(cost.kafka, 2), round(cost.database, 2))
