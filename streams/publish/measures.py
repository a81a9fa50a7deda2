"""What a source says of a node at one instant, in canonical units: watts, joules, bytes, degrees Celsius, fractions.

What a source does not know is None and never zero; whatever it knows in other units it converts before it gets here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Identity:
    """Where a node is and what it is called: from configuration, never guessed."""

    site: str
    node: str
    rack: str | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """A node that a source has found."""

    identity: Identity
    type: str
    """An id of the catalogue."""
    installed: int
    """Accelerators."""
    about: str
    """For people: models, driver, endpoint."""


class Throttle(StrEnum):
    """Why an accelerator runs slower than it could; a subset of what vendors tell apart."""

    POWER = "power"
    """Its own power limit, or one that software has set."""
    THERMAL = "thermal"
    """It, or its memory, is too hot."""
    HARDWARE = "hardware"
    """The board slows itself: a power brake, or a slowdown of another cause."""
    SYNC = "sync"
    """Others that it is synchronised with are slower."""


@dataclass(frozen=True, slots=True)
class AcceleratorMeasure:
    """One accelerator."""

    power_watts: float | None = None
    """At this instant, or the vendor's own short mean."""
    energy_joules: float | None = None
    """What it has drawn since some beginning of its own: a counter, which starts anew with its driver."""
    utilization: float | None = None
    sm_active: float | None = None
    memory_used_bytes: int | None = None
    temperature_celsius: float | None = None
    fault: str | None = None
    """Why it cannot be given work, in a few words."""
    xid: int | None = None
    """NVIDIA's number of its last error, where it had one."""
    throttled: frozenset[Throttle] | None = None
    """None where the source does not say; empty where nothing slows it."""


@dataclass(frozen=True, slots=True)
class NodeMeasure:
    """One node."""

    component: Component
    at: int
    """When it was measured, in milliseconds since 1970."""
    accelerators: tuple[AcceleratorMeasure, ...] = ()
    """In the node's own order, which stays the same; `component.installed` of them, or none where nothing is known."""
    power_watts: float | None = None
    """Of the whole node, metered as one; never a sum of parts."""
    energy_joules: float | None = None
    """The same as a counter."""
    allocated: int | None = None
    missing: tuple[str, ...] = ()
    """What was asked for and did not come, by the measure's name; for people and for the publisher's own metrics."""


class MeterLevel(StrEnum):
    """What a meter that is no node's measures. The same watts pass several levels: never add across them.

    The words of `models.meter_reading.MeterLevel`, but for those that a newer version may add: these can be chosen.
    """

    CHASSIS = "chassis"
    OUTLET = "outlet"
    BRANCH = "branch"
    PHASE = "phase"
    PDU = "pdu"


@dataclass(frozen=True, slots=True)
class MeterMeasure:
    """A meter beside the nodes, such as a rack's power distribution unit."""

    site: str
    meter: str
    level: MeterLevel
    at: int
    power_watts: float | None = None
    energy_joules: float | None = None
    rack: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be asked, or whose answer made no sense."""

    endpoint: str
    """What was asked: an address, a device, a file; no secrets in it."""
    why: str


@dataclass(frozen=True, slots=True)
class Sampled:
    """What came of asking once. Parts that failed do not keep the others back."""

    nodes: tuple[NodeMeasure, ...] = ()
    meters: tuple[MeterMeasure, ...] = ()
    failures: tuple[Failure, ...] = field(default=())
