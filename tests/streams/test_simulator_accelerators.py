"""What simulated nodes say of each accelerator agrees with what they say of themselves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from models.catalogue import shipped_catalogue
from models.cloudevents import EventType
from models.columns import UNKNOWN, AcceleratorMeasure, Integers, ReadingColumns
from models.frame import read_frame
from models.record import Record
from models.scenario import Scenario, load_scenario, read_scenario
from models.telemetry import Readings, TelemetryDecoder
from models.topics import TELEMETRY
from streams.simulator.telemetry import telemetry

CATALOGUE = shipped_catalogue()
START = 1_800_000_000_000
TELLING = """
title: telling
seed: 7
frame_rows: 16
sites:
  memphis:
    supply_mw: 1
    pue: 1.1
    pools:
      - {type: h100-sxm, nodes: 40, allocated: 0.7, fragmented: 0.5, per_accelerator: true}
      - {type: trillium, nodes: 10, metered: false, per_accelerator: true}
      - {type: cs-3, nodes: 4, per_accelerator: true, utilization: {mean: 1.0, spread: 0.0}}
      - {type: gb200, nodes: 6, accelerators_per_node: 72, allocated: 0.97, per_accelerator: true}
      - {type: mi300x, nodes: 20}
"""
HOT = "faults: {scripted: [{kind: hot, site: memphis, type: h100-sxm, nodes: 5, at: 3, until: 6}]}"


def scenario(text: str = TELLING) -> Scenario:
    return read_scenario(text, "telling.yaml")


def columns(text: str = TELLING, seconds: int = 8) -> Iterator[tuple[int, ReadingColumns]]:
    """The second, and what the twin reads in each frame."""
    decoder = TelemetryDecoder(CATALOGUE)
    for step in telemetry(scenario(text), START, seconds=seconds):
        for sent in step.records:
            if sent.topic == TELEMETRY:
                readings = decoder.decode(Record(sent.topic, 0, 0, START + 10**6, sent.key, sent.value, sent.headers))
                assert isinstance(readings, Readings)
                assert not readings.refusals
                yield (step.at - START) // 1000, readings.columns


def of_each(found: ReadingColumns, measure: AcceleratorMeasure) -> list[Integers]:
    """The values of each reading, where all of them say some."""
    accelerators = found.accelerators
    assert accelerators is not None
    assert (accelerators.lengths == found.installed).all()
    return np.split(accelerators.values[measure], np.cumsum(accelerators.lengths)[:-1])


def types(found: ReadingColumns) -> set[str]:
    return {CATALOGUE.ids[code] for code in found.roster.codes[found.who].tolist()}


def telling(text: str = TELLING) -> Iterator[tuple[int, ReadingColumns]]:
    return ((second, found) for second, found in columns(text) if types(found) != {"mi300x"})


def test_only_pools_that_are_said_to_tell_each_accelerator_do() -> None:
    told = {type_: found.accelerators is not None for _, found in columns() for type_ in types(found)}

    assert told == {"h100-sxm": True, "trillium": True, "cs-3": True, "gb200": True, "mi300x": False}


@pytest.mark.parametrize("text", [pytest.param(TELLING, id="as-usual"), pytest.param(TELLING + HOT, id="some-hot")])
def test_accelerators_together_are_what_their_node_says(text: str) -> None:
    for _, found in telling(text):
        busy, watts, used, celsius = (of_each(found, measure) for measure in AcceleratorMeasure)

        assert [values.sum() for values in busy] == (found.utilization * found.installed).tolist()
        assert [values.sum() for values in used] == found.memory_used.tolist()
        assert [values.max() for values in celsius] == found.temperature.tolist()
        assert all(values.min() >= 0 and values.max() <= 1_000_000 for values in busy)
        if types(found) == {"trillium"}:
            assert all((values == UNKNOWN).all() for values in watts)
        else:
            most = [CATALOGUE[next(iter(types(found)))].max_watts * 1000] * len(found)
            assert all(values.min() > 0 and values.max() <= limit for values, limit in zip(watts, most, strict=True))
            assert all(values.sum() < node for values, node in zip(watts, found.power.tolist(), strict=True))


def test_accelerators_of_one_node_differ() -> None:
    for _, found in telling():
        for values, allocated in zip(of_each(found, AcceleratorMeasure.UTILIZATION), found.allocated, strict=True):
            if allocated > 1 and values.max() < 1_000_000:
                assert len(set(values.tolist())) > 1


def test_accelerators_that_are_not_allocated_do_nothing() -> None:
    idle = [
        int((values == 0).sum()) - (8 - allocated)
        for _, found in telling()
        if types(found) == {"h100-sxm"}
        for values, allocated in zip(of_each(found, AcceleratorMeasure.UTILIZATION), found.allocated, strict=True)
    ]

    assert set(idle) == {0}


def test_the_accelerators_that_a_fault_makes_hot_are_the_only_hot_ones() -> None:
    hot = dict.fromkeys(range(1, 9), 0)
    for second, found in telling(TELLING + HOT):
        if types(found) == {"h100-sxm"}:
            for values in of_each(found, AcceleratorMeasure.TEMPERATURE):
                rest, highest = np.sort(values)[:-1], values.max()
                if highest - rest.max() > 10_000:
                    hot[second] += 1
                assert rest.max() < 80_000

    assert hot == {1: 0, 2: 0, 3: 5, 4: 5, 5: 5, 6: 0, 7: 0, 8: 0}


def test_telling_each_accelerator_and_heat_change_nothing_else() -> None:
    """A generator that they shared with the rest of the site would show in every number."""

    def without(text: str, *names: str) -> list[dict[str, list[object]]]:
        frames = [
            read_frame(sent.value or b"")[1].to_pydict()
            for step in telemetry(scenario(text), START, seconds=8)
            for sent in step.records
            if dict(sent.headers)["ce_type"] == EventType.FRAME.encode()
        ]
        return [{name: values for name, values in frame.items() if not name.startswith(names)} for frame in frames]

    plain = TELLING.replace(", per_accelerator: true", "")

    assert without(TELLING, "accelerator_") == without(plain, "accelerator_")
    assert without(plain + HOT, "temperature") == without(plain, "temperature")


def test_a_reading_that_is_sent_twice_says_the_same_of_its_accelerators() -> None:
    said: dict[tuple[str, int, int], object] = {}
    repeats = 0
    for _, found in columns(TELLING + "faults: {dirty: {duplicated: 100000}}"):
        if found.accelerators is None:
            continue
        for who, at, sequence, lists in zip(
            found.who.tolist(), found.at.tolist(), found.sequence.tolist(), found.accelerators.each(), strict=True
        ):
            key = found.roster.nodes[who], at, sequence
            repeats += key in said
            assert said.setdefault(key, lists) == lists

    assert repeats > 10


def test_frames_of_nodes_with_very_many_accelerators_hold_fewer_of_them() -> None:
    pool = "{type: gb200, nodes: 300, accelerators_per_node: 1024, per_accelerator: true}"
    text = f"""{{title: t, seed: 1, frame_rows: 16384, sites: {{s: {{supply_mw: 1, pue: 1, pools: [{pool}]}}}}}}"""

    assert [len(found) for _, found in columns(text, seconds=1)] == [128, 128, 44]


def test_the_demo_tells_each_accelerator_of_some_nodes_of_which_a_few_run_hot() -> None:
    demo = load_scenario("demo")

    assert any(pool.per_accelerator for site in demo.sites.values() for pool in site.pools)
    assert "hot" in {fault.kind for fault in demo.faults.scripted}
