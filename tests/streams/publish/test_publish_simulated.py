"""Simulated nodes: the same from one seed and time, and never anything that could not be."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ConfigurationError
from streams.publish.measures import Identity, NodeMeasure, Sampled
from streams.publish.options import Target
from streams.publish.registry import chosen_source
from streams.publish.sources.simulated import SimulatedNode, source_of
from tests.builders import CATALOGUE, SITE, T0
from tests.publish_fakes import N1, TYPE, folding, options


def simulated(identity: Identity = N1, seed: int = 1, type_: str = TYPE) -> SimulatedNode:
    kind = CATALOGUE[type_]
    return SimulatedNode.of(identity, kind, kind.per_node, seed)


def found(**said: Any) -> list[str]:
    components = asyncio.run(source_of(options(**said)).discover())
    return [one.identity.node for one in components]


def test_a_node_is_the_same_from_one_seed_and_time() -> None:
    assert simulated().measure(T0) == simulated().measure(T0)
    assert simulated().measure(T0) != simulated().measure(T0 + 1000)
    assert simulated().measure(T0) != simulated(seed=2).measure(T0)
    assert simulated().measure(T0).power_watts != simulated(Identity(SITE, "n2")).measure(T0).power_watts


@pytest.mark.parametrize("type_", CATALOGUE.ids)
@settings(max_examples=10, deadline=None)
@given(at=st.integers(0, 4 * 10**12))
def test_every_type_measures_what_can_be(type_: str, at: int) -> None:
    told = folding().fold(Sampled((simulated(type_=type_).measure(at),)), at)

    assert told.failures == ()
    assert len(told.readings) == 1


def test_counters_agree_with_watts() -> None:
    node = simulated()
    measures = [node.measure(T0 + 100 * step) for step in range(101)]

    def mean(values: list[float | None]) -> float:
        known = [value for value in values if value is not None]
        assert len(known) == len(values)
        return sum(known) / len(known)

    def drawn(first: NodeMeasure, last: NodeMeasure) -> float:
        assert first.energy_joules is not None
        assert last.energy_joules is not None
        return (last.energy_joules - first.energy_joules) / 10

    assert drawn(measures[0], measures[-1]) == pytest.approx(mean([one.power_watts for one in measures]), rel=1e-3)
    for before, after in pairwise(measures):
        for one, other in zip(before.accelerators, after.accelerators, strict=True):
            assert (other.energy_joules or 0) > (one.energy_joules or 0)


def test_one_target_is_a_node_or_many() -> None:
    assert found() == ["n1"]
    assert found(extra={"nodes": 3}) == ["n1-00000", "n1-00001", "n1-00002"]


def test_it_answers_as_any_source() -> None:
    sampled = asyncio.run(chosen_source("simulated", options()).sample())

    assert len(sampled.nodes) == 1
    assert sampled.failures == ()


@pytest.mark.parametrize(
    ("target", "extra", "message"),
    [
        pytest.param(Target(N1), {}, "--type is None", id="no-type"),
        pytest.param(Target(N1, type=TYPE, meter=True), {}, "no meters are simulated", id="a-meter"),
        pytest.param(Target(N1, type=TYPE), {"nodes": 0}, "options.nodes is 0", id="no-nodes"),
        pytest.param(Target(N1, type=TYPE), {"sede": 1}, "options.sede is 1", id="an-unknown-option"),
    ],
)
def test_what_cannot_be_simulated_is_refused(target: Target, extra: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message.replace(".", r"\.")):
        source_of(options(target, extra=extra))
