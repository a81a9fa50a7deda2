"""Best fit: a pod goes where it leaves the least, if it fits there at all, and stays."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.traces.alibaba import WHOLE, Node, Pod
from streams.traces.packing import Cluster
from tests.alibaba_builders import node, pod


def places(nodes: list[Node], pods: list[Pod], *, hosts: bool = True) -> list[str | None]:
    """The nodes on which the pods come to stand, by name."""
    cluster = Cluster(nodes, hosts=hosts)
    found = [cluster.place(one) for one in pods]
    return [None if place is None else nodes[place].name for place in found]


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        pytest.param([pod(gpus=2)], ["two"], id="the-tightest-that-suffices"),
        pytest.param([pod(gpus=2), pod(gpus=2)], ["two", "four"], id="the-next-where-the-tightest-is-full"),
        pytest.param([pod(gpus=4), pod(gpus=4)], ["four", "eight"], id="gangs-stay-on-one-node"),
        pytest.param([pod(gpus=9)], [None], id="no-node-is-that-large"),
        pytest.param([pod(share=300), pod(share=300), pod(gpus=1)], ["two"] * 3, id="a-started-node-goes-first"),
        pytest.param([pod(share=300), pod(gpus=2)], ["two", "four"], id="a-shared-gpu-is-not-whole"),
        pytest.param(
            [pod(share=600), pod(share=600), pod(share=600)], ["two", "two", "four"], id="shares-do-not-add-up"
        ),
    ],
)
def test_a_pod_goes_where_it_leaves_the_least(pods: list[Pod], expected: list[str | None]) -> None:
    nodes = [node("eight", 8), node("two", 2), node("four", 4)]

    assert places(nodes, pods) == expected


def test_of_nodes_that_fit_alike_the_first_is_taken() -> None:

    assert places([node("b", 2), node("a", 2)], [pod()]) == ["b"]


def test_a_share_goes_to_the_gpu_with_the_least_left() -> None:
    cluster = Cluster([node(gpus=3)])
    for share in (600, 500, 350):
        cluster.place(pod(share=share))

    assert cluster.left.tolist() == [[50, 500, 1000]]


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        pytest.param((), "p100", id="any"),
        pytest.param(("T4",), "t4", id="one"),
        pytest.param(("P100", "T4"), "p100", id="one-or-the-other"),
        pytest.param(("A10",), None, id="one-that-is-not-there"),
    ],
)
@pytest.mark.parametrize("share", [pytest.param(WHOLE, id="whole"), pytest.param(400, id="share")])
def test_only_nodes_of_a_model_that_will_do_are_taken(
    models: tuple[str, ...], expected: str | None, share: int
) -> None:
    nodes = [node("p100", 1, "P100"), node("t4", 2, "T4")]

    assert places(nodes, [pod(models=models, share=share)]) == [expected]


@pytest.mark.parametrize("what", ["cpu_milli", "memory_mib"])
def test_cpu_and_memory_bind_unless_they_are_not_to(what: str) -> None:
    more: dict[str, Any] = {what: 10_001}
    less: dict[str, Any] = {what: 10_000}
    nodes, asking = [node("tight", 1, **less), node("roomy", 8)], [pod(**more), pod(**less)]

    assert places(nodes, asking) == ["roomy", "tight"]
    assert places(nodes, asking, hosts=False) == ["tight", "roomy"]


def test_a_pod_without_gpus_takes_cpu_where_no_gpu_is_left_idle_by_it() -> None:
    nodes = [node("gpus", 1, cpu_milli=4000), node("none", 0, cpu_milli=4000)]

    assert places(nodes, [pod(gpus=0, cpu_milli=4000), pod(gpus=0, cpu_milli=1), pod(cpu_milli=4000)]) == [
        "none",
        "gpus",
        None,
    ]


def test_a_pod_that_finds_no_place_changes_nothing() -> None:
    cluster = Cluster([node(gpus=2)])
    cluster.place(pod(gpus=3))

    assert (cluster.free, cluster.whole.tolist(), cluster.cpu.tolist()) == (2000, [2], [96_000])


nodes_drawn = st.lists(
    st.builds(
        node,
        name=st.uuids().map(str),
        gpus=st.integers(0, 4),
        model=st.sampled_from(["T4", "P100"]),
        cpu_milli=st.integers(0, 20_000),
        memory_mib=st.integers(0, 20_000),
    ),
    min_size=1,
    max_size=6,
)
pods_drawn = st.lists(
    st.one_of(
        st.builds(pod, gpus=st.integers(0, 4), cpu_milli=st.integers(0, 8000), memory_mib=st.integers(0, 8000)),
        st.builds(pod, share=st.integers(1, 999), models=st.sampled_from([(), ("T4",), ("P100", "T4")])),
    ),
    max_size=25,
)


@settings(max_examples=200, deadline=None)
@given(nodes=nodes_drawn, pods=pods_drawn, hosts=st.booleans())
def test_nothing_is_overfilled_and_placed_and_free_are_all_there_is(
    nodes: list[Node], pods: list[Pod], hosts: bool
) -> None:
    cluster = Cluster(nodes, hosts=hosts)
    found = [(one, cluster.place(one)) for one in pods]

    placed = [(one, place) for one, place in found if place is not None]
    assert cluster.free + sum(one.milli for one, _ in placed) == 1000 * sum(one.gpus for one in nodes)
    assert (cluster.left >= 0).all()
    assert (cluster.whole == (cluster.left == WHOLE).sum(axis=1)).all()
    for place, one in enumerate(nodes):
        here = [pod for pod, where in placed if where == place]
        assert sum(pod.milli for pod in here) + int(cluster.left[place].sum()) == one.gpus * WHOLE
        if hosts:
            assert sum(pod.cpu_milli for pod in here) <= one.cpu_milli
            assert sum(pod.memory_mib for pod in here) <= one.memory_mib


@settings(max_examples=200, deadline=None)
@given(nodes=nodes_drawn, pods=pods_drawn)
def test_a_pod_is_left_out_only_where_no_node_has_room(nodes: list[Node], pods: list[Pod]) -> None:
    cluster = Cluster(nodes)
    for one in pods:
        left, cpu, memory = cluster.left.copy(), cluster.cpu.copy(), cluster.memory.copy()
        roomy = [
            place
            for place, there in enumerate(nodes)
            if (not one.models or not one.gpus or there.model in one.models)
            and cpu[place] >= one.cpu_milli
            and memory[place] >= one.memory_mib
            and (left[place] >= one.share).sum() >= one.gpus
        ]

        assert (cluster.place(one) is not None) == bool(roomy)
