"""What several frames of nodes come to: the row of each node in `node_1m`, added up in whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.timescale.binary_copy import Pieces, as_it_is, encode_rows, number
from infra.timescale.measures import NODE_ROLLUP, Measure
from models.node_frame import NodeFrame

MOST_FRAMES = 512
"""That may be added up, before some are united: 16 times as many leave no int64, and no float8's whole numbers."""

_LARGEST = {"power_milliwatts": 2**39, "memory_used_bytes": 2**49}
"""Of columns that could hold more: half a gigawatt, half a petabyte."""


@dataclass(frozen=True, slots=True)
class _Column:
    """Of a frame, and the measure of `node_1m` that comes from it."""

    name: str
    measure: Measure

    @property
    def unit(self) -> int:
        """How many of the column's whole numbers one unit of the measure holds."""
        return int(self.measure.whole or 1)


_SOURCES = {
    "power_watts": "power_milliwatts",
    "utilization": "utilization_ppm",
    "temperature_celsius": "temperature_millicelsius",
    "memory_used_bytes": "memory_used_bytes",
    "energy_joules": "energy_joules",
}
"""Measures, and the frame's columns that they come from."""
_COLUMNS = tuple(
    _Column(_SOURCES[measure.name], measure) for measure in NODE_ROLLUP.measures if measure.name in _SOURCES
)
_COUNTED = {
    "lost_sum": ("hearing", 2),
    "stale_sum": ("hearing", 1),
    "draining_sum": ("state", 1),
    "maintenance_sum": ("state", 2),
    "failed_sum": ("state", 3),
}
"""In how many frames a node has such a value in such a column."""

FIELDS = ("n", *(f"{column.measure.name}_{part}" for column in _COLUMNS for part in column.measure.parts), *_COUNTED)
"""The columns of `node_1m` after time, site and node, in the order in which `NodeSums.rows` has them."""

_ADD = {"n": np.add, "sum": np.add, "min": np.minimum, "max": np.maximum}


@dataclass(frozen=True, slots=True)
class NodeSums:
    """Of some frames, each node once."""

    frames: int
    """How many there are; a node may be in fewer."""
    nodes: Any
    """Arrow's array of their names."""
    parts: Mapping[tuple[str, str], NDArray[Any]]
    """By the frame's column and the part of its measure, whole numbers for each node."""
    counts: Mapping[str, NDArray[np.int16]]
    """By the name of the field, in how many frames something holds of each node."""

    @classmethod
    def of(cls, frame: NodeFrame) -> Self | None:
        """Of one frame; none where it says what cannot be added up exactly."""
        batch = frame.batch
        if batch.column("hearing").null_count or batch.column("state").null_count:
            return None
        parts: dict[tuple[str, str], NDArray[Any]] = {}
        for column in _COLUMNS:
            found = _parts(batch.column(column.name), _LARGEST.get(column.name))
            if found is None:
                return None
            parts |= {(column.name, part): found[part] for part in {"n", *column.measure.parts}}
        counts = {"n": np.ones(batch.num_rows, dtype=np.int16)} | {
            field: (batch.column(name).to_numpy() == value).astype(np.int16)
            for field, (name, value) in _COUNTED.items()
        }
        return cls(1, batch.column("node"), parts, counts)

    def with_later(self, other: Self) -> Self | None:
        """Together with those of later frames; none where these are not of the same nodes in the same order."""
        if not self.nodes.equals(other.nodes):
            return None
        parts = {key: _ADD[key[1]](values, other.parts[key]) for key, values in self.parts.items()}
        counts = {field: values + other.counts[field] for field, values in self.counts.items()}
        return type(self)(self.frames + other.frames, self.nodes, parts, counts)

    @classmethod
    def united(cls, several: Sequence[Self]) -> Self:
        """Those of frames with nodes of any kind, one or more."""
        if len(several) == 1:
            return several[0]
        encoded = pa.concat_arrays([sums.nodes for sums in several]).dictionary_encode()
        places, nodes = encoded.indices.to_numpy(), encoded.dictionary

        def put(part: str, arrays: list[NDArray[Any]]) -> NDArray[Any]:
            values = np.concatenate(arrays)
            neutral = {"min": np.iinfo(values.dtype).max, "max": np.iinfo(values.dtype).min}.get(part, 0)
            whole = np.full(len(nodes), neutral, values.dtype)
            _ADD[part].at(whole, places, values)
            return whole

        parts = {key: put(key[1], [sums.parts[key] for sums in several]) for key in several[0].parts}
        counts = {field: put("n", [sums.counts[field] for sums in several]) for field in several[0].counts}
        return cls(sum(sums.frames for sums in several), nodes, parts, counts)

    def rows(self, minute: int, site: str) -> memoryview:
        """Rows of `node_1m` for binary COPY, without signature and trailer; `minute` in milliseconds since 1970."""
        if not len(self.nodes):
            return memoryview(b"")
        fields = [number(pa.array(self.counts["n"]), as_it_is, ">i4")]
        fields += [self._field(column, part) for column in _COLUMNS for part in column.measure.parts]
        fields += [number(pa.array(self.counts[field]), as_it_is, ">i8") for field in _COUNTED]
        return encode_rows(minute, site, self.nodes, fields)

    def _field(self, column: _Column, part: str) -> Pieces:
        values, unit = self.parts[column.name, part], column.unit
        if part == "n":
            return number(pa.array(values), as_it_is, ">i4")
        unknown = self.parts[column.name, "n"] == 0
        known_only = pa.array(np.where(unknown, 0, values), mask=unknown)
        if unit == 1:
            return number(known_only, as_it_is, ">i8")
        return number(known_only, lambda numbers: numbers / unit, ">f8")


def _parts(array: Any, largest: int | None) -> dict[str, NDArray[Any]] | None:
    """All parts of one frame's column; none where a value is too large to be added up."""
    if not array.null_count:
        known, values = None, array.to_numpy()
    else:
        known = array.is_valid().to_numpy(zero_copy_only=False)
        values = array.fill_null(0).to_numpy()
    if largest is not None and values.size and max(int(values.max()), -int(values.min())) > largest:
        return None
    if known is None:
        counts = np.ones(values.size, dtype=np.int16)
        return {"n": counts, "sum": values.astype(np.int64), "min": values, "max": values}
    bounds = np.iinfo(values.dtype)
    return {
        "n": known.astype(np.int16),
        "sum": values.astype(np.int64),
        "min": np.where(known, values, bounds.max),
        "max": np.where(known, values, bounds.min),
    }
