"""Site facts: what no node can know of its site. Sent whole; the newest by `at` stands."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from models.names import Event, Name


class Expected(Event):
    """Inventory that should report from this site."""

    type: Name
    nodes: Annotated[int, Field(ge=0, le=10_000_000)]
    accelerators: Annotated[int, Field(ge=0, le=100_000_000)]


class Arrival(Event):
    """Accelerators that are to arrive."""

    type: Name
    accelerators: Annotated[int, Field(ge=1, le=100_000_000)]
    at: AwareDatetime


class SiteFacts(Event):
    """Supply, PUE and inventory of one site from `at` on."""

    site: Name
    at: AwareDatetime
    supply_watts: Annotated[float, Field(ge=0, le=1e12)]
    """What the site may draw, facility and all."""
    pue: Annotated[float, Field(ge=1, le=5)]
    """Facility watts for each IT watt."""
    expected: tuple[Expected, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
