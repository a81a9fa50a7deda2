"""What holds a site's nodes: work bound to their accelerators, faults that take them out, silence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.reading import STATE_CODES, StateCode
from models.scenario import Failures, Pool, ScriptedFault
from streams.simulator.jobs import JOB_NODES

_DAY = 86_400_000


class Placement:
    """Counts and states by node, kept as columns; `refresh` brings them up to date after changes."""

    def __init__(
        self, pools: Sequence[Pool], installed: NDArray[np.int16], failures: Failures, rng: np.random.Generator
    ) -> None:
        nodes = len(installed)
        self.installed = installed
        self.in_service = installed.copy()
        self.allocated = np.zeros(nodes, dtype=np.int16)
        self.state = np.zeros(nodes, dtype=np.int16)
        """`StateCode` values."""
        self.audible = np.ones(nodes, dtype=np.bool_)
        """False for nodes that send nothing."""
        self._failures, self._rng = failures, rng
        self._repaired_at = np.zeros(nodes, dtype=np.int64)
        self._faults: dict[int, tuple[str, NDArray[np.int64]]] = {}
        starts = np.cumsum([0, *(pool.nodes for pool in pools)])
        self.slices = {pool.type: slice(starts[i], starts[i + 1]) for i, pool in enumerate(pools)}
        self._fractions = {pool.type: pool.allocated for pool in pools}
        self._most = installed.copy()
        self._order: dict[str, NDArray[np.int64]] = {}
        for pool in pools:
            part = self.slices[pool.type]
            halved = rng.random(pool.nodes) < pool.fragmented
            self._most[part] = np.where(halved, installed[part] // 2, installed[part])
            jobs = rng.permutation(-(-pool.nodes // JOB_NODES))
            self._order[pool.type] = np.argsort(jobs[np.arange(pool.nodes) // JOB_NODES], kind="stable") + part.start
        self.refresh()

    def allocate(self, type_: str, fraction: float) -> None:
        """Bind this part of a pool's accelerators to work, as far as nodes in service can take it."""
        self._fractions[type_] = fraction

    def strike(self, index: int, fault: ScriptedFault) -> None:
        """Let a scripted fault begin on nodes chosen at random."""
        part = self.slices[fault.type]
        self._faults[index] = (fault.kind, part.start + self._rng.permutation(part.stop - part.start)[: fault.nodes])

    def relieve(self, index: int) -> None:
        """End a scripted fault."""
        self._faults.pop(index, None)

    def wear(self, at: int, elapsed: int) -> bool:
        """Let nodes fail and be repaired by chance over `elapsed` milliseconds; true when one did."""
        changed = False
        if self._failures.per_node_day:
            due = (self._repaired_at > 0) & (self._repaired_at <= at)
            struck = self._rng.poisson(self._failures.per_node_day * len(self.installed) * elapsed / _DAY)
            if due.any() or struck:
                self._repaired_at[due] = 0
                nodes = self._rng.integers(0, len(self.installed), struck)
                self._repaired_at[nodes] = at + round(self._failures.repair_seconds * 1000)
                changed = True
        return changed

    def refresh(self) -> None:
        """Work out state, service and allocation of all nodes."""
        self.state = np.where(self._repaired_at > 0, StateCode.FAILED, StateCode.IN_SERVICE).astype(np.int16)
        self.audible = np.ones(len(self.installed), dtype=np.bool_)
        for kind, nodes in self._faults.values():
            if kind == "silent":
                self.audible[nodes] = False
            else:
                self.state[nodes] = STATE_CODES[kind]
        out = (self.state == StateCode.FAILED) | (self.state == StateCode.MAINTENANCE)
        room = np.where(out, 0, self._most)
        for type_, order in self._order.items():
            target = round(self._fractions[type_] * int(self.installed[self.slices[type_]].sum()))
            before = np.cumsum(room[order], dtype=np.int64) - room[order]
            self.allocated[order] = np.clip(target - before, 0, room[order])
        draining = self.state == StateCode.DRAINING
        self.in_service = np.where(out, 0, np.where(draining, self.allocated, self.installed)).astype(np.int16)
