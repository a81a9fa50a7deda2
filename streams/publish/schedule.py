"""When a publisher looks: every so often by a clock that never goes back, and not all publishers at once."""

from __future__ import annotations

import math
import zlib


def offset_of(name: str, interval: float) -> float:
    """Where within the interval the beats of a publisher lie, in seconds: by its name, and always the same."""
    return zlib.crc32(name.encode()) / 2**32 * interval


class Beats:
    """The times of beats, without drift: each is a whole number of intervals after the first.

    Args:
        interval: Seconds from one to the next.
        offset: Seconds into each interval of the wall's clock.
        wall: Seconds since 1970, now.
        monotonic: Now on the clock that the beats are told by.
    """

    def __init__(self, interval: float, offset: float, wall: float, monotonic: float) -> None:
        self._interval = interval
        self._first = monotonic + (offset - wall) % interval
        self._number = 0

    @property
    def due(self) -> float:
        """When the next one is."""
        return self._first + self._number * self._interval

    def passed(self, now: float) -> int:
        """Go on after the beat that was due; tells how many it has overrun, which are skipped."""
        following = math.ceil((now - self._first) / self._interval)
        skipped = max(0, following - self._number - 1)
        self._number += 1 + skipped
        return skipped
