"""Energy: the trapezoid sum over each node's readings in the order of their times, in whole numbers."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.sample import SiteSample
from tests.builders import CATALOGUE, T0, Row, clock, folded, frame, row, samples_of
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

RULES = Rules(tick=50_000)
SECONDS = 200

Said = tuple[str, int, int]
"""Node, milliseconds after T0, watts; no watts where it is negative."""

READINGS = st.lists(
    st.tuples(st.sampled_from(("a", "b", "c")), st.integers(0, SECONDS * 1000), st.integers(-1, 9000)),
    unique_by=lambda said: said[:2],
    max_size=25,
)


def rows(said: list[Said]) -> list[Row]:
    return [row(node, T0 + at, at, power_watts=None if watts < 0 else float(watts)) for node, at, watts in said]


def last_sample(frames: list[list[Row]]) -> SiteSample:
    clocks = [clock(T0 - RULES.tick + RULES.grace), clock(T0 + SECONDS * 1000 + RULES.grace)]
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
    return samples_of(folded(machine, [clocks[0], *(frame(some) for some in frames), clocks[1]]))[-1]


def trapezoids(said: list[Said]) -> tuple[int, int]:
    """Joules and gaps, by hand."""
    halves = gaps = 0
    for node in "abc":
        mine = sorted((at, watts) for name, at, watts in said if name == node)
        for (begin, first), (end, second) in pairwise(mine):
            if end - begin > RULES.longest_gap:
                gaps += 1
            elif first >= 0 and second >= 0:
                halves += (first * 1000 + second * 1000) * (end - begin)
    return halves // 2_000_000, gaps


@settings(max_examples=60, deadline=None)
@given(said=READINGS.filter(bool), cuts=st.lists(st.integers(1, 24), max_size=5), shuffled=st.randoms())
def test_energy_is_the_sum_of_trapezoids_however_the_readings_are_batched(
    said: list[Said], cuts: list[int], shuffled: Random
) -> None:
    mixed = list(said)
    shuffled.shuffle(mixed)
    edges = sorted({0, len(mixed), *(cut for cut in cuts if cut < len(mixed))})
    sample = last_sample([rows(mixed[begin:end]) for begin, end in pairwise(edges)])

    assert (sample.energy_joules, sample.gaps) == trapezoids(said)


@settings(max_examples=30, deadline=None)
@given(said=READINGS.filter(bool), again=st.lists(st.integers(0, 24), max_size=10))
def test_duplicates_change_nothing_but_their_count(said: list[Said], again: list[int]) -> None:
    once = last_sample([rows(said)])
    more = last_sample([rows(said), *(rows([said[which % len(said)]]) for which in again)])

    assert more.model_dump(exclude={"intake"}) == once.model_dump(exclude={"intake"})
    assert more.intake.duplicate == len(again)
    assert more.intake.superseded == 0


@pytest.mark.parametrize(
    ("apart", "joules", "gaps"),
    [
        pytest.param(RULES.longest_gap, 60_000, 0, id="exactly-the-longest-gap-counts"),
        pytest.param(RULES.longest_gap + 1, 0, 1, id="one-millisecond-more-is-a-gap"),
    ],
)
def test_no_energy_is_counted_over_a_gap(apart: int, joules: int, gaps: int) -> None:
    sample = last_sample([rows([("a", 0, 1000), ("a", apart, 1000)])])

    assert (sample.energy_joules, sample.gaps) == (joules, gaps)


def test_less_than_a_joule_is_not_lost_between_readings() -> None:
    every_millisecond = [("a", at, 1) for at in range(2001)]

    assert last_sample([rows(every_millisecond)]).energy_joules == 2


def test_parts_of_a_joule_of_several_nodes_add_up() -> None:
    said = [(node, at, 1) for node in "ab" for at in (0, 500)]

    assert last_sample([rows(said)]).energy_joules == 1


def test_modelled_watts_are_integrated_like_measured_ones() -> None:
    idle = 8 * 72 + 1600  # the catalogue's H100: eight accelerators and their host
    said = [row("a", T0, 0, utilization=0.0), row("a", T0 + 10_000, 1, utilization=0.0)]
    sample = last_sample([said])

    assert (sample.energy_joules, sample.power.measured) == (idle * 10, 0)
