"""Single readings that are held for a tick: their numbers end to end, until all of them are wanted as rows at once."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np

from models.columns import AcceleratorColumns, AcceleratorMeasure, Integers
from models.single import SingleReading
from twin.rows import READING_ROWS, Rows


def _none() -> array[int]:
    return array("q")


@dataclass(slots=True)
class Singles:
    """Readings of one site in the order in which they came."""

    _numbers: array[int] = field(default_factory=_none)
    """READING_ROWS of each."""
    _lengths: array[int] = field(default_factory=_none)
    """Of how many accelerators each says anything."""
    _each: tuple[array[int], ...] = field(default_factory=lambda: tuple(_none() for _ in AcceleratorMeasure))

    def add(self, slot: int, rack: int, reading: SingleReading) -> None:
        """Hold one more, of the node that has this slot and whose rack has this code."""
        self._numbers.extend((slot, rack, *reading.numbers))
        if not reading.each:
            self._lengths.append(0)
            return
        self._lengths.append(len(reading.each[0]))
        for held, values in zip(self._each, reading.each, strict=True):
            held.extend(values)

    def rows(self) -> Rows:
        """All of them."""
        numbers = _copied(self._numbers).reshape(-1, READING_ROWS).T
        if not self._each[0]:
            return Rows(np.ascontiguousarray(numbers))
        each = np.array([_copied(values) for values in self._each])
        return Rows(np.ascontiguousarray(numbers), AcceleratorColumns(_copied(self._lengths), each))


def _copied(numbers: array[int]) -> Integers:
    """An array of its own: one that only looked at these would keep them from growing."""
    return np.array(numbers, dtype=np.int64)
