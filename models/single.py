"""A single reading of JSON as the whole numbers of one row: what it says, and what of it is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from pydantic import ValidationError

from models.catalogue import Catalogue
from models.cloudevents import check_json
from models.columns import UNKNOWN, UNSAID, AcceleratorColumns, AcceleratorMeasure, ReadingColumns, Roster
from models.edge import KEPT, MEASURES, latest_at
from models.errors import RecordRefused, first_doubt
from models.instants import instant_of
from models.names import check_site
from models.reading import STATE_CODES, AcceleratorReadings, Reading
from models.record import Record

Lists = Mapping[str, Sequence[int]]

_UNSAID = tuple(UNSAID[:, 0].tolist())


class SingleReading(NamedTuple):
    """One good reading, in the units of `ReadingColumns`."""

    site: str
    node: str
    rack: str
    """Empty where it is not known."""
    numbers: tuple[int, ...]
    """The type's place in the catalogue's ids, then the values of `models.columns.VALUE_NAMES`."""
    each: tuple[Sequence[int], ...] = ()
    """By `AcceleratorMeasure`, a value for each accelerator; empty where nothing is known of any."""

    @property
    def at(self) -> int:
        """When it was measured."""
        return self.numbers[1]

    @property
    def columns(self) -> ReadingColumns:
        """The same as columns of one row."""
        code, *values = self.numbers
        roster = Roster((self.node,), (self.rack,), np.array([code], dtype=np.int64))
        columns = np.array([0, *values], dtype=np.int64).reshape(-1, 1)
        accelerators = None
        if self.each:
            each = np.array(self.each, dtype=np.int64)
            accelerators = AcceleratorColumns(np.array([each.shape[1]], dtype=np.int64), each)
        return ReadingColumns(roster, *columns, accelerators=accelerators)


def read_single(record: Record, body: bytes, catalogue: Catalogue) -> SingleReading:
    """The reading that is the body of this record.

    Raises:
        RecordRefused: it cannot be used.
    """
    check_json(body)
    try:
        reading = Reading.model_validate_json(body)
    except ValidationError as invalid:
        raise RecordRefused("invalid_reading", first_doubt(invalid)) from None
    check_site(reading.site, record.key)
    code = catalogue.codes[catalogue[reading.type].id]
    lists = _lists(reading.accelerators)
    at, power = instant_of(reading.at), _measured(reading, "power_watts", lists)
    if at > latest_at(record.sent_at):
        raise RecordRefused("future", f"at is {reading.at.isoformat()}")
    if at < 0:
        raise RecordRefused("out_of_range", f"at is {reading.at.isoformat()}")
    if power > plausible_power(catalogue, code, reading.installed):
        raise RecordRefused("implausible_power", f"power_watts is {reading.power_watts}")
    measured = (_measured(reading, name, lists) for name in MEASURES)
    numbers = (code, at, *_counts(reading), *measured, STATE_CODES[reading.state])
    return SingleReading(reading.site, reading.node, reading.rack or "", numbers, _each(reading.installed, lists))


def plausible_power(catalogue: Catalogue, code: int, installed: int) -> int:
    """The most milliwatts that a node with so many accelerators may say it draws."""
    columns = np.array([[code], [installed]], dtype=np.int64)
    return int(catalogue.columns.plausible(*columns)[0])


def _counts(reading: Reading) -> tuple[int, ...]:
    allocated = UNKNOWN if reading.allocated is None else reading.allocated
    return reading.sequence, reading.installed, reading.in_service, allocated


def _measured(reading: Reading, name: str, lists: Lists) -> int:
    """What the node does not say of itself is taken from its accelerators."""
    value: float | None = getattr(reading, name)
    if value is not None:
        return _whole(name, value)
    together, unknown, of_each = _TOGETHER.get(name), MEASURES[name].unknown, lists.get(name, ())
    return together(of_each) if together and of_each and unknown not in of_each else unknown


def _each(installed: int, lists: Lists) -> tuple[Sequence[int], ...]:
    """What is kept of each accelerator, by `AcceleratorMeasure`; empty where no list knows a value."""
    kept = {KEPT[name]: values for name, values in lists.items() if name in KEPT}
    if all(value == _UNSAID[measure] for measure, values in kept.items() for value in values):
        return ()
    return tuple(kept.get(measure, (_UNSAID[measure],) * installed) for measure in AcceleratorMeasure)


def _lists(accelerators: AcceleratorReadings | None) -> Lists:
    """The lists that are there, in whole numbers."""
    given = ((name, values) for name, values in accelerators or () if values is not None)
    return {name: [_whole(name, value) for value in values] for name, values in given}


def _whole(name: str, value: float | None) -> int:
    return MEASURES[name].unknown if value is None else round(value * MEASURES[name].scale)


def _mean(values: Sequence[int]) -> int:
    return sum(values) // len(values)


_TOGETHER: Mapping[str, Callable[[Sequence[int]], int]] = {
    "utilization": _mean,
    "sm_active": _mean,
    "memory_used_bytes": sum,
    "temperature_celsius": max,
}
"""How a node's figure follows from its accelerators' where it does not say it itself. Its watts never do."""
