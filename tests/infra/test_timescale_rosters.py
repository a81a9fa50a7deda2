"""Who is no longer in a site's newest frame, as far as one writer knows by itself."""

from __future__ import annotations

import pyarrow as pa
import pytest

from infra.timescale.rosters import Rosters, missing


def names(*parts: str) -> list[pa.Array]:
    """Parts of a frame; a letter is a node."""
    return [pa.array(list(part)) for part in parts]


@pytest.mark.parametrize(
    ("before", "after", "gone"),
    [
        pytest.param(names("ab", "c"), names("ab", "c"), set(), id="the-same-parts"),
        pytest.param(names("ab", "c"), names("c", "ab"), set(), id="in-another-order"),
        pytest.param(names("abc"), names("ab", "c"), set(), id="cut-otherwise"),
        pytest.param(names("ab"), names("abc"), set(), id="some-more"),
        pytest.param(names("ab", "c"), names("b"), {"a", "c"}, id="some-gone"),
        pytest.param(names(), names("a"), set(), id="nobody-before"),
    ],
)
def test_who_is_gone_depends_on_names_alone(before: list[pa.Array], after: list[pa.Array], gone: set[str]) -> None:
    assert missing(before, after) == gone


def test_only_a_sites_newest_frame_is_remembered() -> None:
    rosters = Rosters()
    rosters.remember({"memphis": {20: names("a"), 10: names("b")}})
    rosters.remember({"memphis": {10: names("c")}})

    assert rosters.of("memphis", 10) is None
    assert rosters.of("memphis", 20) == names("a")
    assert rosters.of("abilene", 20) is None


def test_parts_that_come_later_are_of_the_same_frame() -> None:
    rosters = Rosters()
    rosters.remember({"memphis": {20: names("a")}})
    rosters.remember({"memphis": {20: names("b")}})

    assert rosters.of("memphis", 20) == names("a", "b")
