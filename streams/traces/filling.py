"""A cluster that fills, as the steps of a log: its nodes are one site, its pods demands that are never ended.

A step a second: pods that were created at one instant come together, and the time between them, months altogether, is
left out. What a node reports and what a pod asks for is rounded as `streams.traces.rounding` says. When the log speaks
of a pod, the packer has placed it or not. One that found its place wants, and was granted, the accelerators that it is
the first to use: none for a share of a GPU that is shared already, so what is granted is what is allocated. One that
found none wants all that it needs, a share a whole accelerator, and was granted nothing. Pods without GPUs
are no demand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from models.demand import DemandRevised
from models.instants import moment_of
from streams.traces.alibaba import Node, Pod
from streams.traces.gpu_models import type_of
from streams.traces.inventory import NodeCounts, SiteCounts, Step
from streams.traces.packing import Cluster
from streams.traces.rounding import Standing

SECOND = 1000
START = 1_700_000_000 * SECOND
"""The first step, in milliseconds since 1970: the trace names no date."""

REPEATED_AFTER = 10
"""Steps after which all nodes report, whether they have news or not."""

SITE = "openb"
PROJECT = "pods"


@dataclass
class Filling:
    """The nodes of a trace while its pods come; `steps` fills them.

    Args:
        nodes: Those without GPUs take pods without GPUs and report nothing.
        site: What to call where they are.
        hosts: Whether CPU and memory bind.
    """

    nodes: Sequence[Node]
    site: str = SITE
    hosts: bool = True
    cluster: Cluster = field(init=False)
    standing: Standing = field(init=False)
    placed: int = 0
    """Pods with GPUs that found their place."""
    refused: int = 0
    """Those that found none."""

    def __post_init__(self) -> None:
        self.cluster = Cluster(self.nodes, hosts=self.hosts)
        self.standing = Standing(self.cluster)

    def steps(self, pods: Sequence[Pod]) -> Iterator[Step]:
        """The steps of pods in the order of their creation; the first one shows the cluster empty."""
        said: dict[int, NodeCounts] = {}
        yield Step(START, (self._report(said, everyone=True),))
        number = 0
        for _, together in groupby(pods, key=lambda pod: pod.created):
            revised = [self._place(pod, number + 1) for pod in together]
            demands = tuple(demand for demand in revised if demand is not None)
            if demands:
                number += 1
                report = self._report(said, everyone=number % REPEATED_AFTER == 0)
                yield Step(START + number * SECOND, (report,) if report.nodes else (), demands)

    def _place(self, pod: Pod, number: int) -> DemandRevised | None:
        before = int(self.cluster.whole.sum())
        place = self.cluster.place(pod)
        if not pod.gpus:
            return None
        self.standing.usual.meet(pod)
        taken = before - int(self.cluster.whole.sum())
        self.placed += place is not None
        self.refused += place is None
        return DemandRevised(
            demand=pod.name,
            project=PROJECT,
            at=moment_of(START + number * SECOND),
            wanted=pod.gpus if place is None else taken,
            granted=taken,
            types=tuple(sorted({type_of(model) for model in pod.models})),
            gang=pod.gpus,
        )

    def _report(self, said: dict[int, NodeCounts], *, everyone: bool) -> SiteCounts:
        free, allocated = self.standing.free().tolist(), self.standing.allocated().tolist()
        due = []
        for place, node in enumerate(self.nodes):
            known = said.get(place)
            if not node.gpus:
                continue
            in_service = free[place] + allocated[place]
            if known is None or (known.allocated, known.in_service) != (allocated[place], in_service):
                said[place] = NodeCounts(node.name, type_of(node.model), node.gpus, in_service, allocated[place])
            elif not everyone:
                continue
            due.append(said[place])
        return SiteCounts(self.site, tuple(due))
