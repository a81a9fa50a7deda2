"""Readings as rows of a site's table, and the order in which those of one node are taken in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.columns import AcceleratorColumns, Integers


class Row(IntEnum):
    """The rows of the tables: what a reading brings, then what the twin keeps beside it."""

    SLOT = 0
    RACK = 1
    CODE = 2
    AT = 3
    SEQUENCE = 4
    INSTALLED = 5
    IN_SERVICE = 6
    ALLOCATED = 7
    POWER = 8
    UTILIZATION = 9
    SM_ACTIVE = 10
    MEMORY_USED = 11
    TEMPERATURE = 12
    STATE = 13
    DRAWN = 14
    IDLE_SINCE = 15
    JOULES = 16
    REST = 17


READING_ROWS = Row.STATE + 1
TABLE_ROWS = Row.REST + 1


@dataclass(frozen=True, slots=True)
class Rows:
    """Readings of one site."""

    numbers: Integers
    """Shape (READING_ROWS, n), in the units of `ReadingColumns`."""
    accelerators: AcceleratorColumns | None = None
    """None where no reading says anything of them."""

    def __len__(self) -> int:
        return len(self.numbers[Row.AT])

    @classmethod
    def joined(cls, some: Sequence[Self]) -> Self:
        """One lot of readings after the other."""
        if len(some) == 1:
            return some[0]
        accelerators = AcceleratorColumns.joined([(len(rows), rows.accelerators) for rows in some])
        return cls(np.hstack([rows.numbers for rows in some]), accelerators)

    def part(self, which: NDArray[np.bool_] | Integers) -> Self:
        """Only these readings."""
        numbers = self.numbers[:, which]
        if self.accelerators is None:
            return type(self)(numbers)
        return type(self)(numbers, self.accelerators.rows(np.arange(len(self))[which]))

    def turns(self, racks: Sequence[int]) -> Iterator[Self]:
        """The readings in turns without two of one node, each node's in order of time; ties go by all that they say.

        `racks` are the codes of all racks in the order of their names: a code tells when a rack was first heard of,
        its name does not.
        """
        slots = self.numbers[Row.SLOT]
        if slots.size == 0:
            return
        if (slots[1:] > slots[:-1]).all():
            yield self
            return
        often = np.bincount(slots)[slots] > 1
        if not often.any():
            yield self
            return
        several = np.flatnonzero(often)
        order = several[self.part(several)._order(racks)]
        firsts = np.flatnonzero(np.r_[True, slots[order[1:]] != slots[order[:-1]]])
        turn = np.zeros(slots.size, dtype=np.int64)
        turn[order] = np.arange(order.size) - np.repeat(firsts, np.diff(np.r_[firsts, order.size]))
        for number in range(int(turn.max()) + 1):
            yield self.part(turn == number)

    def _order(self, racks: Sequence[int]) -> Integers:
        """By node, then as each node's readings are taken in."""
        numbers, rank = self.numbers, np.empty(len(racks), dtype=np.int64)
        rank[np.asarray(racks, dtype=np.int64)] = np.arange(len(racks))
        said = (rank[numbers[Row.RACK]], numbers[Row.CODE], *numbers[Row.INSTALLED :])
        keys: tuple[NDArray[Any], ...] = (*said, numbers[Row.SEQUENCE], numbers[Row.AT], numbers[Row.SLOT])
        order: Integers = np.lexsort(keys)
        if self.accelerators is not None:
            order = np.lexsort((self._ranks(self.accelerators, order), *keys))
        return order

    def _ranks(self, accelerators: AcceleratorColumns, order: Integers) -> Integers:
        """Of readings that differ in nothing but their accelerators, by those; `order` brings such together."""
        alike = (self.numbers[:, order[1:]] == self.numbers[:, order[:-1]]).all(axis=0)
        tied = order[np.r_[alike, False] | np.r_[False, alike]]
        said = list(accelerators.rows(tied).each())
        ranks = np.zeros(len(self), dtype=np.int64)
        ranks[tied[sorted(range(len(said)), key=said.__getitem__)]] = np.arange(len(said))
        return ranks
