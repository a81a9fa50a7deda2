"""What a worker notes of its own work as it does it: a count for each message, a delay for each thing that is done."""

from __future__ import annotations

import resource
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.instants import moment_of
from models.pipeline import Delay, Flow, PipelineSample, Stage

Place = tuple[str, int]
"""A topic without the prefix, and a partition."""

_OWN_MEMORY = Path("/proc/self/statm")


def cpu_seconds() -> float:
    """Of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@dataclass
class Meter:
    """The work of one worker since the last sample was taken; `since` is the wall's time in milliseconds."""

    worker: str
    app: str
    since: int
    _records: defaultdict[Place, int] = field(default_factory=lambda: defaultdict(int))
    _bytes: defaultdict[Place, int] = field(default_factory=lambda: defaultdict(int))
    _delays: defaultdict[Stage, array[float]] = field(default_factory=lambda: defaultdict(lambda: array("d")))
    _rows: int = 0
    _cpu_seconds: float = field(default_factory=cpu_seconds)

    def read(self, place: Place, size: int) -> None:
        """Note a record that was read, and the bytes of its value."""
        self._records[place] += 1
        self._bytes[place] += size

    def done(self, stage: Stage, ticks: Iterable[int], now: int) -> None:
        """Note what is done by now, by its ticks; milliseconds."""
        self._delays[stage].extend((now - tick) / 1000 for tick in ticks)

    def wrote(self, rows: int) -> None:
        """Note rows that are in the database."""
        self._rows += rows

    def sample(self, now: int, lags: Mapping[Place, int | None]) -> PipelineSample:
        """What was done since the last one; there is a flow for each place that was read, or whose lag is asked for."""
        used = cpu_seconds()
        told = PipelineSample(
            worker=self.worker,
            app=self.app,
            since=moment_of(self.since),
            at=moment_of(now),
            flows=tuple(self._flow(place, lags.get(place)) for place in sorted({*self._records, *lags})),
            delays=tuple(_delay(stage, self._delays[stage]) for stage in Stage if self._delays.get(stage)),
            rows=self._rows,
            resident_bytes=resident_bytes(),
            cpu_seconds=round(used - self._cpu_seconds, 6),
        )
        self._records.clear()
        self._bytes.clear()
        self._delays.clear()
        self._rows, self._cpu_seconds, self.since = 0, used, now
        return told

    def _flow(self, place: Place, lag: int | None) -> Flow:
        topic, partition = place
        records, size = self._records.get(place, 0), self._bytes.get(place, 0)
        return Flow(topic=topic, partition=partition, records=records, bytes=size, lag=lag)


def resident_bytes() -> int:
    """Of this process now; where the system does not say, the most it ever had."""
    try:
        return int(_OWN_MEMORY.read_bytes().split()[1]) * resource.getpagesize()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _delay(stage: Stage, seconds: array[float]) -> Delay:
    values = np.frombuffer(seconds, dtype=np.float64)
    p50, p95, p99, most = (round(float(value), 3) for value in np.percentile(values, (50, 95, 99, 100)))
    return Delay(stage=stage, count=len(seconds), p50=p50, p95=p95, p99=p99, most=most)
