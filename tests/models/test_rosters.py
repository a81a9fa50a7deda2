"""Which rosters are kept: those that come again, and no more of them than fit."""

from __future__ import annotations

import numpy as np
import pytest

from models.columns import Roster
from models.rosters import MOST_BYTES, RosterCache


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


@pytest.mark.parametrize(("asked", "gone"), [(0, 1), (1, 0)])
def test_the_one_asked_for_longest_ago_goes_first(asked: int, gone: int) -> None:
    contents = [bytes([number]) * (MOST_BYTES // 3 - 1000) for number in range(4)]
    cache = RosterCache()
    for content in contents[:3]:
        come_twice(cache, content)
    cache.get(contents[asked])
    come_twice(cache, contents[3])

    assert [number for number, content in enumerate(contents) if cache.get(content) is None] == [gone]


def test_one_that_is_too_large_for_all_the_room_is_not_kept() -> None:
    cache = RosterCache()
    come_twice(cache, bytes(MOST_BYTES))

    assert len(cache) == 0


def come_twice(cache: RosterCache, content: bytes) -> None:
    for _ in range(2):
        cache.keep(content, known(1))
