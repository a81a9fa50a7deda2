"""Readings as columns: what the twin folds. Whole numbers only, so that sums do not depend on their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1
"""Stands for what was not said, in every column but the temperature's."""
UNKNOWN_TEMPERATURE = np.iinfo(np.int32).min

Integers = NDArray[np.int64]
Codes = NDArray[np.int8]
"""Values of an enumeration with few members: an eighth of the memory to go through."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Roster:
    """Who the rows of a frame are. Senders repeat theirs in every frame: who keeps it knows it again by identity."""

    nodes: tuple[str, ...]
    racks: tuple[str, ...]
    """Empty where the rack is not known."""
    codes: Integers
    """The place of each row's type in the catalogue's ids; `UNKNOWN` for a type that is not in it."""


class AcceleratorMeasure(IntEnum):
    """What is kept of each accelerator: the rows of `AcceleratorColumns.values`."""

    UTILIZATION = 0
    POWER = 1
    MEMORY_USED = 2
    TEMPERATURE = 3


UNSAID: Integers = np.array([[UNKNOWN], [UNKNOWN], [UNKNOWN], [UNKNOWN_TEMPERATURE]], dtype=np.int64)
"""What stands for an unknown value, by `AcceleratorMeasure`."""


@dataclass(frozen=True, slots=True)
class AcceleratorColumns:
    """The accelerators of some readings, in the units of `ReadingColumns`."""

    lengths: Integers
    """For each reading: as many as it has installed, or 0 where it says nothing of them."""
    values: Integers
    """Shape (measures, sum of `lengths`): those of the first reading, then those of the second."""

    @classmethod
    def none(cls, readings: int) -> Self:
        """Of so many readings, none of which says anything."""
        return cls(np.zeros(readings, dtype=np.int64), np.empty((len(AcceleratorMeasure), 0), dtype=np.int64))

    @classmethod
    def joined(cls, parts: Sequence[tuple[int, Self | None]]) -> Self | None:
        """Those of several lots of readings, each with how many readings there are; none where no lot has any."""
        if all(part is None for _, part in parts):
            return None
        whole = [cls.none(readings) if part is None else part for readings, part in parts]
        return cls(np.concatenate([part.lengths for part in whole]), np.hstack([part.values for part in whole]))

    def rows(self, which: Integers) -> Self:
        """Those of these readings alone."""
        lengths = self.lengths[which]
        return type(self)(lengths, self.values[:, spread(starts_of(self.lengths)[which], lengths)])

    def each(self) -> Iterator[tuple[tuple[int, ...], ...]]:
        """For each reading the values by measure; nothing where it says nothing."""
        begin = 0
        for end in np.cumsum(self.lengths).tolist():
            yield tuple(map(tuple, self.values[:, begin:end].tolist())) if end > begin else ()
            begin = end


@dataclass(frozen=True, slots=True)
class ReadingColumns:
    """Readings of one site. All columns are int64 and of one length, but for what is said of each accelerator.

    Milliwatts, parts per million, bytes, thousandths of a degree Celsius; `at` in milliseconds since 1970.
    """

    roster: Roster
    who: Integers
    """The row of the roster that each reading belongs to."""
    at: Integers
    sequence: Integers
    installed: Integers
    in_service: Integers
    allocated: Integers
    power: Integers
    utilization: Integers
    sm_active: Integers
    memory_used: Integers
    temperature: Integers
    state: Integers
    """`StateCode` values."""
    accelerators: AcceleratorColumns | None = field(default=None, kw_only=True)
    """None where no reading says anything of them."""

    def __len__(self) -> int:
        return len(self.at)

    def rows(self, keep: NDArray[np.bool_] | Integers) -> Self:
        """Only these rows."""
        accelerators = None if self.accelerators is None else self.accelerators.rows(np.arange(len(self))[keep])
        return type(self)(self.roster, *(getattr(self, name)[keep] for name in COLUMN_NAMES), accelerators=accelerators)


COLUMN_NAMES = tuple(field.name for field in fields(ReadingColumns) if field.name not in ("roster", "accelerators"))
VALUE_NAMES = tuple(name for name in COLUMN_NAMES if name != "who")


def starts_of(lengths: Integers) -> Integers:
    """Where each of some lists begins that stand end to end."""
    starts: Integers = np.cumsum(lengths) - lengths
    return starts


def spread(starts: Integers, lengths: Integers) -> NDArray[np.int64]:
    """The places of all values of lists that begin there and are so long."""
    return np.arange(lengths.sum()) + np.repeat(starts - starts_of(lengths), lengths)
