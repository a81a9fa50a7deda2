"""A reading: what one node measured at one instant, as people and small senders write it."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from models.names import Event, Name, Several

MOST_ACCELERATORS = 1024
"""On one node; the largest shared-memory nodes sold today hold fewer than a hundred."""

Count = Annotated[int, Field(ge=0, le=MOST_ACCELERATORS)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Watts = Annotated[float, Field(ge=0, le=1e9)]
Celsius = Annotated[float, Field(ge=-60, le=200)]
Bytes = Annotated[int, Field(ge=0, lt=2**53)]


class NodeState(StrEnum):
    """What a node's owner says of it."""

    IN_SERVICE = "in_service"
    DRAINING = "draining"
    MAINTENANCE = "maintenance"
    FAILED = "failed"


class PowerMethod(StrEnum):
    """How watts were come by."""

    ENERGY_COUNTER = "energy_counter"
    """The mean over the time since the reading before, from a counter of joules."""
    INSTANTANEOUS = "instantaneous"
    """What the device said of that instant, or of some short time of its own."""


class StateCode(IntEnum):
    """The same in columns."""

    IN_SERVICE = 0
    DRAINING = 1
    MAINTENANCE = 2
    FAILED = 3


STATE_CODES = {state.value: StateCode[state.name].value for state in NodeState}
STATE_NAMES = tuple(state.value for state in NodeState)


class AcceleratorReadings(Event):
    """The same measures for each accelerator of the node, in the node's own order; absent and null mean not known."""

    power_watts: Several[Watts | None] | None = None
    """What each draws."""
    utilization: Several[Fraction | None] | None = None
    """The part of the time in which each was busy, 0 to 1."""
    sm_active: Several[Fraction | None] | None = None
    """The part of its multiprocessors that was busy, 0 to 1."""
    memory_used_bytes: Several[Bytes | None] | None = None
    """Of each one's own memory."""
    temperature_celsius: Several[Celsius | None] | None = None
    """Of each."""


class Reading(Event):
    """One node at one instant. What is not known is left out, and is never zero."""

    site: Name
    """Where the node is; the record's key must be the same. `fleet` is taken."""
    node: Name
    """Its name, unique within the site."""
    rack: Name | None = None
    """Where it stands, if that is of use."""
    type: Name
    """A catalogue entry, such as `h100-sxm`."""
    at: AwareDatetime
    """When it was measured; finer than a millisecond is cut off."""
    sequence: Annotated[int, Field(ge=0, lt=2**63)]
    """Grows with every reading of the node; tells apart readings of one instant."""
    installed: Annotated[int, Field(ge=1, le=MOST_ACCELERATORS)]
    """Accelerators that are in the node."""
    in_service: Count
    """Of these, how many can be given work."""
    allocated: Count | None = None
    """Accelerators bound to work."""
    power_watts: Watts | None = None
    """Of the whole node."""
    power_method: PowerMethod | None = None
    """How its watts were come by; where it does not say its own, those of its accelerators. For people: no figure
    depends on it.
    """
    utilization: Fraction | None = None
    """Mean over the node's accelerators."""
    sm_active: Fraction | None = None
    """The part of the multiprocessors that was busy, mean over the accelerators."""
    memory_used_bytes: Bytes | None = None
    """Of all its accelerators together."""
    temperature_celsius: Celsius | None = None
    """Of the hottest accelerator."""
    state: NodeState = NodeState.IN_SERVICE
    """What the node's owner says of it."""
    accelerators: AcceleratorReadings | None = None
    """Each accelerator by itself, `installed` values a list; what the node does not say above follows from these,
    but for its watts.
    """

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        if self.in_service > self.installed:
            raise ValueError(f"in_service {self.in_service} exceeds installed {self.installed}")
        if self.allocated is not None and self.allocated > self.installed:
            raise ValueError(f"allocated {self.allocated} exceeds installed {self.installed}")
        for name, values in self.accelerators or ():
            if values is not None and len(values) != self.installed:
                raise ValueError(f"accelerators.{name} has {len(values)} values for {self.installed} installed")
        return self
