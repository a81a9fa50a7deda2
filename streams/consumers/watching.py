"""Following the fleet as any consumer would: the newest states, what is short, and how old it all is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from models.cloudevents import EventType
from models.instants import instant_of
from models.record import Record
from models.shortage import Change, Shortage, Status
from models.state import FleetState, SiteState

_DELAYS_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Seconds; none where nothing was measured."""

    p50: float | None
    p99: float | None


@dataclass
class FleetWatch:
    """What the records of `fleet.state.v1` and `fleet.shortages.v1` have said so far. Repeats change nothing."""

    fleet: FleetState | None = None
    sites: dict[str, SiteState] = field(default_factory=dict)
    shortages: dict[str, Shortage] = field(default_factory=dict)
    """The newest event of each episode."""
    opened: int = 0
    resolved: int = 0
    site_states: int = 0
    rate: float = 0.0
    """Readings taken in a second of event time, over the last two fleet states."""
    _delays: deque[float] = field(default_factory=lambda: deque(maxlen=_DELAYS_KEPT))

    def take(self, record: Record) -> SiteState | FleetState | Shortage | None:
        """Take a record in, and give what it says, if that is news.

        Raises:
            ValidationError: it does not hold what it says.
        """
        value = record.value or b""
        match (record.header("ce_type") or b"").decode("latin-1"):
            case EventType.SITE_STATE:
                return self._site(SiteState.model_validate_json(value), record.timestamp)
            case EventType.FLEET_STATE:
                return self._fleet(FleetState.model_validate_json(value))
            case EventType.SHORTAGE:
                return self._shortage(Shortage.model_validate_json(value))
        return None

    def _site(self, state: SiteState, stored: int) -> SiteState | None:
        known = self.sites.get(state.site)
        if known is not None and state.tick <= known.tick:
            return None
        self.sites[state.site] = state
        self.site_states += 1
        self._delays.append((stored - instant_of(state.tick)) / 1000)
        return state

    def _fleet(self, state: FleetState) -> FleetState | None:
        if self.fleet is not None and state.tick <= self.fleet.tick:
            return None
        if self.fleet is not None:
            elapsed = (state.tick - self.fleet.tick).total_seconds()
            self.rate = (state.intake.observed - self.fleet.intake.observed) / elapsed
        self.fleet = state
        return state

    def _shortage(self, event: Shortage) -> Shortage | None:
        known = self.shortages.get(event.id)
        if known is not None and event.sequence <= known.sequence:
            return None
        self.shortages[event.id] = event
        self.opened += event.change is Change.OPENED
        self.resolved += event.change is Change.RESOLVED
        return event

    def forget(self, before: datetime) -> None:
        """Drop the episodes that resolved before then."""
        gone = [one.id for one in self.shortages.values() if one.resolved_at is not None and one.resolved_at < before]
        for id_ in gone:
            del self.shortages[id_]

    @property
    def open_shortages(self) -> list[Shortage]:
        """Those that go on, the oldest first."""
        standing = [event for event in self.shortages.values() if event.status is Status.OPEN]
        return sorted(standing, key=lambda event: (event.since, event.id))

    @property
    def by_kind(self) -> dict[str, dict[str, int]]:
        """How many episodes there have been, by what is short and by the constraint that bound last."""
        counted: dict[str, dict[str, int]] = {}
        kinds = sorted((one.resource.kind, one.binding.constraint.value) for one in self.shortages.values())
        for resource, constraint in kinds:
            of_resource = counted.setdefault(resource, {})
            of_resource[constraint] = of_resource.get(constraint, 0) + 1
        return counted

    def delays(self, last: int = _DELAYS_KEPT) -> Percentiles:
        """From the end of a tick to the site's state being stored in Kafka, over the last so many."""
        recent = list(self._delays)[-last:]
        if not recent:
            return Percentiles(None, None)
        p50, p99 = np.percentile(recent, [50, 99]).tolist()
        return Percentiles(p50, p99)
