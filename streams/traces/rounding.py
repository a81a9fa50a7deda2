"""A cluster in whole accelerators, as the twin counts them: one rounding, for the log and for the benchmark.

The twin sees neither shares of a GPU nor CPU and memory, so who publishes rounds:

- A GPU of which anything is used is allocated, all of it.
- A GPU of which nothing is used is free while its node has the CPU and memory that a GPU usually goes with. It is
  stranded where its node has not: installed, and not in service. Usual is the median of what the pods with GPUs that
  have come so far asked for, for each GPU; nothing before the first. A pod's own CPU and memory are not looked at.
- A pod of whole GPUs asks for a gang of as many accelerators.
- A pod of a share is packed with other shares first: it asks for no accelerator where a GPU of a model that will do is
  shared already and has so much of it left, on a node with the usual CPU and memory. Otherwise it asks for a whole one.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.sample import Pool
from streams.traces.alibaba import WHOLE, Pod
from streams.traces.gpu_models import type_of
from streams.traces.packing import Cluster

Integers = NDArray[np.int64]


@dataclass
class Usual:
    """The CPU and memory that a GPU usually goes with: the medians, the lower ones, over the pods that have come."""

    _cpu: list[int] = field(default_factory=list)
    _memory: list[int] = field(default_factory=list)

    def meet(self, pod: Pod) -> None:
        """Count a pod in."""
        if pod.gpus:
            insort(self._cpu, pod.cpu_milli // pod.gpus)
            insort(self._memory, pod.memory_mib // pod.gpus)

    @property
    def cpu_milli(self) -> int:
        """For one GPU."""
        return self._cpu[(len(self._cpu) - 1) // 2] if self._cpu else 0

    @property
    def memory_mib(self) -> int:
        """For one GPU."""
        return self._memory[(len(self._memory) - 1) // 2] if self._memory else 0


@dataclass
class Standing:
    """How a cluster stands, in accelerators.

    Args:
        cluster: It changes from pod to pod.
        strands: Whether a GPU without CPU and memory beside it is stranded; it never is where these do not bind.
    """

    cluster: Cluster
    strands: bool = True
    usual: Usual = field(default_factory=Usual)
    _of_type: dict[str, NDArray[np.bool_]] = field(init=False)

    def __post_init__(self) -> None:
        cluster = self.cluster
        types = np.array([type_of(node.model) if node.gpus else "" for node in cluster.nodes])
        self._of_type = {type_: types == type_ for type_ in sorted(set(types.tolist()) - {""})}

    def allocated(self) -> Integers:
        """By node."""
        return self.cluster.gpus - self.cluster.whole

    def free(self) -> Integers:
        """By node; what is neither free nor allocated is stranded."""
        return np.minimum(self.cluster.whole, self._beside())

    def _beside(self) -> Integers:
        """For how many more GPUs each node has CPU and memory."""
        beside = self.cluster.gpus.copy()
        if self.strands and self.cluster.hosts:
            for left, usual in (
                (self.cluster.cpu, self.usual.cpu_milli),
                (self.cluster.memory, self.usual.memory_mib),
            ):
                if usual:
                    beside = np.minimum(beside, left // usual)
        return beside

    def pools(self) -> tuple[Pool, ...]:
        """The pools of the site that the nodes with GPUs are, as its sample has them; by type, sorted."""
        free, allocated = self.free(), self.allocated()
        return tuple(_pool(type_, self.cluster.gpus[m], free[m], allocated[m]) for type_, m in self._of_type.items())

    def asks(self, pod: Pod) -> int:
        """How many accelerators a pod asks for, all on one node."""
        return 0 if pod.shares and self._takes_in(pod) else pod.gpus

    def _takes_in(self, pod: Pod) -> bool:
        cluster = self.cluster
        room = ((cluster.left >= pod.share) & (cluster.left < WHOLE)).any(axis=1) & (self._beside() > 0)
        return bool((room & np.isin(cluster.models, pod.models)).any() if pod.models else room.any())


def _pool(type_: str, installed: Integers, free: Integers, allocated: Integers) -> Pool:
    in_service = free + allocated
    return Pool(
        type=type_,
        installed=int(installed.sum()),
        in_service=int(in_service.sum()),
        allocated=int(allocated.sum()),
        free=int(free.sum()),
        held_idle=0,
        allocation_unknown=0,
        lost=0,
        free_per_node=tuple(np.bincount(free[in_service > 0]).tolist()),
        utilization_ppm=0,
        utilization_known=0,
    )
