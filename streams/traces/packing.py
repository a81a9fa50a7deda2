"""Best fit: each pod goes where it leaves the least, and stays. It knows nothing of the twin, which is held against it.

A pod of whole GPUs needs as many that nobody uses, on one node; a pod of a share needs a GPU with so much left. Of the
nodes that will do, the one with the least GPU thousandths left over is taken, and of equal ones the first; a share goes
to the GPU of that node with the least left over. A pod without GPUs takes CPU and memory by the same rule.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streams.traces.alibaba import WHOLE, Node, Pod

Integers = NDArray[np.int64]


class Cluster:
    """Nodes while they fill.

    Args:
        nodes: In the order by which ties go.
        hosts: Whether CPU and memory bind; without them a pod needs its GPUs alone, and one without GPUs nothing.
    """

    def __init__(self, nodes: Sequence[Node], *, hosts: bool = True) -> None:
        self.nodes = tuple(nodes)
        self.hosts = hosts
        widest = max(node.gpus for node in nodes)
        self.gpus: Integers = np.array([node.gpus for node in nodes], dtype=np.int64)
        self.left: Integers = np.where(np.arange(widest) < self.gpus[:, None], WHOLE, 0).astype(np.int64)
        """Thousandths left of each GPU, shape (nodes, most GPUs on a node); 0 where there is none."""
        self.cpu: Integers = np.array([node.cpu_milli for node in nodes], dtype=np.int64)
        self.memory: Integers = np.array([node.memory_mib for node in nodes], dtype=np.int64)
        self.models: NDArray[np.str_] = np.array([node.model for node in nodes])
        self.whole: Integers = self.gpus.copy()
        """GPUs that nobody uses, by node."""
        self._sums: Integers = self.gpus * WHOLE
        self._will_do: dict[tuple[str, ...], NDArray[np.bool_]] = {}

    def place(self, pod: Pod) -> int | None:
        """Put a pod on a node and tell which, by its place; none where it fits nowhere."""
        if not pod.gpus and not self.hosts:
            return None
        room = self._room(pod)
        if not room.any():
            return None
        chosen = int(np.where(room, self._sums, np.iinfo(np.int64).max).argmin())
        self._take(chosen, pod)
        return chosen

    def _room(self, pod: Pod) -> NDArray[np.bool_]:
        room: NDArray[np.bool_] = np.ones(len(self.nodes), dtype=bool)
        if pod.shares:
            room &= (self.left >= pod.share).any(axis=1)
        elif pod.gpus:
            room &= self.whole >= pod.gpus
        if pod.gpus and pod.models:
            if pod.models not in self._will_do:
                self._will_do[pod.models] = np.isin(self.models, pod.models)
            room &= self._will_do[pod.models]
        if self.hosts:
            room &= (self.cpu >= pod.cpu_milli) & (self.memory >= pod.memory_mib)
        return room

    def _take(self, chosen: int, pod: Pod) -> None:
        left = self.left[chosen]
        if pod.shares:
            gpu = int(np.where(left >= pod.share, left, WHOLE + 1).argmin())
            left[gpu] -= pod.share
        else:
            left[np.flatnonzero(left == WHOLE)[: pod.gpus]] = 0
        if self.hosts:
            self.cpu[chosen] -= pod.cpu_milli
            self.memory[chosen] -= pod.memory_mib
        self.whole[chosen] = (left == WHOLE).sum()
        self._sums[chosen] = left.sum()

    @property
    def free(self) -> int:
        """Thousandths of GPUs left, all together."""
        return int(self._sums.sum())
