"""Replay without Kafka: a log is folded in one process, and what comes out is counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import orjson

from infra.catalogues import chosen_catalogue
from infra.rules import rules_of
from infra.settings import Settings
from models.cloudevents import EventType
from models.partitioning import placed
from models.record import Outgoing, Record
from models.topics import DEAD_LETTERS, DEMAND, LEDGER, SHORTAGES, SITES, STATE, TELEMETRY
from streams.logs.parts import LogPart
from twin.offline import OfflineTwin

_FOLDED = (TELEMETRY, SITES, DEMAND, LEDGER)


@dataclass
class OfflineRun:
    """What an offline replay came to."""

    twin: OfflineTwin
    shortages: list[dict[str, Any]] = field(default_factory=list)
    site_states: int = 0
    fleet_states: int = 0
    dead_letters: int = 0
    energy_before: dict[str, int] | None = None
    """Joules of each site that are not counted; filled in from its first sample on, where there is a dict to fill."""

    def take(self, output: Outgoing) -> None:
        """Count what the twin would have sent."""
        if output.topic == SHORTAGES:
            self.shortages.append(orjson.loads(output.value or b""))
        elif output.topic == STATE:
            kind = dict(output.headers)["ce_type"].decode()
            self.site_states += kind == EventType.SITE_STATE
            self.fleet_states += kind == EventType.FLEET_STATE
        elif output.topic in DEAD_LETTERS:
            self.dead_letters += 1

    def note_energy(self) -> None:
        """See what sites that are new had drawn before."""
        if self.energy_before is not None and len(self.energy_before) < len(self.twin.fleet.latest):
            for site, sample in self.twin.fleet.latest.items():
                self.energy_before.setdefault(site, sample.energy_joules)

    def summary(self) -> dict[str, Any]:
        """`readings`, `samples`, `shortages` (the events) and `state_hash`, with what helps to read them."""
        sites = [twin for machine in self.twin.telemetry.values() for twin in machine.sites.values()]
        before = self.energy_before or {}
        return {
            "readings": {
                "observed": sum(twin.observed for twin in sites),
                "refused": sum(twin.refused for twin in sites),
                "late": sum(twin.late for twin in sites),
                "duplicate": sum(twin.nodes.counts.duplicate for twin in sites),
                "superseded": sum(twin.nodes.counts.superseded for twin in sites),
            },
            "samples": {"site": self.site_states, "fleet": self.fleet_states},
            "dead_letters": self.dead_letters,
            "energy_joules": {
                site.site: site.energy_joules - before.get(site.site, 0)
                for site in sorted(self.twin.fleet.latest.values(), key=_name)
            },
            "shortages": self.shortages,
            "state_hash": self.twin.digest(),
        }


def fold_part(settings: Settings, part: LogPart) -> OfflineRun:
    """What the twin makes of a log, or of a part of it, computed in this process: no Kafka, no wall clock.

    Raises:
        ConfigurationError: there is nothing in the part.
        LogDamaged: the log is not whole; half a result would pass for one.
    """
    layout = {topic: count for topic, count in part.header.partitions.items() if topic != LEDGER or part.holds_ledger}
    part.require_records()
    if part.holds_ledger:
        return fold_log(part.with_ledger(), layout, settings, energy_anew=not part.span.is_whole)
    return fold_log(chain(part.words_before(), part.inputs()), layout, settings)


def fold_log(
    records: Iterable[Record], layout: Mapping[str, int], settings: Settings, *, energy_anew: bool = False
) -> OfflineRun:
    """Fold a log's records; `layout` says how many partitions each of its topics had, as far as it is known.

    A log that holds the ledger is folded by that: what was decided by wall time then is not decided anew. The samples
    in it count energy from when the twin that wrote them began; `energy_anew` leaves out what it was in the first ones.
    """
    partitions = {SITES: 1, DEMAND: 1, LEDGER: 1, TELEMETRY: settings.kafka.telemetry_partitions, **layout}
    twin = OfflineTwin(
        rules_of(settings.twin), chosen_catalogue(settings.twin), partitions[TELEMETRY], LEDGER in layout
    )
    run = OfflineRun(twin, energy_before={} if energy_anew else None)
    for record in placed((record for record in records if record.topic in _FOLDED), partitions):
        for output in twin.fold(record):
            run.take(output)
        run.note_energy()
    return run


def _name(sample: Any) -> str:
    return str(sample.site)
