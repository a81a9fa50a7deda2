"""The last quarter of an hour of the fleet or of a site: a point now and then, by event time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from models.console import History
from models.instants import instant_of, moment_of
from models.state import FleetState, SiteState

SPAN_MILLISECONDS = 15 * 60 * 1000


class Point(NamedTuple):
    """What is charted of one state; in the order of `History`."""

    tick: int
    facility_watts: float | None
    supply_watts: float | None
    in_service: int
    allocated: int
    free: int
    utilization: float | None
    open_shortages: int


@dataclass
class Trail:
    """Points at least `step` milliseconds apart, none older than the span before the newest."""

    step: int
    _points: deque[Point] = field(default_factory=deque)

    def wants(self, tick: int) -> bool:
        """Whether a state of that tick would be kept."""
        return not self._points or tick // self.step > self._points[-1].tick // self.step

    def take(self, state: FleetState | SiteState) -> None:
        """Keep a state, if it is a step further on than the last one that is kept."""
        tick = instant_of(state.tick)
        if not self.wants(tick):
            return
        self._points.append(_point(tick, state))
        while self._points[0].tick < tick - SPAN_MILLISECONDS:
            self._points.popleft()

    def history(self) -> History:
        """The points as columns."""
        columns = list(zip(*self._points, strict=True)) or [()] * len(Point._fields)
        said: dict[str, Any] = dict(zip(Point._fields, columns, strict=True))
        said["tick"] = tuple(moment_of(point.tick) for point in self._points)
        # Made of states that were checked when they were read: to check each point again would be most of an answer.
        return History.model_construct(**said)


def _point(tick: int, state: FleetState | SiteState) -> Point:
    power = state.power
    facility = power.facility
    if facility is None:
        facility = power.it_measured + power.it_modelled + power.it_carried
    return Point(
        tick,
        facility,
        power.supply,
        state.in_service,
        state.allocated,
        state.free,
        state.utilization,
        state.open_shortages,
    )
