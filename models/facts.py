"""Site facts: what no node can know of its site. Sent whole; the newest by `at` stands."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from models.names import Event, Name, Several


class Expected(Event):
    """Inventory that should report from this site."""

    type: Name
    """A catalogue id, such as `h100-sxm`."""
    nodes: Annotated[int, Field(ge=0, le=10_000_000)]
    """How many nodes should report."""
    accelerators: Annotated[int, Field(ge=0, le=100_000_000)]
    """How many accelerators these have together."""


class Arrival(Event):
    """Accelerators that are to arrive."""

    type: Name
    """A catalogue id, such as `h100-sxm`."""
    accelerators: Annotated[int, Field(ge=1, le=100_000_000)]
    """How many arrive."""
    at: AwareDatetime
    """When."""


class SiteFacts(Event):
    """Supply, PUE and inventory of one site from `at` on."""

    site: Name
    """The name that its nodes give; use it as the record's key. `fleet` is taken."""
    at: AwareDatetime
    """From when this word counts; of several the newest stands."""
    supply_watts: Annotated[float, Field(ge=0, le=1e12)]
    """What the site may draw, facility and all."""
    pue: Annotated[float, Field(ge=1, le=5)]
    """Facility watts for each IT watt."""
    expected: Several[Expected] = ()
    """Everything that should report; empty: nothing is expected, and whatever reports counts."""
    arrivals: Several[Arrival] = ()
    """For people; nothing is counted before it reports."""
