"""What fits on a screen: never more than there is room for, the important first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.fitting import Part, fitted

PARTS = st.lists(st.builds(Part, st.integers(0, 50), st.integers(0, 5), st.integers(1, 6)), max_size=6)


def taken(parts: list[Part], rows: list[int]) -> int:
    return sum(part.frame + given for part, given in zip(parts, rows, strict=True) if given)


@given(PARTS, st.integers(0, 100))
def test_what_is_given_fits(parts: list[Part], lines: int) -> None:
    rows = fitted(parts, lines)

    assert taken(parts, rows) <= lines
    assert all(given == 0 or part.enough <= given <= part.rows for part, given in zip(parts, rows, strict=True))


@given(PARTS, st.integers(0, 100))
def test_no_line_is_left_while_a_part_that_is_shown_lacks_one(parts: list[Part], lines: int) -> None:
    rows = fitted(parts, lines)
    cut = any(0 < given < part.rows for part, given in zip(parts, rows, strict=True))

    assert not cut or taken(parts, rows) == lines


@given(PARTS)
def test_where_there_is_room_all_is_given(parts: list[Part]) -> None:
    everything = [part.rows for part in parts]

    assert fitted(parts, None) == everything
    assert fitted(parts, taken(parts, everything)) == everything


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        pytest.param(3, [0, 0], id="too-little-for-any"),
        pytest.param(4, [2, 0], id="the-first-with-its-least"),
        pytest.param(6, [4, 0], id="the-first-with-more"),
        pytest.param(8, [2, 2], id="both-with-their-least"),
        pytest.param(9, [3, 2], id="one-more-to-the-first"),
        pytest.param(10, [3, 3], id="one-more-to-each"),
    ],
)
def test_the_first_part_matters_most(lines: int, rows: list[int]) -> None:
    assert fitted([Part(9, 2, 2), Part(9, 2, 2)], lines) == rows
