"""What one rate cost, and whether it was held."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LATEST_SAMPLE_SECONDS = 1.5
LATEST_ROW_SECONDS = 15.0
LARGEST_LATE_PART = 1e-3
"""Of the readings: a machine that is shared stands still now and then."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one rate cost, and whether it was held."""

    accelerators: int
    nodes: int
    sites: int
    readings_per_second: int
    seconds: float
    published: int
    observed: int
    refused: int
    late_part: float
    """Of the readings of the window: came after their tick had closed, and counted for the next."""
    p50_sample_seconds: float
    p99_sample_seconds: float
    p99_row_seconds: float
    lag: dict[str, int]
    rss_mb: dict[str, float]
    rss_mb_by_process: dict[str, dict[str, float]]
    cpu_seconds_per_million: dict[str, float]
    cores_busy: float
    planner: dict[str, float]
    """From the last sample of a tick until the state of the fleet is stored."""
    console: dict[str, Any]

    @property
    def misses(self) -> list[str]:
        """In what the rate was not held; empty where it was."""
        found = {
            f"{self.refused} refused": self.refused > 0,
            f"{self.published - self.observed} not observed": self.published != self.observed + self.refused,
            f"{self.late_part:.2%} late": self.late_part > LARGEST_LATE_PART,
            f"p99 to the sample {self.p99_sample_seconds} s": self.p99_sample_seconds >= LATEST_SAMPLE_SECONDS,
            f"p99 to the row {self.p99_row_seconds} s": self.p99_row_seconds >= LATEST_ROW_SECONDS,
        }
        return [what for what, missed in found.items() if missed]

    def report(self) -> dict[str, Any]:
        """For machines."""
        return {**asdict(self), "held": not self.misses, "misses": self.misses}
