"""What each accelerator of a simulated node measures: apart from one another, and together what the node says.

Utilisations have the node's as their mean and bytes sum up to the node's, to the last one; the hottest is as hot as
the node says; watts sum up to less than the node's, whose host draws the rest. All of it follows from the node's
reading and from what its accelerators are like, so that a reading that is sent twice says the same twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.catalogue import AcceleratorType
from streams.simulator.fleet import Integers, Readings
from streams.simulator.jobs import Floats

MILLION = 1_000_000

SWAY = 0.08
"""By so much of its figure an accelerator rises and falls against its neighbour."""

SWAY_SECONDS = 20.0

UNEVEN = 0.03
"""Standard deviation of what accelerators of one type draw at one load."""

COOLEST = 20.0
LARGEST_GAP = 7.0
"""Degrees between the hottest working accelerator of a node and the coolest one."""

WARMED_BY_WORK = 38.0
"""Degrees by which full work heats an accelerator."""

Matrix = NDArray[np.float64]


class Accelerators:
    """Those of the nodes of one pool."""

    def __init__(self, kind: AcceleratorType, nodes: int, width: int, rng: np.random.Generator) -> None:
        self._kind, self._width = kind, width
        self._phase = rng.uniform(0, 2 * np.pi, (nodes, width))
        self._appetite = np.clip(1 + UNEVEN * rng.standard_normal((nodes, width)), 0.9, 1.1)
        self._gap = rng.uniform(0.5, LARGEST_GAP, (nodes, width)).round(1)

    def columns(
        self, nodes: Integers, readings: Readings, utilization: Floats, metered: bool
    ) -> Mapping[str, pa.Array]:
        """The columns of a frame for readings of these nodes of the pool, which say this utilisation."""
        total = np.rint(utilization.astype(np.float64) * MILLION).astype(np.int64) * self._width
        working = np.maximum(readings.allocated, -(-total // MILLION))
        at_work = np.arange(self._width) < working[:, None]
        sway = np.sin(readings.at[:, None] / 1000 / SWAY_SECONDS + self._phase[nodes])
        load = np.where(at_work, (readings.sm_active * self._width / np.maximum(working, 1))[:, None], 0)
        columns = {
            "accelerator_utilization": _lists(_shared(total, working, at_work, sway, MILLION) / MILLION),
            "accelerator_memory_used_bytes": _lists(
                _shared(readings.memory_used_bytes, working, at_work, sway / 8), pa.int64()
            ),
            "accelerator_temperature_celsius": _lists(self._temperatures(nodes, readings, working, load)),
        }
        if metered:
            columns["accelerator_power_watts"] = _lists(self._watts(nodes, readings, load * (1 + SWAY * sway)))
        return columns

    def _watts(self, nodes: Integers, readings: Readings, load: Matrix) -> Matrix:
        """The node's watts less its host's, to each by its load and its appetite; in whole milliwatts."""
        kind, hosts = self._kind, -(-self._width // self._kind.per_node)
        wanted = (kind.idle_watts + (kind.max_watts - kind.idle_watts) * load) * self._appetite[nodes]
        host = hosts * (kind.host_idle_watts + (kind.host_max_watts - kind.host_idle_watts) * readings.sm_active)
        part = np.maximum(readings.power_watts, 0) / (wanted.sum(axis=1) + host)
        watts: Matrix = np.floor(np.minimum(wanted * part[:, None], kind.max_watts) * 1000) / 1000
        return watts

    def _temperatures(self, nodes: Integers, readings: Readings, working: Integers, load: Matrix) -> Matrix:
        """The node's own for the hottest of those at work; what heats that one from outside leaves the others cool."""
        hottest = np.argmin(
            np.where(np.arange(self._width) < np.maximum(working, 1)[:, None], self._gap[nodes], np.inf), 1
        )
        highest = readings.temperature_celsius.astype(np.float64)
        rows = np.arange(len(nodes))
        cooler = WARMED_BY_WORK * (load[rows, hottest][:, None] - load)
        others = (highest - readings.heat)[:, None] - self._gap[nodes] - cooler
        celsius: Matrix = np.minimum(np.maximum(others, COOLEST).round(1), highest[:, None])
        celsius[rows, hottest] = highest
        return celsius


def _shared(
    total: Integers, working: Integers, at_work: NDArray[np.bool_], sway: Matrix, most: int = 2**53
) -> Integers:
    """Each node's total as whole parts, none above `most`, for its accelerators at work; neighbours give and take."""
    even, rest = np.divmod(total, np.maximum(working, 1))
    parts = np.where(at_work, even[:, None] + (np.arange(at_work.shape[1]) < rest[:, None]), 0)
    pairs = at_work.shape[1] // 2
    givers, takers = slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2)
    room = np.maximum(np.minimum(even, most - 1 - even), 0)
    swayed = np.clip(even[:, None] * SWAY * sway[:, givers], -room[:, None], room[:, None]).astype(np.int64)
    given = np.where(at_work[:, takers], swayed, 0)
    parts[:, givers] -= given
    parts[:, takers] += given
    return parts


def _lists(values: NDArray[Any], kind: pa.DataType | None = None) -> pa.ListArray:
    rows, width = values.shape
    offsets = pa.array(np.arange(0, rows * width + 1, width, dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array(values.ravel()).cast(kind or pa.float32()))
