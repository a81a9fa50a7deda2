"""Admission: what people and schedulers say is checked and, if it makes sense, gets its place in the ledger.

Stateless: a record gives one record, whatever came before, so a repeat after a crash is the same and dropped there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from models.catalogue import Catalogue
from models.cloudevents import EventType, check_json, headers, unwrap
from models.dead_letter import refused_record
from models.edge import latest_at
from models.errors import RecordRefused, first_doubt
from models.instants import instant_of, ticks_have
from models.ledger import (
    Admitted,
    AdmittedClock,
    AdmittedDemand,
    AdmittedEnd,
    AdmittedFacts,
    AdmittedTenant,
    Away,
    Back,
    Source,
)
from models.names import FLEET
from models.record import Outgoing, Record
from models.topics import DEMAND, LEDGER, SITES

_BARE = {SITES: EventType.SITE_FACTS, DEMAND: EventType.DEMAND_REVISED}

_Model = TypeVar("_Model", bound=BaseModel)

Body = AdmittedClock | AdmittedFacts | AdmittedDemand | AdmittedEnd | AdmittedTenant


def admit(record: Record, catalogue: Catalogue) -> Outgoing:
    """The ledger's record for a record of the sites or demand topic, or the dead letter of it."""
    try:
        body = _body(record)
        _check(body, record, catalogue)
    except RecordRefused as refused:
        return refused_record(record, refused)
    source = Source(topic=record.topic, partition=record.partition, offset=record.offset)
    identity = f"{record.topic}/{record.partition}/{record.offset}"
    at = body.until if isinstance(body, AdmittedClock) else body.at
    return _entry(Admitted(source=source, body=body), EventType.ADMITTED, identity, instant_of(at))


def presence(partition: int, *, away: bool, instant: int) -> Outgoing:
    """The ledger's record of a telemetry partition that is away, or back."""
    entry = Away(partition=partition) if away else Back(partition=partition)
    kind = EventType.AWAY if away else EventType.BACK
    return _entry(entry, kind, f"{entry.kind}/{partition}@{instant}", instant)


def _entry(entry: Admitted | Away | Back, kind: EventType, identity: str, instant: int) -> Outgoing:
    named = headers(kind, "//fleettwin/admission", identity, instant)
    return Outgoing(LEDGER, identity.encode(), entry.model_dump_json().encode(), named, identity, 0)


def _body(record: Record) -> Body:
    envelope = unwrap(record, _BARE[record.topic])
    match record.topic, envelope.type:
        case _, EventType.CLOCK:
            return _parsed(AdmittedClock, envelope.body)
        case topic, EventType.SITE_FACTS if topic == SITES:
            return _parsed(AdmittedFacts, envelope.body)
        case topic, EventType.DEMAND_REVISED if topic == DEMAND:
            return _parsed(AdmittedDemand, envelope.body)
        case topic, EventType.DEMAND_ENDED if topic == DEMAND:
            return _parsed(AdmittedEnd, envelope.body)
        case topic, EventType.TENANT_REVISED if topic == DEMAND:
            return _parsed(AdmittedTenant, envelope.body)
    raise RecordRefused("unexpected", f"{envelope.type} in {record.topic}")


def _parsed(model: type[_Model], body: bytes) -> _Model:
    check_json(body)
    try:
        return model.model_validate_json(body)
    except ValidationError as invalid:
        raise RecordRefused("invalid", first_doubt(invalid)) from None


def _check(body: Body, record: Record, catalogue: Catalogue) -> None:
    """What the model alone cannot see.

    Raises:
        RecordRefused: `unknown_type`, `reserved`, `out_of_range`, or `future`.
    """
    moment = check_moment(body)
    for type_ in types_of(body):
        catalogue[type_]
    if isinstance(body, AdmittedFacts) and body.site == FLEET:
        raise RecordRefused("reserved", f"site {body.site!r} would share its key with the fleet's own state")
    if instant_of(moment) > latest_at(record.sent_at):
        raise RecordRefused("future", f"its time is {moment.isoformat()}")


def check_moment(body: Body) -> datetime:
    """The time of a body, which must be one that ticks can have.

    Raises:
        RecordRefused: `out_of_range`.
    """
    moment = body.until if isinstance(body, AdmittedClock) else body.at
    if not ticks_have(moment):
        raise RecordRefused("out_of_range", f"its time is {moment.isoformat()}")
    return moment


def types_of(body: Body) -> Iterable[str]:
    """The accelerator types that it names."""
    match body:
        case AdmittedFacts():
            return [*(entry.type for entry in body.expected), *(entry.type for entry in body.arrivals)]
        case AdmittedTenant():
            return [type_ for quota in body.quotas for type_ in quota.types]
        case AdmittedDemand():
            return body.types
    return ()
