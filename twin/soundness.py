"""Whether the arrays of a snapshot are such as a site machine could have left: what folds them does not look again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.columns import AcceleratorColumns, AcceleratorMeasure, Integers
from models.edge import MEASURES
from models.instants import LAST
from models.reading import MOST_ACCELERATORS, StateCode
from twin.rows import Row

_JOULES = 2**48
"""No node has drawn as much in a hundred years, and some thousand nodes together still fit into a sample."""

_MOST = {
    Row.AT: LAST,
    Row.SEQUENCE: 2**63 - 1,
    Row.INSTALLED: MOST_ACCELERATORS,
    Row.IN_SERVICE: MOST_ACCELERATORS,
    Row.ALLOCATED: MOST_ACCELERATORS,
    Row.STATE: max(StateCode),
    Row.DRAWN: 2**40,
    Row.IDLE_SINCE: LAST,
    Row.JOULES: _JOULES,
    Row.REST: 2**21,
} | {
    row: int(MEASURES[name].high * MEASURES[name].scale)
    for row, name in (
        (Row.POWER, "power_watts"),
        (Row.UTILIZATION, "utilization"),
        (Row.SM_ACTIVE, "sm_active"),
        (Row.MEMORY_USED, "memory_used_bytes"),
        (Row.TEMPERATURE, "temperature_celsius"),
    )
}
_LEAST = dict.fromkeys((Row.AT, Row.ALLOCATED, Row.POWER, Row.UTILIZATION, Row.SM_ACTIVE, Row.MEMORY_USED), -1) | {
    Row.DRAWN: -1,
    Row.IDLE_SINCE: -1,
    Row.TEMPERATURE: np.iinfo(np.int32).min,
}
"""Of those that may be unknown; all others are no less than 0."""


def check_table(numbers: Integers, rows: int, known: Mapping[Row, int]) -> None:
    """See that a table has so many rows, and nothing in them that no reading says.

    Args:
        numbers: The table.
        rows: How many it must have.
        known: How many slots, racks and types there are.

    Raises:
        ValueError: it has other ones.
    """
    if numbers.ndim != 2 or numbers.shape[0] != rows:
        raise ValueError(f"a table of shape {numbers.shape}")
    for row in map(Row, range(rows)):
        least = _LEAST.get(row, 0)
        most = known[row] - 1 if row in known else _MOST[row]
        if ((numbers[row] < least) | (numbers[row] > most)).any():
            raise ValueError(f"{row.name.lower()} outside {least} to {most}")


def check_accelerators(said: AcceleratorColumns | None, readings: int) -> None:
    """See that the lists are those of so many readings.

    Raises:
        ValueError: they are not.
    """
    if said is None:
        return
    lengths, values = said.lengths, said.values
    if lengths.shape != (readings,) or ((lengths < 0) | (lengths > MOST_ACCELERATORS)).any():
        raise ValueError(f"lists of accelerators for {lengths.shape} of {readings} readings")
    if values.shape != (len(AcceleratorMeasure), lengths.sum()):
        raise ValueError(f"values of accelerators of shape {values.shape}")
    for measure, row in _MEASURED.items():
        if ((values[measure] < _LEAST[row]) | (values[measure] > _MOST[row])).any():
            raise ValueError(f"{row.name.lower()} of an accelerator outside {_LEAST[row]} to {_MOST[row]}")


_MEASURED = {
    AcceleratorMeasure.UTILIZATION: Row.UTILIZATION,
    AcceleratorMeasure.POWER: Row.POWER,
    AcceleratorMeasure.MEMORY_USED: Row.MEMORY_USED,
    AcceleratorMeasure.TEMPERATURE: Row.TEMPERATURE,
}
"""The rows of a table that have the same limits."""
