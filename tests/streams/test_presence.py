"""Who is away and who is back, by a clock that is handed in."""

from __future__ import annotations

import pytest

from streams.workers.presence import PresenceWatch

Look = tuple[float, dict[int, int], set[int]]
"""When, how far the partitions have come, and who is away by the ledger's word."""


@pytest.mark.parametrize(
    ("looks", "judged"),
    [
        pytest.param([(0, {0: 5}, set())], [[]], id="the-first-look-says-nothing"),
        pytest.param([(0, {0: 5}, set()), (10, {0: 5}, set())], [[], []], id="exactly-the-timeout"),
        pytest.param([(0, {0: 5}, set()), (10.1, {0: 5}, set())], [[], [(0, True)]], id="silent-for-longer"),
        pytest.param([(0, {}, set()), (10.1, {}, set())], [[], [(0, True)]], id="never-heard"),
        pytest.param([(0, {0: 5}, set()), (9, {0: 6}, set()), (18, {0: 6}, set())], [[], [], []], id="heard-meanwhile"),
        pytest.param(
            [(0, {0: 5}, set()), (11, {0: 5}, {0}), (60, {0: 5}, {0})], [[], [], []], id="away-is-not-said-again"
        ),
        pytest.param([(0, {0: 5}, {0}), (1, {0: 6}, {0})], [[], [(0, False)]], id="back-when-it-gets-further"),
        pytest.param([(0, {}, {0}), (1, {0: 6}, {0})], [[], [(0, False)]], id="back-when-first-heard"),
        pytest.param([(0, {0: 5}, set()), (1, {0: 6}, set())], [[], []], id="present-is-not-said-again"),
    ],
)
def test_presence_is_judged_by_progress(looks: list[Look], judged: list[list[tuple[int, bool]]]) -> None:
    watch = PresenceWatch(10.0)

    assert [list(watch.judge(through, away, 1, now)) for now, through, away in looks] == judged


def test_partitions_are_judged_each_by_itself() -> None:
    watch = PresenceWatch(10.0)
    list(watch.judge({0: 5, 1: 5, 2: 5}, {2}, 3, 0.0))

    assert list(watch.judge({0: 6, 1: 5, 2: 6}, {2}, 3, 11.0)) == [(1, True), (2, False)]


def test_what_passed_while_nobody_looked_says_nothing() -> None:
    watch = PresenceWatch(10.0)
    list(watch.judge({0: 5}, set(), 1, 0.0))
    watch.forget()

    assert list(watch.judge({0: 5}, set(), 1, 100.0)) == []
    assert list(watch.judge({0: 5}, set(), 1, 110.5)) == [(0, True)]
