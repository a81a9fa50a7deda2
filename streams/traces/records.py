"""The records that a trace is made of: each was sent at its own event time, and none has its place yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.clock import Clock
from models.cloudevents import ARROW, JSON, EventType, headers
from models.demand import DemandEnded, DemandRevised
from models.facts import SiteFacts
from models.frame import encode_frame
from models.instants import instant_of, moment_of
from models.partitioning import NOT_PLACED
from models.record import SENT_AT, Record
from models.topics import DEMAND, SITES, TELEMETRY


def frame_record(site: str, columns: Mapping[str, Any], source: str, at: int, part: int) -> Record:
    """Readings of a site as `models.frame.COLUMNS`, sent at `at`; `part` tells apart the frames of one instant."""
    value = encode_frame(site, columns)
    return _record(TELEMETRY, EventType.FRAME, site, value, source, f"{site}/{at}/{part}", at, ARROW)


def clock_records(until: int, source: str) -> Iterator[Record]:
    """The clock of each input: everything up to `until` has been sent."""
    value = Clock(until=moment_of(until)).model_dump_json().encode()
    for topic in (TELEMETRY, SITES, DEMAND):
        yield _record(topic, EventType.CLOCK, "clock", value, source, f"clock/{topic}/{until}", until)


def facts_record(facts: SiteFacts, source: str) -> Record:
    """Site facts."""
    at = instant_of(facts.at)
    value = facts.model_dump_json().encode()
    return _record(SITES, EventType.SITE_FACTS, facts.site, value, source, f"facts/{facts.site}/{at}", at)


def demand_record(demand: DemandRevised | DemandEnded, source: str) -> Record:
    """A demand as it stands, or that it is gone."""
    at = instant_of(demand.at)
    kind = EventType.DEMAND_ENDED if isinstance(demand, DemandEnded) else EventType.DEMAND_REVISED
    value = demand.model_dump_json(exclude_none=True).encode()
    return _record(DEMAND, kind, demand.demand, value, source, f"demand/{demand.demand}/{at}", at)


def _record(  # all that a record is
    topic: str,
    event: EventType,
    key: str,
    value: bytes,
    source: str,
    identity: str,
    at: int,
    content_type: str = JSON,
) -> Record:
    described = (*headers(event, source, identity, at, content_type), (SENT_AT, b"%d" % at))
    return Record(topic, NOT_PLACED, NOT_PLACED, at, key.encode(), value, described)
