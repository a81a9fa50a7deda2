"""Readings as columns: what the twin folds. Whole numbers only, so that sums do not depend on their order."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1
"""Stands for what was not said, in every column but the temperature's."""
UNKNOWN_TEMPERATURE = np.iinfo(np.int32).min

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Roster:
    """Who the rows of a frame are. Senders repeat theirs in every frame, so it is kept by `key` and not read twice."""

    key: bytes
    nodes: tuple[str, ...]
    racks: tuple[str, ...]
    """Empty where the rack is not known."""
    codes: Integers
    """The place of each row's type in the catalogue's ids; `UNKNOWN` for a type that is not in it."""


@dataclass(frozen=True, slots=True)
class ReadingColumns:
    """Readings of one site. All columns are int64 and of one length.

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

    def __len__(self) -> int:
        return len(self.at)

    def rows(self, keep: NDArray[np.bool_] | Integers) -> Self:
        """Only these rows."""
        return type(self)(self.roster, *(getattr(self, name)[keep] for name in COLUMN_NAMES))


COLUMN_NAMES = tuple(field.name for field in fields(ReadingColumns) if field.name != "roster")
VALUE_NAMES = tuple(name for name in COLUMN_NAMES if name != "who")
