"""The sites whose partitions this worker folds: the one place where the console looks into the machines."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from models.topics import TELEMETRY
from twin.site import SiteTwin
from twin.telemetry import TelemetryMachine

if TYPE_CHECKING:
    from streams.workers.lanes import Lanes


class Here(Protocol):
    """What the console needs to know of this worker's own partitions."""

    @property
    def ready(self) -> bool:
        """Whether the worker knows which partitions it owns, and folds them."""
        ...

    def partitions(self) -> Set[int]:
        """The telemetry partitions that are folded here."""
        ...

    def sites(self) -> Iterator[SiteTwin]:
        """Every site with readings in one of them."""
        ...

    def site(self, name: str) -> SiteTwin | None:
        """One of these."""
        ...


@dataclass(frozen=True, slots=True)
class OwnLanes:
    """`Here` as the worker's lanes have it; to be asked from the worker's own loop, between two records."""

    lanes: Lanes

    @property
    def ready(self) -> bool:
        """Whether the lanes of the last assignment are open."""
        return self.lanes.settled

    def partitions(self) -> Set[int]:
        """The telemetry partitions whose lanes are open."""
        return {partition for topic, partition in self.lanes.open if topic == TELEMETRY}

    def sites(self) -> Iterator[SiteTwin]:
        """By partition, then as they came."""
        for partition in sorted(self.partitions()):
            yield from self._machine(partition).sites.values()

    def site(self, name: str) -> SiteTwin | None:
        """Wherever its sender has put it."""
        for partition in self.partitions():
            twin = self._machine(partition).sites.get(name)
            if twin is not None:
                return twin
        return None

    def _machine(self, partition: int) -> TelemetryMachine:
        return cast("TelemetryMachine", self.lanes.open[TELEMETRY, partition].machine)
