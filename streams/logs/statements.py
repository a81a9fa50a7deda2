"""What a record is about, as far as a part of a log must know: clocks, sites, and what was said of sites and demand."""

from __future__ import annotations

from pydantic import ValidationError

from models.cloudevents import EventType, unwrap
from models.errors import RecordRefused
from models.ledger import LEDGER_RECORD, Admitted, AdmittedClock
from models.record import Record
from models.topics import DEMAND, LEDGER, NODES, SITES, STATE, TELEMETRY

OF_ONE_SITE = (TELEMETRY, SITES, NODES, STATE)
"""Topics whose records are keyed by their site."""

_ADMITTED = EventType.ADMITTED.encode()
_PRESENCE = (EventType.AWAY.encode(), EventType.BACK.encode())


def is_clock(record: Record) -> bool:
    """Whether the record says how far its topic has come."""
    try:
        return unwrap(record, EventType.READING).type is EventType.CLOCK
    except RecordRefused:
        return False


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
    return named in _PRESENCE or (named == _ADMITTED and not is_admitted_clock(record))


def is_admitted_clock(record: Record) -> bool:
    """Whether a record of the ledger is a clock that was admitted."""
    if record.header("ce_type") != _ADMITTED:
        return False
    try:
        entry = LEDGER_RECORD.validate_json(record.value or b"")
    except ValidationError:
        return False
    return isinstance(entry, Admitted) and isinstance(entry.body, AdmittedClock)
