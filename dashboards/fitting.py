"""How much of each part of a screen there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a screen: the rows that it would have, the lines around them, and its least rows, or it is left out."""

    rows: int
    frame: int
    least: int

    @property
    def enough(self) -> int:
        """Rows with which it is shown at all."""
        return min(self.rows, self.least)


def fitted(parts: Sequence[Part], lines: int | None) -> list[int]:
    """The rows of each part, the most important part first; none where it is left out. All of them without a limit.

    Lines that are left when each part has its least are given round.
    """
    if lines is None:
        return [part.rows for part in parts]
    given = [0] * len(parts)
    for number, part in enumerate(parts):
        if part.rows and part.frame + part.enough <= lines:
            given[number] = part.enough
            lines -= part.frame + part.enough
    while lines and (cut := [number for number, part in enumerate(parts) if 0 < given[number] < part.rows]):
        for number in cut[:lines]:
            given[number] += 1
        lines -= len(cut[:lines])
    return given
