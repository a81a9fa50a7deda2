"""From measures to readings: what is known is told, what cannot be is named, and the rest is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.meter_reading import MeterLevel as ToldLevel
from models.node_event import ThrottleReason
from models.reading import NodeState, PowerMethod, Reading
from streams.publish.folding import Told
from streams.publish.measures import (
    AcceleratorMeasure,
    Failure,
    Identity,
    MeterLevel,
    MeterMeasure,
    NodeMeasure,
    Sampled,
    Throttle,
)
from streams.publish.sequences import BOOT
from tests.builders import SITE, T0
from tests.publish_fakes import N1, accelerators, folding, node

BLANK = 9_223_372_036_854_775_794
"""DCGM's word for not knowing."""


def told_of(*nodes: NodeMeasure, now: int = T0, **said: Any) -> Told:
    return folding(**said).fold(Sampled(nodes), now)


def reading_of(measure: NodeMeasure, **said: Any) -> Reading:
    told = told_of(measure, **said)
    assert told.failures == ()
    return told.readings[0]


def test_what_a_source_knows_of_a_node_is_told() -> None:
    measured = accelerators(
        power_watts=600.0, utilization=0.9, sm_active=0.8, memory_used_bytes=10**9, temperature_celsius=61.0
    )

    reading = reading_of(node(accelerators=measured, power_watts=6500.0, allocated=8))

    assert (reading.site, reading.node, reading.rack, reading.type) == (SITE, "n1", "r1", "h100-sxm")
    assert (reading.installed, reading.in_service, reading.allocated) == (8, 8, 8)
    assert (reading.power_watts, reading.power_method) == (6500.0, PowerMethod.INSTANTANEOUS)
    assert reading.accelerators is not None
    assert reading.accelerators.power_watts == (600.0,) * 8
    assert reading.accelerators.utilization == (0.9,) * 8
    assert reading.accelerators.temperature_celsius == (61.0,) * 8


def test_what_is_not_known_stays_out() -> None:
    reading = reading_of(node(accelerators=accelerators(utilization=0.5)))

    assert reading.accelerators is not None
    assert [name for name, values in reading.accelerators if values is not None] == ["utilization"]
    assert (reading.power_watts, reading.power_method, reading.allocated) == (None, None, None)


def test_a_node_of_which_nothing_but_its_being_is_known_is_told() -> None:
    reading = reading_of(node())

    assert (reading.installed, reading.in_service, reading.accelerators) == (8, 8, None)


def test_the_watts_of_a_node_are_never_the_sum_of_its_boards() -> None:
    reading = reading_of(node(accelerators=accelerators(power_watts=600.0)))

    assert (reading.power_watts, reading.power_method) == (None, PowerMethod.INSTANTANEOUS)


def test_counters_are_believed_before_what_is_said_of_an_instant() -> None:
    folds = folding()
    first = node(energy_joules=0.0, power_watts=1000.0, accelerators=accelerators(energy_joules=0.0, power_watts=9.0))
    later = node(
        at=T0 + 5000,
        energy_joules=30_000.0,
        power_watts=1000.0,
        accelerators=accelerators(energy_joules=2500.0, power_watts=9.0),
    )

    (before,), (after,) = (folds.fold(Sampled((one,)), T0).readings for one in (first, later))

    assert (before.power_watts, before.power_method) == (1000.0, PowerMethod.INSTANTANEOUS)
    assert (after.power_watts, after.power_method) == (6000.0, PowerMethod.ENERGY_COUNTER)
    assert after.accelerators is not None
    assert after.accelerators.power_watts == (500.0,) * 8


def test_accelerators_of_which_only_some_have_counters_are_told_by_the_weaker_method() -> None:
    folds = folding()
    for at, joules in ((T0, 0.0), (T0 + 1000, 500.0)):
        one = AcceleratorMeasure(energy_joules=joules)
        other = AcceleratorMeasure(power_watts=400.0)
        told = folds.fold(Sampled((node(at=at, installed=2, accelerators=(one, other)),)), T0)

    (reading,) = told.readings
    assert reading.accelerators is not None
    assert reading.accelerators.power_watts == (500.0, 400.0)
    assert reading.power_method is PowerMethod.INSTANTANEOUS


def test_a_counter_that_jumps_beyond_what_a_node_can_draw_is_named_and_not_used() -> None:
    folds = folding()
    folds.fold(Sampled((node(energy_joules=0.0),)), T0)

    told = folds.fold(Sampled((node(at=T0 + 1000, energy_joules=1e6, power_watts=5000.0),)), T0)

    assert told.readings[0].power_watts == 5000.0
    assert "1000000 W by its counter" in told.failures[0].why


def test_those_with_a_fault_are_not_in_service() -> None:
    some = (AcceleratorMeasure(fault="fell off the bus"), *accelerators(7, utilization=0.5))

    reading = reading_of(node(accelerators=some))

    assert (reading.in_service, reading.state) == (7, NodeState.IN_SERVICE)


def test_a_node_all_of_whose_accelerators_have_a_fault_has_failed() -> None:
    reading = reading_of(node(accelerators=accelerators(fault="no driver")), states={N1: NodeState.DRAINING})

    assert (reading.in_service, reading.state) == (0, NodeState.FAILED)


def test_the_state_is_otherwise_what_the_user_says() -> None:
    assert reading_of(node(), states={N1: NodeState.MAINTENANCE}).state is NodeState.MAINTENANCE
    assert reading_of(node(Identity(SITE, "n2")), states={N1: NodeState.MAINTENANCE}).state is NodeState.IN_SERVICE


DOUBTS = [
    pytest.param("utilization", 1.2, id="a-fraction-above-1"),
    pytest.param("utilization", -0.1, id="a-fraction-below-0"),
    pytest.param("sm_active", float("nan"), id="not-a-number"),
    pytest.param("power_watts", -43.0, id="negative-watts"),
    pytest.param("power_watts", 1e6, id="absurd-watts"),
    pytest.param("power_watts", float(BLANK), id="a-blank-of-dcgm-in-watts"),
    pytest.param("memory_used_bytes", BLANK, id="a-blank-of-dcgm-in-bytes"),
    pytest.param("memory_used_bytes", 2**53, id="more-bytes-than-there-are"),
    pytest.param("temperature_celsius", 250.0, id="too-hot"),
    pytest.param("temperature_celsius", float("inf"), id="infinitely-hot"),
    pytest.param("energy_joules", -1.0, id="a-negative-counter"),
    pytest.param("energy_joules", float(BLANK), id="a-blank-of-dcgm-in-joules"),
]


@pytest.mark.parametrize(("name", "value"), DOUBTS)
def test_a_value_that_cannot_be_is_named_and_the_others_are_kept(name: str, value: Any) -> None:
    good = AcceleratorMeasure(utilization=0.5, power_watts=600.0)
    told = told_of(node(accelerators=(replace(good, **{name: value}), *(good,) * 7)))

    (failure,) = told.failures
    assert failure.endpoint == f"{SITE}/n1"
    assert failure.why.startswith(f"accelerator 0: {name} is ")
    (reading,) = told.readings
    assert reading.accelerators is not None
    assert reading.accelerators.utilization is not None
    assert reading.accelerators.power_watts is not None
    assert (reading.accelerators.utilization[1:], reading.accelerators.power_watts[1:]) == ((0.5,) * 7, (600.0,) * 7)
    assert value not in (reading.accelerators.utilization[0], reading.accelerators.power_watts[0])


@pytest.mark.parametrize(
    ("measure", "why"),
    [
        pytest.param(node(power_watts=20_000.0, allocated=8), "power_watts is 20000", id="more-than-it-can-draw"),
        pytest.param(node(allocated=9), "allocated is 9, of 8", id="more-allocated-than-there-are"),
        pytest.param(node(accelerators=accelerators(7)), "7 accelerators measured, of 8", id="some-are-missing"),
    ],
)
def test_what_a_node_cannot_be_is_named_and_the_node_is_kept(measure: NodeMeasure, why: str) -> None:
    told = told_of(measure)

    assert why in told.failures[0].why
    assert len(told.readings) == len(told.failures) == 1
    assert told.readings[0].power_watts is None
    assert told.readings[0].accelerators is None


@pytest.mark.parametrize(
    ("measure", "why"),
    [
        pytest.param(node(type_="h100-smx"), "'h100-smx' is not in the catalogue", id="an-unknown-type"),
        pytest.param(node(installed=0), "0 accelerators", id="no-accelerators"),
        pytest.param(node(at=T0 + 60_001), "measured at", id="from-the-future"),
        pytest.param(node(at=-1), "measured at", id="from-before-1970"),
        pytest.param(node(Identity("fleet", "n1")), "cannot be called 'fleet'", id="the-fleets-own-name"),
        pytest.param(node(Identity(SITE, "n\n1")), "node", id="a-name-with-a-line-end"),
    ],
)
def test_a_node_that_the_edge_would_refuse_is_named_and_not_told(measure: NodeMeasure, why: str) -> None:
    told = told_of(measure, node(Identity(SITE, "n2")))

    assert [one.node for one in told.readings] == ["n2"]
    assert why in told.failures[0].why


def test_a_node_that_is_measured_twice_is_told_once() -> None:
    told = told_of(node(allocated=1), node(allocated=2))

    assert [one.allocated for one in told.readings] == [2]
    assert told.failures == (Failure(f"{SITE}/n1", "it was measured 2 times"),)


def test_failures_of_the_source_are_passed_on_beside_what_there_is() -> None:
    failure = Failure("http://n2:9400", "timed out")

    told = folding().fold(Sampled((node(),), failures=(failure,)), T0)

    assert (len(told.readings), told.failures) == (1, (failure,))


def test_sequences_grow_from_beat_to_beat() -> None:
    folds = folding()

    numbers = [folds.fold(Sampled((node(), node(Identity(SITE, "n2")))), T0).readings for _ in range(3)]

    assert [[one.sequence for one in some] for some in numbers] == [[BOOT] * 2, [BOOT + 1] * 2, [BOOT + 2] * 2]


def test_a_meter_is_told_with_its_level() -> None:
    meter = MeterMeasure(SITE, "pdu-1", MeterLevel.PHASE, T0, 4000.0, 5e9, "r1")

    told = folding().fold(Sampled(meters=(meter, replace(meter, meter="pdu-2", power_watts=-1.0))), T0)

    (first, second) = told.meters
    assert (first.meter, first.level) == ("pdu-1", ToldLevel.PHASE)
    assert (first.power_watts, first.energy_joules) == (4000.0, 5e9)
    assert (second.power_watts, second.energy_joules) == (None, 5e9)
    assert told.failures[0].endpoint == f"{SITE}/pdu-2"


def test_a_meter_that_says_nothing_that_can_be_is_not_told() -> None:
    told = folding().fold(Sampled(meters=(MeterMeasure(SITE, "pdu-1", MeterLevel.PDU, T0, float("nan")),)), T0)

    assert told.meters == ()
    assert len(told.failures) == 1


def test_every_word_of_a_source_is_one_of_the_contract() -> None:
    assert [one.value for one in Throttle] == [one.value for one in ThrottleReason]
    assert [one.value for one in MeterLevel] == [one.value for one in ToldLevel]


def test_an_error_that_only_a_reset_undoes_takes_the_accelerator_out_of_service() -> None:
    told = told_of(node(accelerators=(AcceleratorMeasure(xid=79), *accelerators(utilization=0.5)[1:])))

    assert told.readings[0].in_service == 7
    assert [(event.kind, event.accelerator, event.code, event.detail) for event in told.events] == [
        ("fault", 0, None, "XID 79: it has fallen off the bus"),
        ("xid", 0, 79, None),
    ]


def test_an_error_that_an_application_can_cause_leaves_it_in_service() -> None:
    told = told_of(node(accelerators=(AcceleratorMeasure(xid=31), *accelerators(utilization=0.5)[1:])))

    assert told.readings[0].in_service == 8
    assert [event.kind for event in told.events] == ["xid"]


def test_a_node_all_of_whose_accelerators_must_be_reset_has_failed() -> None:
    assert reading_of(node(accelerators=accelerators(xid=95))).state is NodeState.FAILED


def test_what_a_source_says_of_a_fault_stands_beside_an_error() -> None:
    told = told_of(node(accelerators=accelerators(xid=79, fault="lost")))

    assert {event.detail for event in told.events if event.kind == "fault"} == {"lost"}
