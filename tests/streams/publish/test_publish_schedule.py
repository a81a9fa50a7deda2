"""Beats: steady, without drift, and not all publishers at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.publish.schedule import Beats, offset_of


def test_the_offset_of_a_publisher_follows_from_its_name() -> None:
    names = [f"memphis/n{number}" for number in range(1000)]
    offsets = [offset_of(name, 5.0) for name in names]

    assert offsets == [offset_of(name, 5.0) for name in names]
    assert all(0 <= offset < 5 for offset in offsets)
    for second in range(5):
        assert 150 < sum(second <= offset < second + 1 for offset in offsets) < 250


def test_the_first_beat_is_the_next_one_of_the_offset_on_the_walls_clock() -> None:
    assert Beats(5.0, 2.0, wall=1001.0, monotonic=70.0).due == 71.0
    assert Beats(5.0, 2.0, wall=1003.0, monotonic=70.0).due == 74.0


@pytest.mark.parametrize(
    ("now", "skipped", "due"),
    [
        pytest.param(100.2, 0, 105.0, id="in-time"),
        pytest.param(104.9, 0, 105.0, id="just-in-time"),
        pytest.param(105.0, 0, 105.0, id="exactly-in-time"),
        pytest.param(105.1, 1, 110.0, id="one-is-overrun"),
        pytest.param(121.0, 4, 125.0, id="four-are-overrun"),
    ],
)
def test_a_beat_that_takes_too_long_costs_those_that_it_overran(now: float, skipped: int, due: float) -> None:
    beats = Beats(5.0, 0.0, wall=0.0, monotonic=100.0)
    assert beats.due == 100.0

    assert beats.passed(now) == skipped
    assert beats.due == due


@given(
    interval=st.floats(0.1, 60),
    late=st.lists(st.floats(0, 0.05), max_size=200),
)
def test_being_a_little_late_again_and_again_adds_up_to_nothing(interval: float, late: list[float]) -> None:
    beats = Beats(interval, 0.0, wall=0.0, monotonic=10.0)
    for some in late:
        assert beats.passed(beats.due + some) == 0

    assert beats.due == 10.0 + len(late) * interval
