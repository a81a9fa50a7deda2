"""What Redfish resources say, whatever else is in them: links, members, watts and joules.

Names and units are those of DMTF's schemas (DSP0268): `PowerWatts` and `EnergykWh` are excerpts of sensors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.edge import SENTINEL
from streams.publish.measures import MeterLevel

Resource = Mapping[str, Any]

JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True)
class Metered:
    """Something that a resource meters."""

    path: str
    """Of the resource."""
    within: tuple[str | int, ...]
    """Where in it; empty for the resource as a whole."""
    level: MeterLevel
    name: str
    """Its path without what all paths begin with."""
    owner: str
    """The path of the chassis or of the power distribution unit."""

    @property
    def id(self) -> str:
        """Its path, with a fragment where it is a part of a resource."""
        return self.path + (f"#/{'/'.join(map(str, self.within))}" if self.within else "")


def link_of(resource: Resource, *names: str) -> str | None:
    """The path that a link of that name leads to; `names` lead to it from outside in."""
    return _path_of(part_of(resource, names))


def links_of(resource: Resource, *names: str) -> Iterator[str]:
    """The paths of a list of links, such as the members of a collection."""
    several = part_of(resource, names)
    for one in several if isinstance(several, list) else ():
        path = _path_of(one)
        if path is not None:
            yield path


def part_of(resource: Any, within: tuple[str | int, ...]) -> Any:
    """What stands there; none where nothing does."""
    for step in within:
        if isinstance(resource, Mapping) and isinstance(step, str):
            resource = resource.get(step)
        elif isinstance(resource, list) and isinstance(step, int) and step < len(resource):
            resource = resource[step]
        else:
            return None
    return resource


def watts_of(resource: Resource, metered: Metered) -> float | None:
    """What it draws now; none where that is not known."""
    part = part_of(resource, metered.within)
    return next(
        (
            watts
            for place in (("PowerWatts", "Reading"), ("PowerConsumedWatts",), ("Reading",))
            if (watts := _number(part_of(part, place))) is not None
        ),
        None,
    )


def joules_of(resource: Resource, metered: Metered) -> float | None:
    """What it has drawn since its counter was last set back; none where that is not known."""
    kilowatt_hours = _number(part_of(part_of(resource, metered.within), ("EnergykWh", "Reading")))
    return None if kilowatt_hours is None else kilowatt_hours * JOULES_PER_KWH


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < SENTINEL and math.isfinite(value) else None


def _path_of(link: Any) -> str | None:
    path = link.get("@odata.id") if isinstance(link, Mapping) else None
    return path.rstrip("/") if isinstance(path, str) and path.startswith("/") else None
