"""Whether minutes and hours are what a query of the samples would give, whoever has computed them."""

from __future__ import annotations

import pytest

from infra.timescale.connection import Connection
from infra.timescale.measures import NODE_ROLLUP, ROLLUPS, Rollup, minute_columns

Rows = dict[tuple[object, ...], list[object]]
"""Columns by key."""

SPANS = {"1m": "1 minute", "1h": "1 hour"}


def assert_rolled_up(look: Connection, schema: str = "fleettwin") -> None:
    """All of them are, and there are some of nodes."""
    for rollup in ROLLUPS:
        for suffix in SPANS:
            found, right = _rows(look, schema, rollup, suffix), _right_rows(look, schema, rollup, suffix)
            assert found.keys() == right.keys(), (rollup.name, suffix)
            exactly = (rollup, suffix) == (NODE_ROLLUP, "1m")
            for key, values in right.items():
                assert found[key] == (values if exactly else list(map(_about, values))), (rollup.name, suffix, key)
    assert _rows(look, schema, NODE_ROLLUP, "1m")


def _about(value: object) -> object:
    """The order of floating-point sums is the server's choice; minutes of nodes are added up in whole numbers."""
    return pytest.approx(value, rel=1e-12) if isinstance(value, float) else value


def _rows(look: Connection, schema: str, rollup: Rollup, suffix: str) -> Rows:
    keys = ["time", *rollup.keys]
    columns = ", ".join([*keys, *(name for name, _ in minute_columns(rollup))])
    found = look.execute(f'select {columns} from "{schema}".{rollup.name}_{suffix}'.encode()).fetchall()
    return {row[: len(keys)]: list(row[len(keys) :]) for row in found}


def _right_rows(look: Connection, schema: str, rollup: Rollup, suffix: str) -> Rows:
    """Straight from the samples."""
    keys = [f"date_bin('{SPANS[suffix]}', time, '2000-01-03Z')", *rollup.keys]
    columns = ", ".join([*keys, *(value.as_string(look) for _, value in minute_columns(rollup))])
    grouped = ", ".join(keys)
    found = look.execute(f'select {columns} from "{schema}".{rollup.source} group by {grouped}'.encode()).fetchall()
    return {row[: len(keys)]: list(row[len(keys) :]) for row in found}
