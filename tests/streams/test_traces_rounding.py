"""A cluster in whole accelerators: shared ones are allocated, stranded ones out of service, shares packed first."""

from __future__ import annotations

from typing import Any

import pytest

from streams.traces.alibaba import Pod
from streams.traces.packing import Cluster
from streams.traces.rounding import Standing
from tests.alibaba_builders import node, pod


def test_a_gpu_of_which_anything_is_used_is_allocated() -> None:
    cluster = Cluster([node(gpus=4)])
    cluster.place(pod(share=1))
    cluster.place(pod())
    standing = Standing(cluster)

    assert (standing.allocated().tolist(), standing.free().tolist()) == ([2], [2])


@pytest.mark.parametrize(
    ("left", "free"),
    [
        pytest.param({"cpu_milli": 8000, "memory_mib": 8000}, 2, id="both"),
        pytest.param({"cpu_milli": 7999, "memory_mib": 8000}, 1, id="cpu-for-one"),
        pytest.param({"cpu_milli": 8000, "memory_mib": 3999}, 0, id="memory-for-none"),
    ],
)
def test_a_gpu_without_the_usual_cpu_and_memory_is_stranded(left: dict[str, Any], free: int) -> None:
    standing = Standing(Cluster([node(gpus=2, **left)]))
    for asked in (100, 4000, 90_000):
        standing.usual.meet(pod(cpu_milli=asked, memory_mib=asked))

    assert standing.free().tolist() == [free]
    assert [(pool.installed, pool.in_service, pool.free) for pool in standing.pools()] == [(2, free, free)]


def test_nothing_is_stranded_where_cpu_and_memory_do_not_bind_or_nobody_tells() -> None:
    full = [node(gpus=2, cpu_milli=0)]
    for standing in (Standing(Cluster(full, hosts=False)), Standing(Cluster(full), strands=False)):
        standing.usual.meet(pod(cpu_milli=1))

        assert standing.free().tolist() == [2]


def test_the_usual_is_the_lower_median_for_each_gpu_of_pods_that_have_some() -> None:
    standing = Standing(Cluster([node()]))
    met = [standing.usual.cpu_milli]
    for one in (pod(gpus=8, cpu_milli=8000), pod(gpus=0, cpu_milli=1), pod(cpu_milli=3000), pod(cpu_milli=2000)):
        standing.usual.meet(one)
        met.append(standing.usual.cpu_milli)

    assert met == [0, 1000, 1000, 1000, 2000]


@pytest.mark.parametrize(
    ("asking", "accelerators"),
    [
        pytest.param(pod(gpus=4), 4, id="whole-gpus-ask-for-as-many"),
        pytest.param(pod(share=500), 0, id="a-share-goes-with-shares"),
        pytest.param(pod(share=501), 1, id="a-share-too-large-for-that-asks-for-one"),
        pytest.param(pod(share=500, models=("T4",)), 0, id="with-shares-of-its-model"),
        pytest.param(pod(share=500, models=("P100",)), 1, id="not-with-those-of-another"),
        pytest.param(pod(share=999), 1, id="a-gpu-that-nobody-uses-is-not-shared"),
    ],
)
def test_a_share_asks_for_an_accelerator_only_where_no_shared_gpu_takes_it_in(asking: Pod, accelerators: int) -> None:
    cluster = Cluster([node("a", 2, "T4"), node("b", 8, "P100")])
    cluster.place(pod(share=500))

    assert Standing(cluster).asks(asking) == accelerators


def test_a_shared_gpu_takes_nothing_in_without_the_usual_cpu() -> None:
    cluster = Cluster([node(gpus=1, cpu_milli=5000)])
    cluster.place(pod(share=500, cpu_milli=3000))
    standing = Standing(cluster)
    standing.usual.meet(pod(cpu_milli=3000))

    assert standing.asks(pod(share=500, cpu_milli=1)) == 1


def test_pools_are_by_type_with_how_many_nodes_have_how_many_free() -> None:
    cluster = Cluster([node("a", 2, "T4"), node("b", 2, "T4"), node("c", 4, "G2"), node("d", 0)])
    cluster.place(pod())
    pools = {pool.type: (pool.installed, pool.allocated, pool.free_per_node) for pool in Standing(cluster).pools()}

    assert pools == {"g2": (4, 0, (0, 0, 0, 0, 1)), "t4": (4, 1, (0, 1, 1))}
