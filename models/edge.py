"""Which rows of a frame can be believed: from floats and nulls on the wire to whole numbers, with every doubt named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.accelerators import gathered
from models.catalogue import Catalogue
from models.columns import UNKNOWN, UNKNOWN_TEMPERATURE, AcceleratorMeasure, Integers, ReadingColumns, Roster
from models.frame import REQUIRED
from models.instants import LAST
from models.reading import MOST_ACCELERATORS, STATE_CODES

FUTURE_TOLERANCE = 60_000
"""Milliseconds that a reading's `at` may be ahead of when its record was sent."""

SENTINEL = 9.2e18
"""DCGM writes values near 2**63 (9223372036854775794 and its relatives) for what it does not know."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RowRefusal:
    """A row of a frame that was turned away."""

    row: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Measure:
    """How a measured column is read: its range on the wire, and how many of our whole units one of its own holds."""

    low: float
    high: float
    scale: int
    unknown: int = UNKNOWN


MEASURES = {
    "power_watts": Measure(0, 1e9, 1000),
    "utilization": Measure(0, 1, 1_000_000),
    "sm_active": Measure(0, 1, 1_000_000),
    "memory_used_bytes": Measure(0, 2**53, 1),
    "temperature_celsius": Measure(-60, 200, 1000, UNKNOWN_TEMPERATURE),
}

KEPT = {
    "utilization": AcceleratorMeasure.UTILIZATION,
    "power_watts": AcceleratorMeasure.POWER,
    "memory_used_bytes": AcceleratorMeasure.MEMORY_USED,
    "temperature_celsius": AcceleratorMeasure.TEMPERATURE,
}
"""The measures that are kept of each accelerator."""


def latest_at(sent_at: int) -> int:
    """The latest `at` of a record sent then; when that was is a sender's word, and may be beyond all calendars."""
    return min(sent_at + FUTURE_TOLERANCE, LAST)


@dataclass
class FrameEdge:
    """Reads one frame; `refusals` fills as columns are read, and a row's first doubt is the one that is told."""

    batch: pa.RecordBatch
    roster: Roster
    named: Mask
    catalogue: Catalogue
    sent_at: int
    columns: dict[str, pa.Array] = field(init=False)
    good: Mask = field(init=False)
    refusals: dict[int, RowRefusal] = field(default_factory=dict)
    lists: dict[AcceleratorMeasure, tuple[Integers, Integers]] = field(default_factory=dict)
    """The values of accelerators that were read, each with its row."""

    def __post_init__(self) -> None:
        self.columns = dict(zip(self.batch.schema.names, self.batch.columns, strict=True))
        self.good = np.ones(self.batch.num_rows, dtype=bool)

    def read(self) -> ReadingColumns:
        """The good rows."""
        self._doubt(~self.named, "bad_name", "node")
        self._doubt(self.roster.codes == UNKNOWN, "unknown_type", "type")
        at = self._whole("at", 0, latest_at(self.sent_at), "future")
        installed = self._whole("installed", 1, MOST_ACCELERATORS)
        columns = ReadingColumns(
            roster=self.roster,
            who=np.arange(self.batch.num_rows, dtype=np.int64),
            at=at,
            sequence=self._whole("sequence", 0, 2**63 - 1),
            installed=installed,
            in_service=self._whole("in_service", 0, installed),
            allocated=self._whole("allocated", 0, installed),
            power=self._measured("power_watts", installed),
            utilization=self._measured("utilization", installed),
            sm_active=self._measured("sm_active", installed),
            memory_used=self._measured("memory_used_bytes", installed),
            temperature=self._measured("temperature_celsius", installed),
            state=self._states(),
        )
        if "accelerator_power_watts" in self.columns:
            self._of_accelerators("power_watts", installed)
        codes = np.maximum(self.roster.codes, 0)
        plausible = self.catalogue.columns.plausible(*_each_once(codes, installed))
        self._doubt(columns.power > plausible, "implausible_power", "power_watts")
        if self.lists:
            columns = replace(columns, accelerators=gathered(installed, self.lists))
        return columns if self.good.all() else columns.rows(self.good)

    def _doubt(self, bad: Mask, code: str, name: str) -> None:
        if bad.any():
            for row in np.flatnonzero(bad & self.good).tolist():
                self.refusals[row] = RowRefusal(row, code, f"{name} is {_shown(self.columns[name][row])}")
            self.good &= ~bad

    def _whole(self, name: str, low: int, high: int | Integers, above: str = "out_of_range") -> Integers:
        """A column of whole numbers within bounds; `above` is the code of what exceeds the upper one."""
        array = self.columns.get(name)
        if array is None:
            return np.full(self.batch.num_rows, UNKNOWN, dtype=np.int64)
        values = _integers(array)
        if _within(values, low, high):
            return values
        outside = (values < low) | (values > high)
        null = array.is_null().to_numpy(zero_copy_only=False)
        if name in REQUIRED:
            self._doubt(null, "missing", name)
        self._doubt((values > high) & ~null, above, name)
        self._doubt((values < low) & ~null, "out_of_range", name)
        return np.where(outside, UNKNOWN, values)

    def _measured(self, name: str, installed: Integers) -> Integers:
        array = self.columns.get(name)
        if array is None:
            unsaid = np.ones(self.batch.num_rows, dtype=bool)
            values = np.full(self.batch.num_rows, MEASURES[name].unknown, dtype=np.int64)
        else:
            values, unsaid = self._converted(array, name, name)
        if name in _TOGETHER and f"accelerator_{name}" in self.columns:
            together = self._of_accelerators(name, installed)
            return np.where(unsaid, together, values)
        return values

    def _converted(
        self, array: pa.Array, name: str, column: str, owners: Integers | None = None
    ) -> tuple[Integers, Mask]:
        """Whole numbers, and where nothing was said; `owners` says which row each value belongs to."""
        measure = MEASURES[name]
        given = array.to_numpy(zero_copy_only=False)
        wire = given.astype(np.float64)
        if _within(given, measure.low, measure.high):
            wire *= measure.scale
            return np.rint(wire, out=wire).astype(np.int64), np.zeros(len(wire), dtype=bool)
        fits = (wire >= measure.low) & (wire <= measure.high)
        null = array.is_null().to_numpy(zero_copy_only=False)
        blank = np.abs(wire) >= SENTINEL
        for bad, code in (
            (np.isnan(wire) & ~null, "not_a_number"),
            (blank & np.isfinite(wire), "sentinel"),
            (~fits & ~null, "out_of_range"),
        ):
            self._doubt(bad if owners is None else np.bincount(owners[bad], minlength=len(self.good)) > 0, code, column)
        values = np.rint(np.where(fits, wire, 0) * measure.scale).astype(np.int64)
        return np.where(fits, values, measure.unknown), null

    def _of_accelerators(self, name: str, installed: Integers) -> Integers:
        """The node's figure from those of its accelerators; unknown where they are not given one and all."""
        column = f"accelerator_{name}"
        array, rows = self.columns[column], self.batch.num_rows
        lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        given = ~array.is_null().to_numpy(zero_copy_only=False)
        self._doubt(given & (lengths != installed), "wrong_length", column)
        owners = np.repeat(np.arange(rows), lengths)
        values, unsaid = self._converted(array.flatten(), name, column, owners)
        if name in KEPT:
            self.lists[KEPT[name]] = owners, values
        whole = given & (lengths > 0) & (np.bincount(owners[unsaid], minlength=rows) == 0)
        unknown = np.full(rows, MEASURES[name].unknown, dtype=np.int64)
        if name not in _TOGETHER or not whole.any():
            return unknown
        return np.where(whole, _TOGETHER[name](values, owners, rows), unknown)

    def _states(self) -> Integers:
        array = self.columns.get("state")
        if array is None:
            return np.zeros(self.batch.num_rows, dtype=np.int64)
        words = array.dictionary.to_pylist()
        codes = np.array([STATE_CODES.get(word, UNKNOWN) for word in [*words, "in_service"]], dtype=np.int64)
        states: Integers = codes[_integers(array.indices, len(words))]
        self._doubt(states == UNKNOWN, "unknown_state", "state")
        return states


def _integers(array: pa.Array, missing: int = UNKNOWN) -> Integers:
    """As int64. Arrow's own casts cost a hundred microseconds each, whatever the length: they are for nulls alone."""
    if array.null_count:
        array = array.cast(pa.int64()).fill_null(missing)
    values: Integers = array.to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    return values


def _within(values: NDArray[Any], low: float, high: float | Integers) -> bool:
    """Whether all of them are, as nearly always; NaN is not. Two extremes are sooner found than two masks."""
    if not values.size:
        return True
    highest = values.max() <= high if isinstance(high, (int, float)) else (values <= high).all()
    return bool(values.min() >= low and highest)


def _each_once(*columns: Integers) -> tuple[Integers, ...]:
    """The columns, or their first values alone where none says anything else: a frame is mostly of one kind of node."""
    if all(column.size and column.min() == column.max() for column in columns):
        return tuple(column[:1] for column in columns)
    return columns


def _shown(value: pa.Scalar) -> str:
    """A value for people; a time that no calendar holds as the number that it is."""
    try:
        return str(value)[:100]
    except (OverflowError, ValueError):
        return str(value.cast(pa.int64()))


def _summed(values: Integers, owners: Integers, rows: int) -> Integers:
    total = np.zeros(rows, dtype=np.int64)
    np.add.at(total, owners, values)
    return total


def _highest(values: Integers, owners: Integers, rows: int) -> Integers:
    highest = np.full(rows, UNKNOWN_TEMPERATURE, dtype=np.int64)
    np.maximum.at(highest, owners, values)
    return highest


def _averaged(values: Integers, owners: Integers, rows: int) -> Integers:
    return _summed(values, owners, rows) // np.maximum(np.bincount(owners, minlength=rows), 1)


_TOGETHER: dict[str, Callable[[Integers, Integers, int], Integers]] = {
    "utilization": _averaged,
    "sm_active": _averaged,
    "memory_used_bytes": _summed,
    "temperature_celsius": _highest,
}
"""How a node's figure follows from its accelerators' where it does not say it itself. Its watts never do."""
