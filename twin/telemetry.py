"""The site machine: folds one partition of telemetry into the twins of its sites, and closes their ticks together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from models.catalogue import Catalogue
from models.cloudevents import EventType, headers
from models.dead_letter import refused_record, refused_rows
from models.errors import ConfigurationError, RecordRefused
from models.instants import tick_at_or_before
from models.ledger import Samples
from models.record import Outgoing, Record
from models.sample import SiteSample
from models.single import SingleReading
from models.telemetry import Readings, TelemetryDecoder
from models.topics import LEDGER
from twin.heads import TelemetryHead
from twin.node_frames import are_due, node_frames
from twin.packing import pack, reading_snapshot, unpack
from twin.rules import Rules
from twin.site import SiteTwin, restored, ticks_between

MOST_SAMPLES = 500
"""In one record of the ledger, unless one tick alone has more."""


@dataclass
class TelemetryMachine:
    """The state of one partition: `fold` takes a record and gives what is to be sent."""

    partition: int
    partitions: int
    rules: Rules
    catalogue: Catalogue
    sites: dict[str, SiteTwin] = field(default_factory=dict)
    clock: int | None = None
    closed: int | None = None
    """The last tick that is closed."""
    decoder: TelemetryDecoder = field(init=False)

    def __post_init__(self) -> None:
        self.decoder = TelemetryDecoder(self.catalogue)

    def fold(self, record: Record) -> list[Outgoing]:
        """Take in one record."""
        try:
            decoded = self.decoder.decode(record)
        except RecordRefused as refused:
            self._count_refused(record.key)
            return [refused_record(record, refused)]
        if isinstance(decoded, SingleReading):
            self._twin(decoded.site).observe_single(decoded, self._open_tick)
            return []
        if isinstance(decoded, Readings):
            return self._observe(record, decoded)
        return list(self._advance(decoded))

    @property
    def _open_tick(self) -> int | None:
        """The first tick that is not closed; none where no clock has said anything."""
        return None if self.closed is None else self.closed + self.rules.tick

    def _twin(self, site: str) -> SiteTwin:
        twin = self.sites.get(site)
        if twin is None:
            twin = self.sites[site] = SiteTwin(site, self.rules, self.catalogue)
        return twin

    def _observe(self, record: Record, readings: Readings) -> list[Outgoing]:
        twin = self._twin(readings.site)
        twin.observe(readings.columns, self._open_tick)
        if not readings.refusals:
            return []
        twin.refused += len(readings.refusals)
        return [refused_rows(record, readings.refusals)]

    def _count_refused(self, key: bytes | None) -> None:
        """A record refused whole is counted as one with the site of its key, where that is known here."""
        twin = self.sites.get((key or b"").decode(errors="replace"))
        if twin is not None:
            twin.refused += 1

    def _advance(self, clock: int) -> Iterator[Outgoing]:
        if self.clock is not None and clock <= self.clock:
            return
        self.clock = clock
        due = tick_at_or_before(clock - self.rules.grace, self.rules.tick)
        if self.closed is None:
            yield self._step(None, due, [], [])
            return
        begun, ticks, samples = self.closed, list[int](), list[SiteSample]()
        for tick, sites in self._schedule(self.closed, due):
            ticks.append(tick)
            for site in sites:
                sample = self.sites[site].close(tick)
                if sample is None:
                    continue
                samples.append(sample)
                if are_due(site, tick, self.rules):
                    yield from node_frames(self.sites[site], tick, self.partition)
            if len(samples) >= MOST_SAMPLES:
                yield self._step(begun, tick, ticks, samples)
                begun, ticks, samples = tick, [], []
        if due > begun:
            yield self._step(begun, due, ticks, samples)

    def _schedule(self, closed: int, due: int) -> list[tuple[int, list[str]]]:
        """The ticks to close, each with the sites that it is closed for: which ones is every site's own affair."""
        sites: dict[int, list[str]] = {tick: [] for tick in ticks_between(closed, due, (), self.rules)}
        for site in sorted(self.sites):
            for tick in ticks_between(closed, due, self.sites[site].held, self.rules):
                sites.setdefault(tick, []).append(site)
        return sorted(sites.items())

    def _step(self, after: int | None, through: int, ticks: list[int], samples: list[SiteSample]) -> Outgoing:
        self.closed = through
        step = Samples(
            partition=self.partition,
            partitions=self.partitions,
            after=after,
            through=through,
            ticks=tuple(ticks),
            samples=tuple(samples),
        )
        identity = f"{self.partition}@{through}"
        named = headers(EventType.SAMPLES, f"//fleettwin/telemetry/{self.partition}", identity, through)
        return Outgoing(LEDGER, str(self.partition).encode(), step.model_dump_json().encode(), named, identity, 0)

    def snapshot(self) -> bytes:
        """The state as bytes."""
        sites = [self.sites[site].snapshot() for site in sorted(self.sites)]
        head = {
            "rules": self.rules.digest,
            "catalogue": self.catalogue.digests,
            "clock": self.clock,
            "closed": self.closed,
            "partitions": self.partitions,
            "sizes": [len(site) for site in sites],
        }
        top = pack(head, {})
        return b"".join([len(top).to_bytes(8, "little"), top, *sites])

    def restore(self, packed: bytes) -> None:
        """Become what `snapshot` was taken from.

        Raises:
            ConfigurationError: the snapshot was made under other rules, or another catalogue.
            SnapshotDamaged: the bytes are none; nothing has changed.
        """
        with reading_snapshot():
            length = int.from_bytes(packed[:8], "little")
            head = TelemetryHead.model_validate(unpack(packed[8 : 8 + length])[0])
            check_rules(head.rules, self.rules)
            check_catalogue(head.catalogue, self.catalogue)
            sites, at = dict[str, SiteTwin](), 8 + length
            for size in head.sizes:
                twin = restored(packed[at : at + size], self.rules, self.catalogue, head.closed)
                sites[twin.site] = twin
                at += size
            self.clock, self.closed, self.sites = head.clock, head.closed, sites

    def digests(self) -> dict[str, str]:
        """The digest of each site."""
        return {site: twin.digest() for site, twin in self.sites.items()}


def check_rules(made_under: str, rules: Rules) -> None:
    """See that a snapshot is of the same rules.

    Raises:
        ConfigurationError: it is not.
    """
    if made_under != rules.digest:
        raise ConfigurationError(
            "FLEETTWIN_TWIN__*",
            f"rules {rules.digest}",
            f"rules {made_under}, under which the checkpoint was made: restore those settings or that version, "
            "or start a twin of its own with another FLEETTWIN_KAFKA__TOPIC_PREFIX",
        )


def check_catalogue(made_under: Mapping[str, str], catalogue: Catalogue) -> None:
    """See that a catalogue has all types that it had when a snapshot was made, unchanged; it may have more.

    Args:
        made_under: The `Catalogue.digests` of then.
        catalogue: The one of now.

    Raises:
        ConfigurationError: a type has gone, or its figures have changed.
    """
    gone = [id_ for id_ in sorted(made_under) if id_ not in catalogue]
    changed = [id_ for id_ in sorted(made_under) if id_ in catalogue and catalogue.digests[id_] != made_under[id_]]
    if gone or changed:
        doubts = (("without", gone), ("with other figures of", changed))
        found = [f"{doubt} {', '.join(types)}" for doubt, types in doubts if types]
        raise ConfigurationError(
            "FLEETTWIN_TWIN__CATALOGUE",
            f"a catalogue {' and '.join(found)}",
            "what the checkpoint was made under: restore those entries, "
            "or start a twin of its own with another FLEETTWIN_KAFKA__TOPIC_PREFIX",
        )
