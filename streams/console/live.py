"""The fleet as its topics say, for whoever asks: newest states, open shortages, recent history, and what is told on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import ValidationError

from models.cloudevents import EventType
from models.console import History
from models.instants import instant_of
from models.record import Record
from models.shortage import Shortage, Status
from models.state import FleetState, SiteState
from models.topics import OPEN_SHORTAGES, SHORTAGES, STATE
from streams.console.feed import Feed, Place
from streams.console.history import Trail
from streams.consumers.watching import FleetWatch

FLEET_STEP = 1_000
SITE_STEP = 10_000
"""Milliseconds between the points that are kept."""

RESOLVED_KEPT = timedelta(hours=1)
"""By event time: how long a shortage that has passed is still shown."""


@dataclass
class LiveFleet:
    """What was read so far. Until `settle` nothing is told on, and states between two points of history are put off."""

    watch: FleetWatch = field(default_factory=FleetWatch)
    on_site_state: Callable[[float], None] = lambda _: None
    """Told of each site state that comes, how many seconds after its tick Kafka had it."""
    feed: Feed = field(init=False)
    settled: bool = False
    _fleet_trail: Trail = field(default_factory=lambda: Trail(FLEET_STEP))
    _site_trails: dict[str, Trail] = field(default_factory=dict)
    _put_off: dict[str, Record] = field(default_factory=dict)
    """The newest record of each site that no point of history needed."""
    _untold: dict[str, SiteState] = field(default_factory=dict)
    _tick_done: bool = False
    _next_offsets: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.feed = Feed(self._standing)

    def take(self, record: Record) -> None:
        """Take a record of the state or of a shortage topic in.

        Raises:
            ValidationError: it does not hold what it says.
        """
        self._next_offsets[record.topic] = record.offset + 1
        if not self.settled and self._may_wait(record):
            self._put_off[(record.key or b"").decode(errors="replace")] = record
            return
        self._take(record)

    def _take(self, record: Record) -> None:
        if record.topic == OPEN_SHORTAGES and (self.settled or record.value is None):
            return  # whatever becomes of it is on the topic of all events
        match self.watch.take(record):
            case SiteState() as state:
                if self.settled:
                    self._untold[state.site] = state
                    self.on_site_state((record.timestamp - instant_of(state.tick)) / 1000)
                self._site_trails.setdefault(state.site, Trail(SITE_STEP)).take(state)
            case FleetState() as state:
                self._tick_done = True
                self._fleet_trail.take(state)
                self.watch.forget(state.tick - RESOLVED_KEPT)
            case Shortage() as event if self.settled:
                self.feed.tell_shortage(event.model_dump_json(), self._next_offsets.get(SHORTAGES, 0))

    def _may_wait(self, record: Record) -> bool:
        """Whether history needs no more of a site's record than its tick."""
        if (record.header("ce_type") or b"") != EventType.SITE_STATE.encode():
            return False
        trail = self._site_trails.get((record.key or b"").decode(errors="replace"))
        tick = (record.header("ce_id") or b"").rpartition(b"@")[2]
        return trail is not None and tick.isdigit() and not trail.wants(int(tick))

    def settle(self) -> None:
        """All that was there has been read: take in what was put off, and tell what comes."""
        if self.settled:
            return
        for record in self._put_off.values():
            try:
                self._take(record)
            except ValidationError:
                continue  # told of when another of its kind comes
        self._put_off.clear()
        self.settled = True
        self.feed.begin(Place(self._next_offsets.get(STATE, 0), self._next_offsets.get(SHORTAGES, 0)))
        self._untold = dict(self.watch.sites)
        self.tell()

    def tell(self) -> None:
        """Tell the newest tick, if one has come since; ticks that came in between are in nobody's way."""
        fleet = self.watch.fleet
        if not self.settled or not self._tick_done or fleet is None:
            return
        sites, self._untold, self._tick_done = self._untold, {}, False
        self.feed.tell_tick(_array(sites), fleet.model_dump_json(), self._next_offsets.get(STATE, 0))

    def fleet_history(self) -> History:
        """Of the fleet, by the second."""
        return self._fleet_trail.history()

    def site_history(self, site: str) -> History:
        """Of a site, each ten seconds; empty where it is not known."""
        return self._site_trails.get(site, Trail(SITE_STEP)).history()

    @property
    def resolved_shortages(self) -> list[Shortage]:
        """Those that resolved lately, the newest first."""
        gone = [event for event in self.watch.shortages.values() if event.status is Status.RESOLVED]
        return sorted(gone, key=lambda event: (event.resolved_at or event.at, event.id), reverse=True)

    def _standing(self) -> Iterator[tuple[str, str]]:
        """How things stand, as events: shortages oldest first, then all sites, then the fleet."""
        for event in sorted(self.watch.shortages.values(), key=lambda event: (event.at, event.id)):
            yield "shortage", event.model_dump_json()
        if self.watch.fleet is not None:
            yield "sites", _array(self.watch.sites)
            yield "fleet", self.watch.fleet.model_dump_json()


def _array(sites: dict[str, SiteState]) -> str:
    return "[" + ",".join(sites[site].model_dump_json() for site in sorted(sites)) + "]"
