"""The messages of the contract: which there are, what each is made of, and who writes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel

from models.clock import Clock
from models.cloudevents import ARROW, JSON, EventType
from models.demand import DemandEnded, DemandRevised
from models.facts import SiteFacts
from models.ledger import Admitted, Away, Back, Samples
from models.meter_reading import MeterReading
from models.node_event import NodeEvent
from models.owner import Owner
from models.pipeline import PipelineSample
from models.reading import Reading
from models.shortage import Shortage
from models.state import FleetState, SiteState
from models.tenant import TenantRevised
from streams.contract.tables import FRAME_TABLE, NODE_FRAME_TABLE, Table


class Writer(StrEnum):
    """Who writes a message; the promise of a version differs by that."""

    SENDERS = "senders"
    """Others: what they may write."""
    FLEETTWIN = "fleettwin"
    """The workers, for everybody."""
    INTERNAL = "internal"
    """The workers, for themselves: documented, and promised to nobody."""


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of record; `payload` is none where the value is not described: whatever was refused, or bytes."""

    name: str
    title: str
    writer: Writer
    about: str
    event: EventType | None = None
    payload: type[BaseModel] | Table | None = None
    bare: bool = False
    """Whether a record without headers is taken for this one, in its own topic."""
    empty: bool = False
    """Whether it has no value: the end of its key in a compacted topic."""

    @property
    def content_type(self) -> str | None:
        """Of the value; unknown where that may be anything."""
        if isinstance(self.payload, Table):
            return ARROW
        return None if self.payload is None else JSON


def _about(model: type[BaseModel], *more: str) -> str:
    return " ".join(((model.__doc__ or "").strip(), *more))


MESSAGES = (
    Message(
        "reading",
        "Reading",
        Writer.SENDERS,
        _about(Reading, "For people and small senders; fleets send frames."),
        EventType.READING,
        Reading,
        bare=True,
    ),
    Message(
        "frame",
        "Frame of readings",
        Writer.SENDERS,
        "Many readings of one site in one record, in columns. Rows are judged one by one: good ones count even where"
        " others are refused.",
        EventType.FRAME,
        FRAME_TABLE,
    ),
    Message(
        "clock",
        "Clock",
        Writer.SENDERS,
        _about(
            Clock,
            "Sent once into every partition of a topic. The workers send it themselves each second unless they are told"
            " that the senders do (`FLEETTWIN_TWIN__CLOCK=log`), as replays and simulators do.",
        ),
        EventType.CLOCK,
        Clock,
    ),
    Message("site-facts", "Site facts", Writer.SENDERS, _about(SiteFacts), EventType.SITE_FACTS, SiteFacts, bare=True),
    Message(
        "demand-revised",
        "Demand",
        Writer.SENDERS,
        _about(DemandRevised, "Sent whole; the newest by `at` stands."),
        EventType.DEMAND_REVISED,
        DemandRevised,
        bare=True,
    ),
    Message(
        "demand-ended", "End of a demand", Writer.SENDERS, _about(DemandEnded), EventType.DEMAND_ENDED, DemandEnded
    ),
    Message(
        "tenant-revised",
        "A tenant's quotas",
        Writer.SENDERS,
        _about(TenantRevised, "Sent whole; the newest by `at` stands."),
        EventType.TENANT_REVISED,
        TenantRevised,
    ),
    Message(
        "node-frame",
        "Nodes of a site",
        Writer.FLEETTWIN,
        "Every node of a site as the twin holds it, each 10 s of event time unless configured, in columns; a large site"
        " in several parts.",
        EventType.NODE_FRAME,
        NODE_FRAME_TABLE,
    ),
    Message("site-state", "State of a site", Writer.FLEETTWIN, _about(SiteState), EventType.SITE_STATE, SiteState),
    Message(
        "fleet-state", "State of the fleet", Writer.FLEETTWIN, _about(FleetState), EventType.FLEET_STATE, FleetState
    ),
    Message(
        "shortage",
        "Shortage event",
        Writer.FLEETTWIN,
        _about(Shortage, "It carries the whole state of the episode, so the newest by `sequence` is all that counts."),
        EventType.SHORTAGE,
        Shortage,
    ),
    Message(
        "shortage-resolved",
        "Shortage that is open no more",
        Writer.FLEETTWIN,
        "No value: the episode of this key has resolved. How it ended stands in `fleet.shortages.v1`.",
        EventType.SHORTAGE,
        empty=True,
    ),
    Message("node-event", "Node event", Writer.FLEETTWIN, _about(NodeEvent), EventType.NODE_EVENT, NodeEvent),
    Message(
        "meter-reading",
        "Reading of a meter",
        Writer.FLEETTWIN,
        _about(MeterReading),
        EventType.METER_READING,
        MeterReading,
    ),
    Message(
        "dead-letter",
        "Dead letter",
        Writer.FLEETTWIN,
        "A record that was refused, or a frame of which some rows were: value, key and headers as they came, with the"
        " reason in further headers. Of a record that was well formed and made no sense to the fleet the value is"
        " written anew, without key and headers of its own.",
    ),
    Message("samples", "Samples", Writer.INTERNAL, _about(Samples), EventType.SAMPLES, Samples),
    Message("admitted", "Admitted record", Writer.INTERNAL, _about(Admitted), EventType.ADMITTED, Admitted),
    Message("away", "Partition away", Writer.INTERNAL, _about(Away), EventType.AWAY, Away),
    Message("back", "Partition back", Writer.INTERNAL, _about(Back), EventType.BACK, Back),
    Message(
        "pipeline-sample",
        "A worker's own work",
        Writer.INTERNAL,
        _about(PipelineSample),
        EventType.PIPELINE_SAMPLE,
        PipelineSample,
    ),
    Message("owner", "Owner of a partition", Writer.INTERNAL, _about(Owner), EventType.OWNER, Owner),
    Message(
        "checkpoint",
        "Part of a checkpoint",
        Writer.INTERNAL,
        "A piece of a machine's state, compressed, or the JSON manifest that says how many pieces there are.",
    ),
)

BY_NAME = {message.name: message for message in MESSAGES}
