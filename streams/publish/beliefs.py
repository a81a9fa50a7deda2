"""Which values can be believed: what the twin's own edge would refuse is left out here, and named."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from models.catalogue import Catalogue
from models.edge import FUTURE_TOLERANCE, MEASURES, SENTINEL
from models.reading import MOST_ACCELERATORS
from models.single import plausible_power
from streams.publish.measures import AcceleratorMeasure, Failure, MeterMeasure, NodeMeasure

MOST_JOULES = 1e18
"""A gigawatt for thirty years; DCGM's words for not knowing lie above."""

_RANGES: Mapping[str, tuple[float, float]] = {
    **{name: (measure.low, measure.high) for name, measure in MEASURES.items()},
    "memory_used_bytes": (0, 2**53 - 1),
    "energy_joules": (0, MOST_JOULES),
    "xid": (0, 2**31 - 1),
}

_JUDGED: Mapping[type, tuple[str, ...]] = {
    kind: tuple(one.name for one in fields(kind) if one.name in _RANGES)
    for kind in (NodeMeasure, AcceleratorMeasure, MeterMeasure)
}
"""The fields that have a range."""

_Measured = TypeVar("_Measured", NodeMeasure, AcceleratorMeasure, MeterMeasure)


@dataclass(frozen=True)
class Beliefs:
    """Looks at one node or meter after the other."""

    catalogue: Catalogue
    doubted: Callable[[Failure], None]
    """Hears of everything that is left out."""

    def node(self, measure: NodeMeasure, now: int) -> NodeMeasure | None:
        """The measure without what cannot be; none where nothing of it can be used.

        Args:
            measure: What a source says.
            now: The publisher's clock, in milliseconds.
        """
        component = measure.component
        endpoint = endpoint_of(measure)
        if component.type not in self.catalogue:
            self._doubt(endpoint, f"type {component.type!r} is not in the catalogue")
            return None
        if not 1 <= component.installed <= MOST_ACCELERATORS:
            self._doubt(endpoint, f"{component.installed} accelerators; 1 to {MOST_ACCELERATORS} can be")
            return None
        if not 0 <= measure.at <= now + FUTURE_TOLERANCE:
            self._doubt(endpoint, f"measured at {measure.at}, and now is {now} milliseconds since 1970")
            return None
        most = self.most_watts(measure)
        accelerators = measure.accelerators
        if accelerators and len(accelerators) != component.installed:
            self._doubt(endpoint, f"{len(accelerators)} accelerators measured, of {component.installed} installed")
            accelerators = ()
        believed = self._without_doubts(measure, endpoint, "", most)
        allocated = believed.allocated
        if allocated is not None and not 0 <= allocated <= component.installed:
            self._doubt(endpoint, f"allocated is {allocated}, of {component.installed} installed")
            allocated = None
        return replace(
            believed,
            allocated=allocated,
            accelerators=tuple(
                self._without_doubts(one, endpoint, f"accelerator {index}: ", most)
                for index, one in enumerate(accelerators)
            ),
        )

    def meter(self, measure: MeterMeasure, now: int) -> MeterMeasure | None:
        """The same for a meter; none where it says nothing that can be."""
        endpoint = f"{measure.site}/{measure.meter}"
        if not 0 <= measure.at <= now + FUTURE_TOLERANCE:
            self._doubt(endpoint, f"measured at {measure.at}, and now is {now} milliseconds since 1970")
            return None
        believed = self._without_doubts(measure, endpoint, "", _RANGES["power_watts"][1])
        return None if believed.power_watts is None and believed.energy_joules is None else believed

    def most_watts(self, measure: NodeMeasure) -> float:
        """The most that the edge believes of such a node; no accelerator of it draws more than that."""
        component = measure.component
        return plausible_power(self.catalogue, self.catalogue.codes[component.type], component.installed) / 1000

    def watts(self, measure: NodeMeasure, watts: float, what: str) -> float | None:
        """Watts that follow from a counter, if the node can draw so much."""
        most = self.most_watts(measure)
        if watts <= most:
            return watts
        self._doubt(endpoint_of(measure), f"{what} would be {watts:.0f} W by its counter; at most {most:.0f} can be")
        return None

    def _without_doubts(self, measured: _Measured, endpoint: str, whose: str, most_watts: float) -> _Measured:
        doubts: dict[str, Any] = {}
        for name in _JUDGED[type(measured)]:
            value = getattr(measured, name)
            if value is None:
                continue
            low, high = _RANGES[name]
            high = most_watts if name == "power_watts" else high
            if not low <= value <= high:  # NaN is within no range
                self._doubt(endpoint, f"{whose}{name} is {_shown(value)}; {low:g} to {high:g} can be")
                doubts[name] = None
        return replace(measured, **doubts) if doubts else measured

    def _doubt(self, endpoint: str, why: str) -> None:
        self.doubted(Failure(endpoint, why))


def endpoint_of(measure: NodeMeasure) -> str:
    """How messages call the node."""
    return f"{measure.component.identity.site}/{measure.component.identity.node}"


def _shown(value: float) -> str:
    blank = math.isfinite(value) and abs(value) >= SENTINEL
    return f"{value:g}" + (" (DCGM's word for not knowing)" if blank else "")
