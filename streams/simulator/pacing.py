"""When a step may be sent: event time against the clock on the wall, at any speed, until somebody stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from threading import Event

from streams.simulator.telemetry import Step


def _wall() -> float:
    return time.time() * 1000


class Pace:
    """Lets a step pass when its time has come.

    Args:
        start: Event time of the first step.
        origin: Wall time in milliseconds that belongs to it.
        speed: Seconds of event time to a second of wall time; none means as fast as it goes.
        stop: Once set, no further step passes.
        wall: Milliseconds since 1970.
    """

    def __init__(
        self, start: int, origin: float, speed: float | None, stop: Event, wall: Callable[[], float] = _wall
    ) -> None:
        self._start, self._origin, self._speed, self._stop, self._wall = start, origin, speed, stop, wall
        self.worst_lag = 0.0
        """Seconds by which the latest step came too late."""

    def paced(self, steps: Iterable[Step]) -> Iterator[Step]:
        """The steps, each when its time has come; what comes too late is passed on at once."""
        for step in steps:
            if self._speed is None:
                if self._stop.is_set():
                    return
            else:
                ahead = (self._origin + (step.at - self._start) / self._speed - self._wall()) / 1000
                self.worst_lag = max(self.worst_lag, -ahead)
                if self._stop.wait(max(0.0, ahead)):
                    return
            yield step
