"""What the store has read and not yet written: a batch of rows, and the offsets that may be committed with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from infra.timescale.batch import RowBatch
from infra.timescale.own_rows import storable
from models.cloudevents import EventType
from models.dead_letter import DeadLetter, read_letter
from models.errors import RecordRefused
from models.node_frame import NodeFrame, read_node_frame
from models.pipeline import PipelineSample
from models.record import Record
from models.replay_note import is_note
from models.shortage import Shortage
from models.state import FleetState, SiteState
from models.topics import DEAD_LETTERS

"""Their records have the headers of what was refused, so the topic alone says what they are."""

MOST_BYTES = 64 * 1024 * 1024
"""Waiting to be written; then reading stops until some are."""


@dataclass
class Gathering:
    """Records in the order in which they came."""

    sites: list[SiteState] = field(default_factory=list)
    fleet: list[FleetState] = field(default_factory=list)
    shortages: list[Shortage] = field(default_factory=list)
    nodes: list[NodeFrame] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    pipeline: list[PipelineSample] = field(default_factory=list)
    next_offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    records: int = 0
    bytes: int = 0

    @property
    def full(self) -> bool:
        """Whether it should be written before more is read."""
        return self.bytes >= MOST_BYTES

    def add(self, record: Record) -> None:
        """Take a record in.

        Raises:
            RecordRefused: it is none of ours; its offset counts as read all the same.
        """
        self.next_offsets[record.topic, record.partition] = record.offset + 1
        self.records += 1
        self.bytes += len(record.value or b"")
        if record.topic in DEAD_LETTERS:
            if not is_note(record):
                self.letters.append(read_letter(record))
            return
        kind, value = (record.header("ce_type") or b"").decode("latin-1"), record.value or b""
        try:
            match kind:
                case EventType.SITE_STATE:
                    self.sites.append(SiteState.model_validate_json(value))
                case EventType.FLEET_STATE:
                    self.fleet.append(FleetState.model_validate_json(value))
                case EventType.SHORTAGE:
                    self.shortages.append(Shortage.model_validate_json(value))
                case EventType.NODE_FRAME:
                    self.nodes.append(read_node_frame(value))
                case EventType.PIPELINE_SAMPLE:
                    self.pipeline.append(_checked(PipelineSample.model_validate_json(value)))
                case _:
                    raise RecordRefused("unexpected", f"ce_type {kind!r}")
        except ValidationError as invalid:
            raise RecordRefused("undecodable", f"{kind}: {invalid.errors()[0]['msg']}") from None

    def batch(self) -> RowBatch:
        """As the sink takes it."""
        return RowBatch(self.sites, self.fleet, self.shortages, self.nodes, self.letters, self.pipeline)

    def positions(self) -> Mapping[tuple[str, int], int]:
        """What may be committed once the batch is written."""
        return dict(self.next_offsets)


def _checked(sample: PipelineSample) -> PipelineSample:
    if not storable(sample):
        raise RecordRefused("undecodable", "a pipeline sample with numbers or texts that no table can hold")
    return sample
