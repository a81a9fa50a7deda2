"""Watts from counters of energy: what two readings of a counter say, and when they say nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.publish.power import LONGEST_GAP, EnergyCounters


def of(*read: tuple[float, int]) -> list[float | None]:
    counters = EnergyCounters()
    return [counters.watts("n1", joules, at) for joules, at in read]


@pytest.mark.parametrize(
    ("read", "watts"),
    [
        pytest.param([(1000.0, 0)], [None], id="the-first-time"),
        pytest.param([(1000.0, 0), (8000.0, 1000)], [None, 7000.0], id="a-second-later"),
        pytest.param([(1000.0, 0), (36_000.0, 5000)], [None, 7000.0], id="five-seconds-later"),
        pytest.param([(1000.0, 0), (10.0, 1000), (7010.0, 2000)], [None, None, 7000.0], id="it-went-back"),
        pytest.param([(0.0, 0), (6e4, LONGEST_GAP)], [None, 1000.0], id="the-longest-gap"),
        pytest.param([(0.0, 0), (6e4, LONGEST_GAP + 1)], [None, None], id="too-long-a-gap"),
        pytest.param([(0.0, 0), (5.0, 0), (1005.0, 1000)], [None, None, 1000.0], id="no-time-has-passed"),
        pytest.param([(0.0, 1000), (5.0, 0), (1005.0, 1000)], [None, None, 1000.0], id="time-went-back"),
        pytest.param([(0.0, 0), (0.0, 1000), (3000.0, 3000)], [None, None, 1000.0], id="a-coarse-counter"),
        pytest.param(
            [(0.0, 0), (0.0, LONGEST_GAP + 1), (1e3, LONGEST_GAP + 1001)], [None, None, 1000.0], id="it-stood-for-long"
        ),
    ],
)
def test_watts_are_joules_by_the_time_between(read: list[tuple[float, int]], watts: list[float | None]) -> None:
    assert of(*read) == watts


def test_counters_do_not_disturb_one_another() -> None:
    counters = EnergyCounters()
    counters.watts("n1", 0.0, 0)
    counters.watts("n2", 500.0, 0)

    assert counters.watts("n1", 100.0, 1000) == 100.0
    assert counters.watts("n2", 700.0, 1000) == 200.0


@given(steps=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 9_000)), min_size=1, max_size=20))
def test_energy_is_conserved_while_a_counter_goes_on(steps: list[tuple[int, int]]) -> None:
    counters, joules, at, drawn, since = EnergyCounters(10**9), 0.0, 0, 0.0, 0
    counters.watts("n1", joules, at)
    for more, milliseconds in steps:
        joules, at = joules + more, at + milliseconds
        watts = counters.watts("n1", joules, at)
        if watts is not None:
            drawn += watts * (at - since) / 1000
            since = at

    still = sum(more for more, _ in steps) - drawn
    assert abs(still) < 0.001 * at / 1000 + 1e-6  # to the milliwatt
