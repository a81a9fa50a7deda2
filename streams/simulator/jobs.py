"""How busy jobs keep their nodes: neighbouring nodes share a job, whose load drifts slowly and dips at checkpoints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.scenario import Pool

JOB_NODES = 32
"""Neighbouring nodes that work as one job."""

DRIFT_SECONDS = 300.0
"""After so long a job's load has forgotten most of what it was."""

DIP_SECONDS = 6.0
DIP_LOAD = 0.3
"""While it writes a checkpoint, a job works with this part of its load."""

IDLE_LOAD = 0.01

Floats = NDArray[np.float32]


class Jobs:
    """The jobs of a site, and the load of each at a time; `loads` is asked with times that do not fall."""

    def __init__(self, pools: Sequence[Pool], rng: np.random.Generator) -> None:
        sizes = [-(-pool.nodes // JOB_NODES) for pool in pools]
        first = np.cumsum([0, *sizes])
        of_node = [first[i] + np.arange(pool.nodes) // JOB_NODES for i, pool in enumerate(pools)]
        self.of_node = np.concatenate(of_node).astype(np.int32)
        """The job of each node."""
        jobs = int(first[-1])
        mean = np.repeat([pool.utilization.mean for pool in pools], sizes)
        spread = np.repeat([pool.utilization.spread for pool in pools], sizes)
        self._mean = (mean + spread * 0.7 * rng.standard_normal(jobs)).astype(np.float32)
        self._spread = (spread * 0.7).astype(np.float32)
        self._idle = rng.random(jobs) < np.repeat([pool.held_idle for pool in pools], sizes)
        self._dip_every = rng.uniform(240, 900, jobs)
        self._dip_phase = rng.uniform(0, 900, jobs)
        self._drift = rng.standard_normal(jobs, dtype=np.float32)
        self._at: int | None = None
        self._rng = rng

    def loads(self, at: int) -> Floats:
        """The load of each job at an instant in milliseconds, 0..1: the part of time in which cores work."""
        if self._at is not None and at > self._at:
            kept = float(np.exp((self._at - at) / 1000 / DRIFT_SECONDS))
            fresh = self._rng.standard_normal(len(self._drift), dtype=np.float32)
            self._drift = kept * self._drift + float(np.sqrt(1 - kept * kept)) * fresh
        self._at = at
        load = np.clip(self._mean + self._spread * self._drift, 0.02, 0.99)
        dipping = (at / 1000 + self._dip_phase) % self._dip_every < DIP_SECONDS
        load = np.where(dipping, load * DIP_LOAD, load)
        return np.where(self._idle, IDLE_LOAD, load).astype(np.float32)
