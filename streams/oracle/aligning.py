"""Which of the events found is which of those expected: the one that is most like it, in the order of both.

An event that opens five seconds later than expected has another id and other times, and is the same event all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Pair = tuple[int | None, int | None]
"""The places of an event in both; none where one of them has not got it."""

_MOST = 100
"""Events that are held against each other, from the first that differs on; behind them it is place by place."""

_ALONE = 1.0
"""What it costs to have no counterpart."""

_UNLIKE = 4.0
"""What it costs to be the counterpart of one that shares nothing: less than half alike is no counterpart."""


def aligned(expected: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> list[Pair]:
    """Pairs of places, in the order of both; equal ones at the beginning and at the end are left out."""
    those, these = [dict(_leaves(event)) for event in expected], [dict(_leaves(event)) for event in found]
    begin, most = 0, min(len(those), len(these))
    while begin < most and not _unlike(those[begin], these[begin]):
        begin += 1
    back = 0
    while back < most - begin and not _unlike(those[-1 - back], these[-1 - back]):
        back += 1
    ends = len(those) - back, len(these) - back
    then, now = min(begin + _MOST, ends[0]), min(begin + _MOST, ends[1])
    pairs: list[Pair] = [
        (None if one is None else begin + one, None if other is None else begin + other)
        for one, other in _paired(those[begin:then], these[begin:now])
    ]
    while then < ends[0] or now < ends[1]:
        pairs.append((then if then < ends[0] else None, now if now < ends[1] else None))
        then, now = then + 1, now + 1
    return pairs


def _paired(expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[Pair]:
    """The cheapest way to turn one into the other (Needleman and Wunsch, 1970)."""
    columns = len(found) + 1
    cost = [[_ALONE * (row + column) for column in range(columns)] for row in range(len(expected) + 1)]
    like = [[_UNLIKE * _unlike(one, other) for other in found] for one in expected]
    for row in range(1, len(expected) + 1):
        for column in range(1, columns):
            cost[row][column] = min(
                cost[row - 1][column - 1] + like[row - 1][column - 1],
                cost[row - 1][column] + _ALONE,
                cost[row][column - 1] + _ALONE,
            )
    pairs: list[Pair] = []
    row, column = len(expected), len(found)
    while row or column:
        if row and column and cost[row][column] == cost[row - 1][column - 1] + like[row - 1][column - 1]:
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif row and cost[row][column] == cost[row - 1][column] + _ALONE:
            row -= 1
            pairs.append((row, None))
        else:
            column -= 1
            pairs.append((None, column))
    return pairs[::-1]


def _unlike(expected: dict[str, Any], found: dict[str, Any]) -> float:
    """The part of what is expected that is not found."""
    differing = [name for name, value in expected.items() if name not in found or found[name] != value]
    return len(differing) / max(len(expected), 1)


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        return [leaf for name, part in value.items() for leaf in _leaves(part, f"{path}.{name}")]
    if isinstance(value, list) and value:
        return [leaf for place, part in enumerate(value) for leaf in _leaves(part, f"{path}[{place}]")]
    return [(path, value)]
