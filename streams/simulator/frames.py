"""Readings of a simulated site as Arrow frames. What never changes of a frame is built once and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from models.catalogue import Catalogue
from models.frame import encode_frame, states_column
from models.scenario import DirtyReadings, Pool, per_node
from streams.simulator.accelerators import Accelerators
from streams.simulator.fleet import STEP, Integers, Readings, SiteFleet

_MEASURES_ACTIVITY = "NVIDIA"
"""Only its nodes know how busy their cores are (`sm_active`); others report utilisation alone."""

NEGATIVE_WATTS = -43.0
"""What real meters have been seen to say."""

MOST_ACCELERATORS = 131_072
"""In a frame that tells each of them: at twenty bytes for each it is still well below `models.frame.MOST_BYTES`."""

REORDERED_BY = 50
"""Milliseconds by which a reordered reading is older than the one it follows."""


@dataclass(frozen=True, slots=True)
class _Seats:
    """Who the rows of one frame are; always nodes of one pool."""

    part: slice
    """Their place in the readings of the shift."""
    node: pa.Array
    type: pa.Array
    rack: pa.Array
    pool: Pool
    activity: bool
    first: int
    """The first node of the pool."""


@dataclass(frozen=True, slots=True)
class _Shift:
    """Nodes that report in the same step."""

    rows: Integers
    seats: tuple[_Seats, ...]


class FrameWriter:
    """Writes the frames of one site."""

    def __init__(
        self,
        fleet: SiteFleet,
        catalogue: Catalogue,
        rng: np.random.Generator,
        *,
        cadence: int = 1,
        frame_rows: int = 256,
        dirty: DirtyReadings | None = None,
    ) -> None:
        self._fleet, self._catalogue, self._rng = fleet, catalogue, rng
        self._cadence, self._frame_rows = cadence, frame_rows
        self._dirty = dirty or DirtyReadings()
        self._shifts: dict[int, _Shift] = {}
        self._audible = fleet.placement.audible
        (own,) = rng.spawn(1)  # whoever draws from `rng` itself draws the same, whether accelerators are told or not
        self._accelerators = {
            pool.type: Accelerators(catalogue[pool.type], pool.nodes, per_node(pool, catalogue), own)
            for pool in fleet.site.pools
            if pool.per_accelerator
        }
        self._names = np.array(_node_names(fleet), dtype=object)

    def frames(self, at: int) -> Iterator[tuple[int, bytes]]:
        """The frames of the step that ends at `at`, each with how many readings it holds."""
        shift = self._shift(at // STEP % self._cadence)
        readings = self._fleet.readings(at, shift.rows)
        picked = self._picked(readings, self._dirty.negative_watts)
        readings.power_watts[picked] = NEGATIVE_WATTS
        for seats in shift.seats:
            yield self._frame(seats, readings.part(seats.part), None)
        yield from self._again(shift, readings, self._picked(readings, self._dirty.duplicated), 0)
        yield from self._again(shift, readings, self._picked(readings, self._dirty.reordered), REORDERED_BY)

    def _picked(self, readings: Readings, per_million: float) -> Integers:
        if not per_million or not len(readings):
            return np.empty(0, dtype=np.int64)
        many = min(len(readings), int(self._rng.poisson(per_million * 1e-6 * len(readings))))
        return np.sort(self._rng.choice(len(readings), many, replace=False)) if many else np.empty(0, dtype=np.int64)

    def _again(self, shift: _Shift, readings: Readings, picked: Integers, older: int) -> Iterator[tuple[int, bytes]]:
        """Small frames with the picked readings once more, or with older ones of the same nodes."""
        for seats in shift.seats if len(picked) else ():
            mine = picked[(picked >= seats.part.start) & (picked < seats.part.stop)]
            if len(mine):
                again = readings.part(mine)
                if older:
                    again.at[:] -= older
                    again.sequence[:] -= 1
                yield self._frame(seats, again, pa.array(mine - seats.part.start))

    def _frame(self, seats: _Seats, readings: Readings, which: pa.Array | None) -> tuple[int, bytes]:
        def who(array: pa.Array) -> pa.Array:
            return array if which is None else array.take(which)

        columns: dict[str, Any] = {
            "node": who(seats.node),
            "type": who(seats.type),
            "rack": who(seats.rack),
            "at": readings.at,
            "sequence": readings.sequence,
            "installed": readings.installed,
            "in_service": readings.in_service,
            "allocated": readings.allocated,
            "memory_used_bytes": readings.memory_used_bytes,
            "temperature_celsius": readings.temperature_celsius,
            "utilization": readings.utilization if seats.activity else readings.sm_active,
            "state": states_column(readings.state),
        }
        if seats.activity:
            columns["sm_active"] = readings.sm_active
        if seats.pool.metered:
            columns["power_watts"] = readings.power_watts
        if (accelerators := self._accelerators.get(seats.pool.type)) is not None:
            nodes = readings.rows - seats.first
            columns |= accelerators.columns(nodes, readings, columns["utilization"], seats.pool.metered)
        return len(readings), encode_frame(self._fleet.site_id, columns)

    def _shift(self, number: int) -> _Shift:
        audible = self._fleet.placement.audible
        if audible is not self._audible and not np.array_equal(audible, self._audible):
            self._shifts.clear()
        self._audible = audible
        if number not in self._shifts:
            self._shifts[number] = self._seated(number)
        return self._shifts[number]

    def _seated(self, number: int) -> _Shift:
        """Who reports in this step: every `cadence`-th block of the nodes of each pool, less those that are silent."""
        rows: list[Integers] = []
        seats: list[_Seats] = []
        first = block = place = 0
        for pool in self._fleet.site.pools:
            activity = self._catalogue[pool.type].vendor == _MEASURES_ACTIVITY
            size = self._most_rows(pool)
            for start in range(first, first + pool.nodes, size):
                block += 1
                if block % self._cadence != number:
                    continue
                nodes = np.arange(start, min(start + size, first + pool.nodes))
                nodes = nodes[self._audible[nodes]]
                if len(nodes):
                    part = slice(place, place + len(nodes))
                    seats.append(_Seats(part, *self._texts(nodes, pool.type), pool, activity, first))
                    rows.append(nodes)
                    place += len(nodes)
            first += pool.nodes
        return _Shift(np.concatenate(rows) if rows else np.empty(0, dtype=np.int64), tuple(seats))

    def _most_rows(self, pool: Pool) -> int:
        """As the scenario says, but for nodes of so many accelerators that their frame would be too large."""
        if not pool.per_accelerator:
            return self._frame_rows
        return max(1, min(self._frame_rows, MOST_ACCELERATORS // per_node(pool, self._catalogue)))

    def _texts(self, nodes: Integers, type_: str) -> tuple[pa.Array, pa.Array, pa.Array]:
        numbers, indices = np.unique(nodes // self._fleet.site.nodes_per_rack, return_inverse=True)
        racks = pa.array([f"{self._fleet.site_id}-r{number:05d}" for number in numbers])
        return (
            pa.array(self._names[nodes], pa.string()),
            pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(nodes), dtype=np.int16)), pa.array([type_])),
            pa.DictionaryArray.from_arrays(pa.array(indices.astype(np.int16)), racks),
        )


def _node_names(fleet: SiteFleet) -> list[str]:
    return [f"{fleet.site_id}-{pool.type}-{number:05d}" for pool in fleet.site.pools for number in range(pool.nodes)]
