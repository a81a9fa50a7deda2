"""Holding outputs against the oracle's: each kind of difference is counted as what it is."""

from __future__ import annotations

from typing import Any

import pytest

from streams.oracle.verification import Difference, Expected, Tally, Verification

DUE, NOT_DUE = Expected(b"{1}", due=True), Expected(b"{1}", due=False)


@pytest.mark.parametrize(
    ("expected", "found", "tally", "problem"),
    [
        pytest.param({"a": DUE}, [("a", b"{1}")], {"found": 1}, None, id="as-expected"),
        pytest.param({"a": NOT_DUE}, [("a", b"{1}")], {"found": 1}, None, id="early"),
        pytest.param({"a": DUE}, [("a", b"{1}")] * 3, {"found": 3, "repeated": 2}, None, id="repeated"),
        pytest.param({"a": DUE}, [], {"missing": 1}, "is missing", id="missing"),
        pytest.param({"a": NOT_DUE}, [], {"pending": 1}, None, id="not-due-yet"),
        pytest.param({"a": DUE}, [("a", b"{2}")], {"found": 1, "different": 1}, "differs", id="different"),
        pytest.param(
            {"a": DUE},
            [("a", b"{1}"), ("a", b"{2}")],
            {"found": 2, "different": 1, "repeated": 1},
            "differs",
            id="a-repeat-that-differs",
        ),
        pytest.param({}, [("a", b"{1}")], {"found": 1, "unexpected": 1}, "is there and should not be", id="unexpected"),
    ],
)
def test_each_output_is_counted_as_what_it_is(
    expected: dict[str, Expected], found: list[tuple[str, bytes]], tally: dict[str, int], problem: str | None
) -> None:
    verification = Verification()
    verification.compare("state", expected, found, lambda one, other: one == other)

    assert verification.tallies["state"] == Tally(expected=len(expected), **tally)
    assert (verification.first and verification.first.problem) == problem
    assert verification.differences == (problem is not None)
    assert verification.pending == tally.get("pending", 0)


@pytest.mark.parametrize(
    ("must", "may", "found", "tally"),
    [
        pytest.param([(1, 2)], [], [(1, 2)], {"expected": 1, "found": 1}, id="there"),
        pytest.param([(1, 2)], [], [], {"expected": 1, "missing": 1}, id="missing"),
        pytest.param([], [(1, 2)], [(1, 2)], {"expected": 1, "found": 1}, id="there-early"),
        pytest.param([], [(1, 2)], [], {"expected": 1, "pending": 1}, id="not-due-yet"),
        pytest.param([(1, 2)], [], [(1, 3)], {"expected": 1, "found": 1, "unexpected": 1, "missing": 1}, id="not-so"),
    ],
)
def test_rows_are_counted_likewise(
    must: list[tuple[Any, ...]], may: list[tuple[Any, ...]], found: list[tuple[Any, ...]], tally: dict[str, int]
) -> None:
    verification = Verification()
    verification.compare_rows("rows", must, may, found)

    assert verification.tallies["rows"] == Tally(**tally)


def test_the_first_difference_is_kept_and_reported() -> None:
    verification = Verification()
    verification.compare("one", {"a": DUE}, [], lambda one, other: one == other)
    verification.compare("two", {}, [("b", b"\x00")], lambda one, other: one == other)

    assert verification.first == Difference("one", "a", "is missing", "{1}")
    assert verification.report()["differences"] == 2
    assert verification.report()["first_difference"]["identity"] == "a"
