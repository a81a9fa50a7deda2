"""A simulated site: all of its nodes as columns, and what they measure at an instant. No clock, a passed generator."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.catalogue import Catalogue
from models.scenario import Failures, ScriptedFault, Site, per_node
from streams.simulator.heat import Heat
from streams.simulator.jobs import Floats, Jobs
from streams.simulator.placement import Placement

STEP = 1000
"""Milliseconds from one step of the simulation to the next; a node reports in every `cadence_seconds`-th."""

LATEST_OFFSET = 500
"""A node's readings are taken up to so many milliseconds before the end of a step, each node at its own time."""

METER_NOISE = 0.03
_GIB = 1024**3
_STATE_DRAW = np.array([1.0, 1.0, 0.2, 0.6], dtype=np.float32)
"""By `StateCode`: what is left of a node's idle draw; a failed node still has its lights on."""

Integers = NDArray[np.int64]
Counts = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Readings:
    """What nodes measured, a column for each measure; units as in `models.reading.Reading`."""

    rows: Integers
    """The node of each reading."""
    at: Integers
    """Milliseconds since 1970."""
    sequence: Integers
    installed: Counts
    in_service: Counts
    allocated: Counts
    power_watts: Floats
    utilization: Floats
    sm_active: Floats
    memory_used_bytes: Integers
    temperature_celsius: Floats
    state: Counts
    heat: Floats
    """Degrees of the temperature that do not come from work, and not from the site."""

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, which: slice | Integers) -> Self:
        """Only these readings."""
        return type(self)(*(getattr(self, field.name)[which] for field in fields(self)))


class SiteFleet:
    """The nodes of one site."""

    def __init__(
        self, site_id: str, site: Site, catalogue: Catalogue, rng: np.random.Generator, failures: Failures | None = None
    ) -> None:
        self.site_id, self.site = site_id, site
        sizes = [pool.nodes for pool in site.pools]
        self.installed = np.repeat([per_node(pool, catalogue) for pool in site.pools], sizes).astype(np.int16)
        codes = np.repeat([catalogue.codes[pool.type] for pool in site.pools], sizes)
        self._idle_watts = _watts(catalogue, codes, self.installed, 0)
        self._full_watts = _watts(catalogue, codes, self.installed, 1_000_000)
        self._jobs = Jobs(site.pools, rng)
        self.placement = Placement(site.pools, self.installed, failures or Failures(), rng)
        # A generator of its own: whoever draws from `rng` draws the same, whether anything runs hot or not.
        self._heat = Heat(self.placement.slices, len(self.installed), rng.spawn(1)[0])
        racks = -(-len(self.installed) // site.nodes_per_rack)
        warmth = rng.normal(0, 2, racks).astype(np.float32)
        self._warmth = warmth[np.arange(len(self.installed)) // site.nodes_per_rack]
        self._offset = rng.integers(0, LATEST_OFFSET, len(self.installed))
        self._rng = rng

    def __len__(self) -> int:
        return len(self.installed)

    @property
    def full_watts(self) -> Floats:
        """The most that each node draws."""
        return self._full_watts

    def strike(self, index: int, fault: ScriptedFault) -> None:
        """Let a scripted fault begin."""
        if fault.kind == "hot":
            self._heat.strike(index, fault)
            return
        self.placement.strike(index, fault)
        self.placement.refresh()

    def relieve(self, index: int) -> None:
        """End a scripted fault."""
        self._heat.relieve(index)
        self.placement.relieve(index)
        self.placement.refresh()

    def allocate(self, type_: str, fraction: float) -> None:
        """Bind this part of a pool to work."""
        self.placement.allocate(type_, fraction)
        self.placement.refresh()

    def wear(self, at: int, elapsed: int) -> None:
        """Let nodes fail and be repaired by chance."""
        if self.placement.wear(at, elapsed):
            self.placement.refresh()

    def readings(self, at: int, rows: Integers | None = None) -> Readings:
        """The last readings up to the step that ends at `at`, of these nodes or all, whether they can be heard or not.

        Instants must not fall from call to call.
        """
        rows = np.arange(len(self)) if rows is None else rows
        placed = self.placement
        installed, allocated, state = self.installed[rows], placed.allocated[rows], placed.state[rows]
        noise = self._rng.standard_normal((3, len(rows)), dtype=np.float32)
        load = self._jobs.loads(at)[self._jobs.of_node[rows]] * (1 + METER_NOISE * noise[0])
        load, bound = np.clip(load, 0, 1), (allocated / installed).astype(np.float32)
        busy, load = bound * (1 - np.square(1 - load)), bound * load
        idle, full, heat = self._idle_watts[rows], self._full_watts[rows], self._heat.degrees[rows]
        watts = (idle * _STATE_DRAW[state] + (full - idle) * load) * (1 + METER_NOISE * noise[1])
        return Readings(
            rows=rows,
            at=at - self._offset[rows],
            sequence=np.full(len(rows), at // STEP * 2, dtype=np.int64),
            installed=installed,
            in_service=placed.in_service[rows],
            allocated=allocated,
            power_watts=np.clip(watts, 0, full),
            utilization=busy,
            sm_active=load,
            memory_used_bytes=(allocated * (52 + 8 * load)).astype(np.int64) * _GIB,
            temperature_celsius=32 + self._warmth[rows] + 42 * load + noise[2] + heat,
            state=state,
            heat=heat,
        )


def _watts(catalogue: Catalogue, codes: Integers, installed: Counts, ppm: int) -> Floats:
    """What each node draws at this utilisation, as the catalogue models it."""
    wide = installed.astype(np.int64)
    milliwatts = catalogue.columns.modelled(codes, wide, np.full(len(codes), ppm, dtype=np.int64))
    return (milliwatts / 1000).astype(np.float32)
