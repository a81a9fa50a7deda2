"""The edge: a telemetry record becomes columns, a clock, or a refusal. Good rows of a frame with bad ones are kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pydantic import ValidationError

from models.catalogue import Catalogue
from models.clock import Clock
from models.cloudevents import ARROW, JSON, EventType, check_json, unwrap
from models.columns import UNKNOWN, ReadingColumns, Roster
from models.edge import FrameEdge, Mask, RowRefusal, latest_at
from models.errors import RecordRefused, first_doubt
from models.frame import read_frame
from models.instants import Instant, instant_of, ticks_have
from models.names import check_site, usable
from models.plain import PlainReader
from models.record import Record
from models.rosters import RosterCache, RosterContent
from models.single import SingleReading


@dataclass(frozen=True, slots=True)
class Readings:
    """What a frame holds: the good rows, and why the others were refused."""

    site: str
    columns: ReadingColumns
    refusals: tuple[RowRefusal, ...] = ()


@dataclass
class TelemetryDecoder:
    """Decodes the records of telemetry. Remembers rosters that it has read; the result does not depend on that."""

    catalogue: Catalogue
    _rosters: RosterCache = field(default_factory=RosterCache)
    _singles: PlainReader = field(init=False)

    def __post_init__(self) -> None:
        self._singles = PlainReader(self.catalogue)

    def decode(self, record: Record) -> Readings | SingleReading | Instant:
        """The readings of a frame, the one of a JSON record, or the instant of a clock.

        Raises:
            RecordRefused: nothing in the record can be used.
        """
        envelope = unwrap(record, EventType.READING)
        match envelope.type, envelope.content_type:
            case EventType.READING, content_type if content_type == JSON:
                return self._singles.read(record, envelope.body)
            case EventType.FRAME, content_type if content_type == ARROW:
                return self._frame(record, envelope.body)
            case EventType.CLOCK, _:
                return _clock(envelope.body, record.sent_at)
        raise RecordRefused("unexpected", f"{envelope.type} as {envelope.content_type} in telemetry")

    def _frame(self, record: Record, body: bytes) -> Readings:
        site, batch = read_frame(body)
        check_site(site, record.key)
        roster, named = self._roster(batch)
        edge = FrameEdge(batch, roster, named, self.catalogue, record.sent_at)
        columns = edge.read()
        return Readings(site, columns, tuple(edge.refusals[row] for row in sorted(edge.refusals)))

    def _roster(self, batch: pa.RecordBatch) -> tuple[Roster, Mask]:
        """Who the rows are, and which of them have names that can be used."""
        racks = batch.column("rack") if "rack" in batch.schema.names else None
        content = RosterContent.of(batch.column("node"), batch.column("type"), racks)
        known = self._rosters.get(content)
        if known is not None:
            return known
        nodes, types = _texts(batch.column("node")), _texts(batch.column("type"))
        rack_names = _texts(racks) if racks is not None else [""] * len(nodes)
        codes = np.array([self.catalogue.codes.get(name, UNKNOWN) for name in types], dtype=np.int64)
        good_racks = {rack for rack in set(rack_names) if rack == "" or usable(rack)}
        named = np.array(
            [usable(node) and rack in good_racks for node, rack in zip(nodes, rack_names, strict=True)], dtype=bool
        )
        known = Roster(tuple(nodes), tuple(rack_names), codes), named
        self._rosters.keep(content, known)
        return known


def _texts(array: pa.Array) -> list[str]:
    """Empty where nothing is said. NumPy makes strings of a column several times as fast as Arrow does."""
    if isinstance(array, pa.DictionaryArray):
        words = [*_texts(array.dictionary), ""]
        return [words[index] for index in array.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)]
    return [text or "" for text in array.to_numpy(zero_copy_only=False).tolist()]


def _clock(body: bytes, sent_at: int) -> Instant:
    check_json(body)
    try:
        until = Clock.model_validate_json(body).until
    except ValidationError as invalid:
        raise RecordRefused("undecodable", f"clock: {first_doubt(invalid)}") from None
    if not ticks_have(until):
        raise RecordRefused("out_of_range", f"until is {until.isoformat()}")
    if instant_of(until) > latest_at(sent_at):
        raise RecordRefused("future", f"until is {until.isoformat()}")
    return instant_of(until)
