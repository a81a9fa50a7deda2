"""Which rows of a frame are good, told again: one row after the other, in plain Python, without a look at the edge."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from models.edge import FUTURE_TOLERANCE, MEASURES, SENTINEL
from models.instants import LAST
from models.names import usable
from models.reading import MOST_ACCELERATORS, STATE_CODES
from models.single import plausible_power
from tests.builders import CATALOGUE

Row = dict[str, Any]


def rows_of(batch: pa.RecordBatch) -> list[Row]:
    """The rows as Python values; times as milliseconds, since not all of them have a date."""
    names = batch.schema.names
    plain = [
        column.cast(pa.int64()) if name == "at" else column for name, column in zip(names, batch.columns, strict=True)
    ]
    return [dict(zip(names, row, strict=True)) for row in zip(*(column.to_pylist() for column in plain), strict=True)]


def doubts(row: Row, sent_at: int) -> set[str]:
    """The codes of everything that is wrong with a row; none where it is good."""
    return set(_doubts(row, sent_at))


def _doubts(row: Row, sent_at: int) -> Iterator[str]:
    rack = row.get("rack")
    if not usable(row["node"] or "") or (rack and not usable(rack)):
        yield "bad_name"
    if row["type"] not in CATALOGUE.codes:
        yield "unknown_type"
    if row.get("state") is not None and row["state"] not in STATE_CODES:
        yield "unknown_state"
    installed = row["installed"]
    yield from _whole(row["at"], 0, min(sent_at + FUTURE_TOLERANCE, LAST), "future")
    yield from _whole(row["sequence"], 0, 2**63 - 1)
    yield from _whole(installed, 1, MOST_ACCELERATORS)
    yield from _whole(row["in_service"], 0, -1 if installed is None else installed)
    if row.get("allocated") is not None:
        yield from _whole(row["allocated"], 0, -1 if installed is None else installed)
    for name in MEASURES:
        yield from _measured(name, row.get(name))
        values = row.get(f"accelerator_{name}")
        if values is not None:
            if len(values) != installed:
                yield "wrong_length"
            for value in values:
                yield from _measured(name, value)
    yield from _power(row)


def _whole(value: int | None, low: int, high: int, above: str = "out_of_range") -> Iterator[str]:
    if value is None:
        yield "missing"
    elif value > high:
        yield above
    elif value < low:
        yield "out_of_range"


def _measured(name: str, value: float | None) -> Iterator[str]:
    if value is None:
        return
    measure, wire = MEASURES[name], float(value)
    if math.isnan(wire):
        yield "not_a_number"
    elif math.isfinite(wire) and abs(wire) >= SENTINEL:
        yield "sentinel"
    elif not measure.low <= wire <= measure.high:
        yield "out_of_range"


def _power(row: Row) -> Iterator[str]:
    watts, installed = row.get("power_watts"), row["installed"]
    if watts is None or not math.isfinite(watts) or not 0 <= watts <= MEASURES["power_watts"].high:
        return
    if installed is None or not 1 <= installed <= MOST_ACCELERATORS or row["type"] not in CATALOGUE.codes:
        return
    if round(watts * 1000) > plausible_power(CATALOGUE, CATALOGUE.codes[row["type"]], installed):
        yield "implausible_power"
