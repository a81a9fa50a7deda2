"""Node events: one when something begins, one when it ends, none while it lasts."""

from __future__ import annotations

from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.node_event import NodeEvent
from streams.publish.conditions import Conditions
from streams.publish.measures import AcceleratorMeasure, Identity, Throttle
from tests.builders import SITE, T0
from tests.publish_fakes import node

Shown = tuple[str, str, int | None, int | None, tuple[str, ...]]


def shown(events: tuple[NodeEvent, ...]) -> list[Shown]:
    return [
        (one.kind.value, one.change.value, one.accelerator, one.code, tuple(reason.value for reason in one.reasons))
        for one in events
    ]


def after(*beats: list[dict[str, Any]], conditions: Conditions | None = None) -> list[list[Shown]]:
    """What each beat tells, of a node whose accelerators say these things."""
    conditions, numbers = conditions or Conditions(), count()
    measures = [node(accelerators=tuple(AcceleratorMeasure(**one) for one in beat)) for beat in beats]
    return [shown(conditions.changed(one, lambda: next(numbers))) for one in measures]


def test_an_xid_begins_changes_and_ends() -> None:
    assert after([{}], [{"xid": 13}], [{"xid": 13}], [{"xid": 79}], [{}]) == [
        [],
        [("xid", "began", 0, 13, ())],
        [],
        [("xid", "ended", 0, 13, ()), ("xid", "began", 0, 79, ())],
        [("xid", "ended", 0, 79, ())],
    ]


def test_a_fault_is_one_whatever_words_it_is_told_in() -> None:
    assert after([{"fault": "lost"}], [{"fault": "still lost"}], [{}]) == [
        [("fault", "began", 0, None, ())],
        [],
        [("fault", "ended", 0, None, ())],
    ]


def test_reasons_of_a_throttle_come_and_go_each_by_itself() -> None:
    power, both = frozenset({Throttle.POWER}), frozenset({Throttle.THERMAL, Throttle.POWER})

    assert after([{"throttled": power}], [{"throttled": both}], [{"throttled": frozenset()}]) == [
        [("throttle", "began", 0, None, ("power",))],
        [("throttle", "began", 0, None, ("thermal",))],
        [("throttle", "ended", 0, None, ("power", "thermal"))],
    ]


def test_a_throttle_of_which_nothing_is_said_goes_on() -> None:
    power = frozenset({Throttle.POWER})

    assert after([{"throttled": power}], [{"throttled": None}], [{"throttled": power}]) == [
        [("throttle", "began", 0, None, ("power",))],
        [],
        [],
    ]


def test_accelerators_of_which_nothing_is_known_change_nothing() -> None:
    assert after([{"xid": 13}], [], [{"xid": 13}]) == [[("xid", "began", 0, 13, ())], [], []]


def test_each_accelerator_and_each_node_is_told_by_itself() -> None:
    conditions, numbers = Conditions(), count(5)
    hot = AcceleratorMeasure(throttled=frozenset({Throttle.THERMAL}))

    first = conditions.changed(node(accelerators=(hot, hot)), lambda: next(numbers))
    second = conditions.changed(node(Identity(SITE, "n2"), accelerators=(hot,)), lambda: next(numbers))

    assert [(one.node, one.accelerator, one.sequence) for one in (*first, *second)] == [
        ("n1", 0, 5),
        ("n1", 1, 6),
        ("n2", 0, 7),
    ]
    assert {one.at.timestamp() * 1000 for one in first} == {T0}


ACCELERATORS = st.builds(
    AcceleratorMeasure,
    xid=st.none() | st.sampled_from((13, 79)),
    fault=st.none() | st.just("lost"),
    throttled=st.none() | st.frozensets(st.sampled_from(list(Throttle))),
)


@given(beats=st.lists(st.lists(ACCELERATORS, max_size=3).map(tuple), max_size=6), restart=st.integers(0, 6))
def test_a_restart_changes_nothing_of_what_is_told(beats: list[tuple[AcceleratorMeasure, ...]], restart: int) -> None:
    steady, restarted = Conditions(), Conditions()
    for number, beat in enumerate(beats):
        if number == restart:
            restarted = Conditions.restored(restarted.dumped())
        measure = node(accelerators=beat)
        told = steady.changed(measure, lambda: 0)

        assert restarted.changed(measure, lambda: 0) == told


@given(beats=st.lists(st.lists(ACCELERATORS, min_size=2, max_size=2).map(tuple), max_size=8))
def test_what_ends_has_begun_and_nothing_begins_twice(beats: list[tuple[AcceleratorMeasure, ...]]) -> None:
    conditions = Conditions()
    going_on: set[object] = set()
    for beat in beats:
        for event in conditions.changed(node(accelerators=beat), lambda: 0):
            for word in event.reasons or (event.code,):
                one = (event.kind, event.accelerator, word)
                assert (one in going_on) == (event.change == "ended")
                going_on ^= {one}
