"""The fleet machine: folds the ledger into the states of sites and fleet and into shortage events."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import orjson
from pydantic import ValidationError

from models.catalogue import Catalogue
from models.cloudevents import EventType, headers
from models.dead_letter import refused_record
from models.errors import RecordRefused, first_doubt
from models.facts import SiteFacts
from models.instants import instant_of
from models.ledger import (
    LEDGER_RECORD,
    Admitted,
    AdmittedDemand,
    AdmittedEnd,
    AdmittedFacts,
    AdmittedTenant,
    Away,
    Back,
    LedgerRecord,
    Samples,
)
from models.names import FLEET
from models.record import Outgoing, Record
from models.sample import SiteSample
from models.shortage import ScopeKind, Shortage, Status
from models.state import FleetState, Presence, SiteState
from models.topics import OPEN_SHORTAGES, SHORTAGES, STATE
from twin.admission import Body, check_moment, types_of
from twin.demand import DemandBook
from twin.episodes import Episodes
from twin.heads import FleetHead
from twin.packing import pack, reading_snapshot, unpack
from twin.planner import Planner
from twin.planning.exact import ExactPlanner
from twin.rules import Rules
from twin.sequencing import Inputs
from twin.states import fleet_state, site_state
from twin.telemetry import check_catalogue, check_rules
from twin.tenants import Claiming
from twin.view import SiteView


@dataclass
class FleetMachine:
    """The state of the fleet: `fold` takes a record of the ledger and gives what is to be sent."""

    rules: Rules
    catalogue: Catalogue
    planner: Planner = field(init=False)
    inputs: Inputs = field(init=False)
    episodes: Episodes = field(init=False)
    book: DemandBook = field(default_factory=DemandBook)
    facts: dict[str, AdmittedFacts] = field(default_factory=dict)
    partitions: int | None = None
    """How many telemetry partitions there are; not known before the first has spoken."""
    through: dict[int, int] = field(default_factory=dict)
    """The last tick that each has closed."""
    away: set[int] = field(default_factory=set)
    homes: dict[str, int] = field(default_factory=dict)
    """The partition of each site."""
    latest: dict[str, SiteSample] = field(default_factory=dict)
    ahead: dict[int, dict[str, SiteSample]] = field(default_factory=dict)
    """Ticks that were closed by partitions and not yet here, with their samples."""
    closed: int | None = None
    _claiming: Claiming = field(default_factory=Claiming)

    def __post_init__(self) -> None:
        self.planner = ExactPlanner(self.catalogue, self.rules)
        self.inputs = Inputs(self.rules)
        self.episodes = Episodes(self.rules)

    def fold(self, record: Record) -> list[Outgoing]:
        """Take in one record."""
        try:
            entry = self._read(record)
        except RecordRefused as refused:
            return [refused_record(record, refused)]
        match entry:
            case Samples():
                self._take(entry)
            case Admitted():
                self.inputs.admit(entry)
            case Away():
                self.away.add(entry.partition)
            case Back():
                self.away.discard(entry.partition)
        return list(self._advance())

    def _read(self, record: Record) -> LedgerRecord:
        """The entry that a record holds.

        Raises:
            RecordRefused: it holds none, or speaks of types or times that there are not.
        """
        try:
            entry = LEDGER_RECORD.validate_json(record.value or b"")
        except ValidationError as invalid:
            raise RecordRefused("undecodable", first_doubt(invalid)) from None
        match entry:
            case Samples():
                self._check(samples=entry.samples)
            case Admitted():
                self._check(bodies=(entry.body,))
        return entry

    def _check(self, *, samples: Iterable[SiteSample] = (), bodies: Iterable[Body] = ()) -> None:
        """See that the catalogue has the types that these name, and that ticks can have their times.

        Raises:
            RecordRefused: `unknown_type` or `out_of_range`.
        """
        types = {pool.type for sample in samples for pool in sample.pools}
        for body in bodies:
            check_moment(body)
            types.update(types_of(body))
        for type_ in types:
            self.catalogue[type_]

    def _take(self, step: Samples) -> None:
        """Take in what a partition closed; a repeat, or a step before which one is missing, changes nothing."""
        known = self.through.get(step.partition)
        if known is not None and (step.through <= known or (step.after is not None and step.after > known)):
            return
        self.partitions = max(self.partitions or 0, step.partitions)
        self.through[step.partition] = step.through
        for tick in step.ticks:
            if self.closed is None or tick > self.closed:
                self.ahead.setdefault(tick, {})
        for sample in step.samples:
            self.homes[sample.site] = step.partition
            if sample.tick in self.ahead:
                self.ahead[sample.tick][sample.site] = sample
            elif sample.site not in self.latest or sample.tick > self.latest[sample.site].tick:
                self.latest[sample.site] = sample

    def _limit(self) -> int | None:
        """The last tick that may close: inputs have come so far, and every partition that is not away."""
        limit = self.inputs.through()
        if limit is None or self.partitions is None:
            return None
        for partition in range(self.partitions):
            if partition not in self.away:
                if partition not in self.through:
                    return None
                limit = min(limit, self.through[partition])
        return limit

    def _advance(self) -> Iterator[Outgoing]:
        limit = self._limit()
        if limit is None:
            return
        for tick in sorted(tick for tick in self.ahead if tick <= limit):
            yield from self._close(tick)

    def _close(self, tick: int) -> Iterator[Outgoing]:
        self.latest.update(self.ahead.pop(tick))
        self.closed = tick
        self.book.forget(tick)
        for admitted in self.inputs.due(tick):
            yield from self._apply(admitted)
        views = self.views()
        standing, quotas = self.book.at(tick), self.book.quotas
        assessment = self.planner.assess(views, standing.demands, quotas)
        for event in self.episodes.advance(tick, assessment.shortfalls):
            yield from _shortage(event)
        claims = self._claiming.claims(standing, quotas, assessment.servable, _there(views))
        opened = self.episodes.open_shortages
        concerned = _by_site(opened)
        for view in views:
            yield _state(view.site, tick, site_state(view, tick, self.catalogue, concerned[view.site]))
        yield _state(FLEET, tick, fleet_state(views, tick, self.catalogue, claims, len(opened)))

    def _apply(self, admitted: Admitted) -> Iterator[Outgoing]:
        body = admitted.body
        try:
            match body:
                case AdmittedFacts():
                    stands = self.facts.get(body.site)
                    if stands is None or _precedence(stands) < _precedence(body):
                        self.facts[body.site] = body
                case AdmittedDemand():
                    self._check_sites(body)
                    self.book.apply(body)
                case AdmittedEnd() | AdmittedTenant():
                    self.book.apply(body)
        except RecordRefused as refused:
            yield _refused(admitted, refused)

    def _check_sites(self, body: AdmittedDemand) -> None:
        for site in body.sites:
            if site not in self.facts and site not in self.latest:
                raise RecordRefused("unknown_site", f"site {site!r} has no facts and no nodes")

    def views(self) -> list[SiteView]:
        """Every known site, by name."""
        return [
            SiteView(site, self._presence(site), self.latest.get(site), self.facts.get(site))
            for site in sorted(self.facts.keys() | self.latest.keys())
        ]

    def _presence(self, site: str) -> Presence:
        if site not in self.latest:
            return Presence.NEVER_SEEN
        return Presence.AWAY if self.homes[site] in self.away else Presence.PRESENT

    def _head(self) -> dict[str, Any]:
        """All that is known, but for how the log came to say it."""
        return {
            "facts": [self.facts[site].model_dump(mode="json") for site in sorted(self.facts)],
            "book": self.book.head(),
            "episodes": self.episodes.head(),
            "closed": self.closed,
            "latest": _dumped(self.latest),
        }

    def snapshot(self) -> bytes:
        """The state as bytes."""
        return pack(
            {
                **self._head(),
                "rules": self.rules.digest,
                "catalogue": self.catalogue.digests,
                "inputs": self.inputs.head(),
                "partitions": self.partitions,
                "through": sorted(self.through.items()),
                "away": sorted(self.away),
                "homes": self.homes,
                "ahead": [[tick, _dumped(self.ahead[tick])] for tick in sorted(self.ahead)],
            },
            {},
        )

    def restore(self, packed: bytes) -> None:
        """Become what `snapshot` was taken from.

        Raises:
            ConfigurationError: the snapshot was made under other rules, or another catalogue.
            SnapshotDamaged: the bytes are none; the machine is of no use then.
        """
        with reading_snapshot():
            head = FleetHead.model_validate(unpack(packed)[0])
            check_rules(head.rules, self.rules)
            check_catalogue(head.catalogue, self.catalogue)
            self.facts = {one["site"]: AdmittedFacts.model_validate(one) for one in head.facts}
            self.book.restore(head.book)
            self.episodes.restore(head.episodes)
            self.inputs.restore(head.inputs)
            self.closed, self.partitions = head.closed, head.partitions
            self.through = dict(head.through)
            self.away, self.homes = set(head.away), head.homes
            self.latest = {one.site: one for one in head.latest}
            self.ahead = {tick: {one.site: one for one in samples} for tick, samples in head.ahead}
            samples = chain(self.latest.values(), *(some.values() for some in self.ahead.values()))
            bodies = chain(self.facts.values(), self.book.bodies(), self.inputs.bodies())
            self._check(samples=samples, bodies=bodies)

    def digest(self) -> str:
        """SHA-256 of what is known at the last closed tick, intake counts left out."""
        known = self._head()
        for sample in known["latest"]:
            del sample["intake"]
        return hashlib.sha256(orjson.dumps(known, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _precedence(facts: SiteFacts) -> tuple[int, str]:
    """The newer stand; of two of one instant those whose text is greater, so that a repeat changes nothing."""
    return instant_of(facts.at), facts.model_dump_json()


def _dumped(samples: dict[str, SiteSample]) -> list[dict[str, Any]]:
    return [samples[site].model_dump(mode="json") for site in sorted(samples)]


def _by_site(shortages: Iterable[Shortage]) -> Counter[str]:
    """How many are each site's, or a project's that waits for it; the fleet's tell of projects' once more."""
    own = (shortage for shortage in shortages if shortage.scope.kind is not ScopeKind.FLEET)
    return Counter(site for shortage in own for site in set(shortage.binding.sites))


def _there(views: list[SiteView]) -> dict[str, int]:
    """Accelerators that there are at all sites together, by type."""
    sums: dict[str, int] = {}
    for view in views:
        for type_, count in view.there().items():
            sums[type_] = sums.get(type_, 0) + count
    return sums


def _state(key: str, tick: int, state: SiteState | FleetState) -> Outgoing:
    kind = EventType.SITE_STATE if isinstance(state, SiteState) else EventType.FLEET_STATE
    identity = f"{state.kind}/{key}@{tick}"
    named = headers(kind, f"//fleettwin/{state.kind}/{key}", identity, tick)
    return Outgoing(STATE, key.encode(), state.model_dump_json().encode(), named, identity, 0)


def _shortage(event: Shortage) -> Iterator[Outgoing]:
    """The event, and what it leaves open: the compacted topic has nothing of an episode that has resolved."""
    identity = f"{event.id}#{event.sequence}"
    named = headers(EventType.SHORTAGE, "//fleettwin/shortages", identity, instant_of(event.at))
    key, value = event.id.encode(), event.model_dump_json().encode()
    yield Outgoing(SHORTAGES, key, value, named, identity, 0)
    yield Outgoing(OPEN_SHORTAGES, key, value if event.status is Status.OPEN else None, named, identity, 0)


def _refused(admitted: Admitted, refused: RecordRefused) -> Outgoing:
    """The dead letter of a record that passed the checks of the edge and makes no sense to the fleet."""
    source = admitted.source
    body = admitted.body.model_dump_json(exclude={"kind"}).encode()
    record = Record(source.topic, source.partition, source.offset, 0, None, body)
    return refused_record(record, refused)
