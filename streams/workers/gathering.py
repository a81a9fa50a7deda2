"""What the store has read and not yet written: a batch of rows, and the offsets that may be committed with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from infra.timescale.batch import RowBatch
from infra.timescale.storable import recent, storable, storable_frame
from models.cloudevents import EventType
from models.dead_letter import DeadLetter, read_letter
from models.errors import RecordRefused
from models.node_frame import MOST_ROWS, NodeFrame, read_node_frame
from models.pipeline import PipelineSample
from models.record import Record
from models.replay_note import is_note
from models.shortage import Shortage
from models.state import FleetState, SiteState
from models.topics import DEAD_LETTERS

_Told = TypeVar("_Told", bound=BaseModel)

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
    begins: dict[tuple[str, int], int] = field(default_factory=dict)
    """Where reading went on from, of each partition that has a record in it."""
    next_offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    records: int = 0
    bytes: int = 0
    _last_frames: dict[int, NodeFrame] = field(default_factory=dict)
    """Of nodes, by partition."""
    _added: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def full(self) -> bool:
        """Whether it should be written before more is read."""
        return self.bytes >= MOST_BYTES

    def add(self, record: Record, begin: int | None = None) -> None:
        """Take a record in.

        Args:
            record: The next one of its partition.
            begin: Where reading went on from to find it; without it, at the record itself.

        Raises:
            RecordRefused: it is none of ours; its offset counts as read all the same.
        """
        self.begins.setdefault((record.topic, record.partition), record.offset if begin is None else begin)
        self.next_offsets[record.topic, record.partition] = record.offset + 1
        self.records += 1
        self.bytes += len(record.value or b"")
        self._added.set()
        if record.topic in DEAD_LETTERS:
            # They have the headers of what was refused, so the topic alone says what they are.
            if not is_note(record):
                self.letters.append(read_letter(record))
            return
        kind, value = (record.header("ce_type") or b"").decode("latin-1"), record.value or b""
        try:
            match kind:
                case EventType.SITE_STATE:
                    self.sites.append(_checked(SiteState.model_validate_json(value)))
                case EventType.FLEET_STATE:
                    self.fleet.append(_checked(FleetState.model_validate_json(value)))
                case EventType.SHORTAGE:
                    self.shortages.append(_checked(Shortage.model_validate_json(value)))
                case EventType.NODE_FRAME:
                    self.nodes.append(_of_nodes(value))
                    self._last_frames[record.partition] = self.nodes[-1]
                case EventType.PIPELINE_SAMPLE:
                    self.pipeline.append(_recent(PipelineSample.model_validate_json(value)))
                case _:
                    raise RecordRefused("unexpected", f"ce_type {kind!r}")
        except ValidationError as invalid:
            raise RecordRefused("undecodable", f"{kind}: {invalid.errors()[0]['msg']}") from None

    async def complete(self, seconds: float) -> None:
        """Wait for the rest of a site's nodes where it may be on its way, for so long at most.

        A batch that ends between two frames of a site and a tick is right, and dear: the nodes of the second one are
        written down as absent, and taken out again with the next batch.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.full and any(frame.batch.num_rows == MOST_ROWS for frame in self._last_frames.values()):
                    self._added.clear()
                    await self._added.wait()

    def batch(self) -> RowBatch:
        """As the sink takes it."""
        return RowBatch(self.sites, self.fleet, self.shortages, self.nodes, self.letters, self.pipeline)

    def positions(self) -> Mapping[tuple[str, int], int]:
        """What may be committed once the batch is written."""
        return dict(self.next_offsets)

    def spans(self, prefix: str) -> Mapping[tuple[str, int], tuple[int, int]]:
        """From where to where each partition was read, by the topic's full name."""
        return {
            (prefix + topic, partition): (self.begins[topic, partition], end)
            for (topic, partition), end in self.next_offsets.items()
        }


def _checked(told: _Told) -> _Told:
    if not storable(told):
        raise RecordRefused("undecodable", f"a {type(told).__name__} with numbers or texts that no table can hold")
    return told


def _of_nodes(value: bytes) -> NodeFrame:
    frame = read_node_frame(value)
    if not storable_frame(frame):
        raise RecordRefused("undecodable", f"a node frame of tick {frame.tick} with what no table can hold")
    return frame


def _recent(sample: PipelineSample) -> PipelineSample:
    if not recent(sample):
        raise RecordRefused("undecodable", f"a pipeline sample of {sample.since.isoformat()}")
    return _checked(sample)
