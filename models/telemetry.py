"""The edge: a telemetry record becomes columns, a clock, or a refusal. Good rows of a frame with bad ones are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pydantic import ValidationError

from models.accelerators import gathered
from models.catalogue import Catalogue
from models.clock import Clock
from models.cloudevents import ARROW, JSON, EventType, unwrap
from models.columns import UNKNOWN, ReadingColumns, Roster
from models.edge import FUTURE_TOLERANCE, KEPT, MEASURES, FrameEdge, Mask, RowRefusal
from models.errors import RecordRefused, first_doubt
from models.frame import read_frame
from models.instants import LAST, Instant, instant_of
from models.names import FLEET, LONGEST_NAME
from models.reading import STATE_CODES, AcceleratorReadings, Reading
from models.record import Record

_ROSTERS_KEPT = 8192


@dataclass(frozen=True, slots=True)
class Readings:
    """What a record of readings holds: the good rows, and why the others were refused."""

    site: str
    columns: ReadingColumns
    refusals: tuple[RowRefusal, ...] = ()


@dataclass
class TelemetryDecoder:
    """Decodes the records of telemetry. Remembers rosters that it has read; the result does not depend on that."""

    catalogue: Catalogue
    _rosters: dict[bytes, tuple[Roster, Mask]] = field(default_factory=dict)

    def decode(self, record: Record) -> Readings | Instant:
        """The readings of a record, or the instant of a clock.

        Raises:
            RecordRefused: nothing in the record can be used.
        """
        envelope = unwrap(record, EventType.READING)
        match envelope.type, envelope.content_type:
            case EventType.CLOCK, _:
                return _clock(envelope.body, record.sent_at)
            case EventType.FRAME, content_type if content_type == ARROW:
                return self._frame(record, envelope.body)
            case EventType.READING, content_type if content_type == JSON:
                return self._reading(record, envelope.body)
        raise RecordRefused("unexpected", f"{envelope.type} as {envelope.content_type} in telemetry")

    def _frame(self, record: Record, body: bytes) -> Readings:
        site, batch = read_frame(body)
        _check_site(site, record.key)
        roster, named = self._roster(batch)
        edge = FrameEdge(batch, roster, named, self.catalogue, record.sent_at)
        columns = edge.read()
        return Readings(site, columns, tuple(edge.refusals[row] for row in sorted(edge.refusals)))

    def _reading(self, record: Record, body: bytes) -> Readings:
        try:
            reading = Reading.model_validate_json(body)
        except ValidationError as invalid:
            raise RecordRefused("invalid_reading", first_doubt(invalid)) from None
        _check_site(reading.site, record.key)
        code = self.catalogue.codes[self.catalogue[reading.type].id]
        columns = _one_row(reading, code)
        if columns.at[0] > record.sent_at + FUTURE_TOLERANCE:
            raise RecordRefused("future", f"at is {reading.at.isoformat()}")
        if columns.at[0] < 0:
            raise RecordRefused("out_of_range", f"at is {reading.at.isoformat()}")
        if columns.power[0] > self.catalogue.columns.plausible(columns.roster.codes, columns.installed)[0]:
            raise RecordRefused("implausible_power", f"power_watts is {reading.power_watts}")
        return Readings(reading.site, columns)

    def _roster(self, batch: pa.RecordBatch) -> tuple[Roster, Mask]:
        """Who the rows are, and which of them have names that can be used."""
        racks = batch.column("rack") if "rack" in batch.schema.names else None
        key = b"".join(_content(array) for array in (batch.column("node"), batch.column("type"), racks))
        known = self._rosters.get(key)
        if known is not None:
            return known
        nodes, types = _texts(batch.column("node")), _texts(batch.column("type"))
        rack_names = _texts(racks) if racks is not None else [""] * len(nodes)
        codes = np.array([self.catalogue.codes.get(name, UNKNOWN) for name in types], dtype=np.int64)
        named = np.array(
            [_usable(node) and (rack == "" or _usable(rack)) for node, rack in zip(nodes, rack_names, strict=True)],
            dtype=bool,
        )
        roster = Roster(key, tuple(nodes), tuple(rack_names), codes)
        if len(self._rosters) >= _ROSTERS_KEPT:
            del self._rosters[next(iter(self._rosters))]
        self._rosters[key] = roster, named
        return roster, named


def _check_site(site: str, key: bytes | None) -> None:
    if not _usable(site):
        raise RecordRefused("bad_name", f"site {site[:LONGEST_NAME]!r}")
    if site == FLEET:
        raise RecordRefused("reserved", f"site {site!r} would share its key with the fleet's own state")
    if key != site.encode():
        raise RecordRefused("wrong_key", f"the key is {key!r}, the site {site!r}")


def _usable(name: str) -> bool:
    """Whether the text is a `models.names.Name`."""
    return 0 < len(name) <= LONGEST_NAME and not any(c < " " or "\x7f" <= c <= "\x9f" for c in name)


def _one_row(reading: Reading, code: int) -> ReadingColumns:
    """The columns of a single reading; what the node does not say of itself is taken from its accelerators."""
    lists = _lists(reading.accelerators)

    def measured(name: str, together: Callable[[Sequence[int]], int] | None = None) -> int:
        value: float | None = getattr(reading, name)
        if value is not None:
            return _whole(name, value)
        unknown, of_each = MEASURES[name].unknown, lists.get(name, ())
        return together(of_each) if together and of_each and unknown not in of_each else unknown

    values = (
        0,
        instant_of(reading.at),
        reading.sequence,
        reading.installed,
        reading.in_service,
        UNKNOWN if reading.allocated is None else reading.allocated,
        measured("power_watts"),
        measured("utilization", _mean),
        measured("sm_active", _mean),
        measured("memory_used_bytes", sum),
        measured("temperature_celsius", max),
        STATE_CODES[reading.state],
    )
    key = repr((reading.node, reading.rack, reading.type)).encode()
    roster = Roster(key, (reading.node,), (reading.rack or "",), np.array([code], dtype=np.int64))
    owners = np.zeros(reading.installed, dtype=np.int64)
    kept = {KEPT[name]: (owners, np.array(of_each, dtype=np.int64)) for name, of_each in lists.items() if name in KEPT}
    accelerators = gathered(np.array([reading.installed]), kept) if kept else None
    return ReadingColumns(roster, *np.array(values, dtype=np.int64).reshape(-1, 1), accelerators=accelerators)


def _lists(accelerators: AcceleratorReadings | None) -> dict[str, list[int]]:
    """The lists that are there, in whole numbers."""
    given = ((name, values) for name, values in accelerators or () if values is not None)
    return {name: [_whole(name, value) for value in values] for name, values in given}


def _whole(name: str, value: float | None) -> int:
    return MEASURES[name].unknown if value is None else round(value * MEASURES[name].scale)


def _mean(values: Sequence[int]) -> int:
    return sum(values) // len(values)


def _texts(array: pa.Array) -> list[str]:
    return [text or "" for text in array.to_pylist()]


def _content(array: pa.Array | None) -> bytes:
    """Bytes that are equal for equal arrays only."""
    if array is None:
        return b"-"
    if array.offset:
        array = pa.concat_arrays([array])
    parts = [len(array).to_bytes(8, "little")]
    for buffer in array.buffers():
        content = b"" if buffer is None else buffer.to_pybytes()
        parts += [len(content).to_bytes(8, "little"), content]
    return b"".join(parts) + (_content(array.dictionary) if isinstance(array, pa.DictionaryArray) else b"")


def _clock(body: bytes, sent_at: int) -> Instant:
    try:
        until = Clock.model_validate_json(body).until
    except ValidationError as invalid:
        raise RecordRefused("undecodable", f"clock: {first_doubt(invalid)}") from None
    if not 0 <= instant_of(until) <= LAST:
        raise RecordRefused("out_of_range", f"until is {until.isoformat()}")
    if instant_of(until) > sent_at + FUTURE_TOLERANCE:
        raise RecordRefused("future", f"until is {until.isoformat()}")
    return instant_of(until)
