"""What a record is about, as far as a part of a log must know: clocks, sites, and what was said of sites and demand."""

from __future__ import annotations

import orjson

from models.cloudevents import STRUCTURED, EventType, unwrap
from models.errors import RecordRefused
from models.record import Record
from models.topics import DEMAND, LEDGER, NODES, SITES, STATE, TELEMETRY

OF_ONE_SITE = (TELEMETRY, SITES, NODES, STATE)
"""Topics whose records are keyed by their site."""

_CLOCK, _ADMITTED = EventType.CLOCK.encode(), EventType.ADMITTED.encode()
_PRESENCE = (EventType.AWAY.encode(), EventType.BACK.encode())


def is_clock(record: Record) -> bool:
    """Whether the record says how far its topic has come."""
    named = record.header("ce_type")
    if named is None and (record.header("content-type") or b"").startswith(STRUCTURED.encode()):
        try:
            return unwrap(record, EventType.READING).type is EventType.CLOCK
        except RecordRefused:
            return False
    return named == _CLOCK


def of_sites(record: Record, sites: frozenset[str]) -> bool:
    """Whether a record belongs to a log of these sites alone.

    Clocks and demand do: neither is of one site. What speaks of all sites at once, such as the ledger, does not.
    """
    if record.topic == DEMAND:
        return True
    if record.topic not in OF_ONE_SITE:
        return False
    return is_clock(record) or (record.key or b"").decode(errors="replace") in sites


def is_statement(record: Record) -> bool:
    """Whether it is a word that stands until another one is said: of a site, of demand, or such a one in the ledger."""
    if record.topic in (SITES, DEMAND):
        return not is_clock(record)
    if record.topic != LEDGER:
        return False
    named = record.header("ce_type")
    return named in _PRESENCE or (named == _ADMITTED and not _is_admitted_clock(record))


def _is_admitted_clock(record: Record) -> bool:
    try:
        body = orjson.loads(record.value or b"")["body"]
        return bool(body["kind"] == "clock")
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False
