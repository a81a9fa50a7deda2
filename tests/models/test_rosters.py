"""Which rosters are kept: those that come again, and no more of them than fit."""

from __future__ import annotations

import numpy as np
import pytest

from models.columns import Roster
from models.rosters import MOST_NODES, RosterCache


def known(nodes: int) -> tuple[Roster, np.ndarray]:
    roster = Roster(("n",) * nodes, ("",) * nodes, np.zeros(nodes, dtype=np.int64))
    return roster, np.ones(nodes, dtype=bool)


def test_a_roster_is_kept_from_its_second_time_on() -> None:
    cache, once = RosterCache(), known(3)
    cache.keep(b"a", once)
    after_one = cache.get(b"a")
    cache.keep(b"a", once)

    assert (after_one, cache.get(b"a")) == (None, once)


def test_rosters_that_never_come_again_take_no_room() -> None:
    cache = RosterCache()
    for number in range(200_000):
        cache.keep(number.to_bytes(8, "big"), known(1))

    assert len(cache) == 0


@pytest.mark.parametrize(("asked", "gone"), [(b"0", b"1"), (b"1", b"0")])
def test_the_one_asked_for_longest_ago_goes_first(asked: bytes, gone: bytes) -> None:
    cache, third = RosterCache(), known(MOST_NODES // 3)
    for content in (b"0", b"1", b"2"):
        for _ in range(2):
            cache.keep(content, third)
    cache.get(asked)
    for _ in range(2):
        cache.keep(b"3", third)

    assert [content for content in (b"0", b"1", b"2", b"3") if cache.get(content) is None] == [gone]
    assert len(cache) == 3
