"""From counters of energy to watts: what was drawn on average since the counter was read before."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

LONGEST_GAP = 60_000
"""Milliseconds; what was drawn on average over a longer time says little of now."""


@dataclass
class EnergyCounters:
    """Remembers each counter as it was read last."""

    longest_gap: int = LONGEST_GAP
    _last: dict[Hashable, tuple[float, int]] = field(default_factory=dict)

    def watts(self, counter: Hashable, joules: float, at: int) -> float | None:
        """What was drawn on average since this counter was read before.

        None where that cannot be told: the first time, when the counter went back, after too long a gap, and while it
        stands still. A coarse counter moves in steps: its time counts from the step before.

        Args:
            counter: Which one.
            joules: What it says.
            at: When, in milliseconds.
        """
        last = self._last.get(counter)
        if last is not None:
            before, since = last
            if joules == before and 0 <= at - since <= self.longest_gap:
                return None
        self._last[counter] = joules, at
        if last is None or joules <= before or not 0 < at - since <= self.longest_gap:
            return None
        return round((joules - before) * 1000 / (at - since), 3)
