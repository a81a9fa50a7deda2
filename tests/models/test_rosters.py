"""Which rosters are kept: those that come again, and no more of them than fit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from models.columns import Roster
from models.rosters import MOST_BYTES, RosterCache, RosterContent


def known(nodes: int) -> tuple[Roster, np.ndarray]:
    roster = Roster(("n",) * nodes, ("",) * nodes, np.zeros(nodes, dtype=np.int64))
    return roster, np.ones(nodes, dtype=bool)


def content(*names: str) -> RosterContent:
    return RosterContent.of(pa.array(names, pa.string()), None)


def large(number: int, size: int) -> RosterContent:
    return content(str(number), "x" * size)


def test_a_roster_is_kept_from_its_second_time_on() -> None:
    cache, once = RosterCache(), known(3)
    cache.keep(content("a"), once)
    after_one = cache.get(content("a"))
    cache.keep(content("a"), once)

    assert (after_one, cache.get(content("a"))) == (None, once)


def test_rosters_that_never_come_again_take_no_room() -> None:
    cache = RosterCache()
    for number in range(200_000):
        cache.keep(content(str(number)), known(1))

    assert len(cache) == 0


@pytest.mark.parametrize(("asked", "gone"), [(0, 1), (1, 0)])
def test_the_one_asked_for_longest_ago_goes_first(asked: int, gone: int) -> None:
    contents = [large(number, MOST_BYTES // 3 - 1000) for number in range(4)]
    cache = RosterCache()
    for one in contents[:3]:
        come_twice(cache, one)
    cache.get(contents[asked])
    come_twice(cache, contents[3])

    assert [number for number, one in enumerate(contents) if cache.get(one) is None] == [gone]


def test_one_that_is_too_large_for_all_the_room_is_not_kept() -> None:
    cache = RosterCache()
    come_twice(cache, large(0, MOST_BYTES))

    assert len(cache) == 0


WORDS = pa.array(["h100", "h200"])


def typed(codes: list[int], words: pa.Array = WORDS) -> RosterContent:
    column = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int16()), words)
    return RosterContent.of(pa.array(["a", "b", "c"]), column)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(content("a", "b", "c"), content("a", "x", "c"), id="a-name"),
        pytest.param(content("a", "bc", "c"), content("a", "b", "c"), id="the-length-of-a-name"),
        pytest.param(typed([0, 1, 0]), typed([0, 0, 0]), id="a-code"),
        pytest.param(typed([0, 1, 0]), typed([0, 1, 0], pa.array(["h100", "mi300"])), id="a-word"),
        pytest.param(typed([0, 1, 0]), content("a", "b", "c"), id="a-column"),
        pytest.param(
            RosterContent.of(pa.array(["a", None, "c"]), None),
            RosterContent.of(pa.array(["a", "", "c"]), None),
            id="nothing-and-an-empty-name",
        ),
    ],
)
def test_what_differs_in_anything_is_not_taken_for_the_same(one: RosterContent, other: RosterContent) -> None:
    cache = RosterCache()
    come_twice(cache, one)

    assert one.hint == other.hint
    assert cache.get(one) is not None
    assert cache.get(other) is None


def test_a_slice_is_known_by_what_is_in_it() -> None:
    cache, names = RosterCache(), pa.array(["z", "a", "b"])
    come_twice(cache, RosterContent.of(names[1:], None))

    assert cache.get(RosterContent.of(names[1:], None)) is not None
    assert cache.get(RosterContent.of(names[:2], None)) is None


def come_twice(cache: RosterCache, one: RosterContent) -> None:
    for _ in range(2):
        cache.keep(one, known(1))
