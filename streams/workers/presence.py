"""Which telemetry partitions are heard: the one judgement that depends on wall time, so it becomes a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass
class PresenceWatch:
    """Remembers when each partition last got further; seconds of any steady clock."""

    timeout: float
    _heard: dict[int, tuple[int | None, float]] = field(default_factory=dict)

    def forget(self) -> None:
        """Begin anew: what passed while we were not looking says nothing."""
        self._heard.clear()

    def judge(
        self, through: Mapping[int, int], away: set[int], partitions: int, now: float
    ) -> Iterator[tuple[int, bool]]:
        """Partitions whose presence has changed, with true for away."""
        for partition in range(partitions):
            tick = through.get(partition)
            known = self._heard.get(partition)
            if known is None or known[0] != tick:
                if known is not None and partition in away:
                    yield partition, False
                self._heard[partition] = (tick, now)
            elif now - known[1] > self.timeout and partition not in away:
                yield partition, True
