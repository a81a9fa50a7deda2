"""Shortages: episodes in which some demand cannot be served. Each event carries the whole state of its episode."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from models.names import Published, Several
from models.words import GrowingWords


class Status(StrEnum):
    """Whether the episode goes on."""

    OPEN = "open"
    RESOLVED = "resolved"


class Change(StrEnum):
    """Why this event was sent."""

    OPENED = "opened"
    UPDATED = "updated"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class ScopeKind(StrEnum):
    """Who is short."""

    FLEET = "fleet"
    SITE = "site"
    PROJECT = "project"


class Scope(Published):
    """Who is short: the fleet (whose name is `fleet`), a site or a project."""

    kind: ScopeKind
    """Whether that is the fleet, a site or a project."""
    name: str
    """The site's or the project's; `fleet` for the fleet."""


class Accelerators(Published):
    """Accelerators of these types are short; no types means any."""

    kind: Literal["accelerators"] = "accelerators"
    types: Several[str]
    """Catalogue ids, sorted."""


class Power(Published):
    """Megawatts are short."""

    kind: Literal["power"] = "power"


class Visibility(Published):
    """Too much capacity is unknown to judge."""

    kind: Literal["visibility"] = "visibility"


class Unplaced(Published):
    """Accelerators of these types could be had now and are not granted; no types means any."""

    kind: Literal["unplaced"] = "unplaced"
    types: Several[str]
    """Catalogue ids, sorted."""


Resource = Annotated[Accelerators | Power | Visibility | Unplaced, Field(discriminator="kind")]


class Quantity(Published):
    """An amount in each of the three measures; one that does not apply is zero."""

    accelerators: int = 0
    """Raw count."""
    h100e: float = 0.0
    """The same in H100 equivalents: dense BF16 against 989 TFLOPS."""
    watts: float = 0.0
    """Facility watts of a site; IT watts that the accelerators would draw at work otherwise."""


class Constraint(GrowingWords):
    """What can keep demand from being served."""

    QUOTA = "quota"
    """The tenant is limited to less."""
    WHOLE_NODES = "whole_nodes"
    """Enough accelerators are free, too few of them together on one node."""
    POWER = "power"
    """Accelerators are free where there is no power left to run them."""
    ACCELERATORS = "accelerators"
    """None that would do are free."""
    UNKNOWN_CAPACITY = "unknown_capacity"
    """Nodes that would do are lost, away, were never seen, or do not say what is free."""
    VISIBILITY = "visibility"
    """Too much of a site is unknown to judge."""
    SCHEDULER = "scheduler"
    """Nothing that the twin can see: it could be granted, and is not."""


class Unit(GrowingWords):
    """Of what one more is weighed."""

    ACCELERATOR = "accelerator"
    WHOLE_NODE = "whole_node"
    MEGAWATT = "megawatt"


class OneMore(Published):
    """What one more unit of what is short would serve, the units of other constraints unchanged."""

    unit: Unit
    """Of what there would be one more."""
    serves: int
    """Accelerators, of whichever demand comes first."""


class Binding(Published):
    """A constraint that binds, for machines and for people."""

    constraint: Constraint
    """What binds."""
    sites: Several[str]
    """Where, sorted; empty where it binds anywhere."""
    types: Several[str]
    """Of which types of accelerators, sorted; empty where that does not matter."""
    together_with: Several[Constraint] = ()
    """What must give way with it; none where it binds by itself."""
    behind: int = 0
    """Accelerators of the shortage that wait for this; a demand that waits for either of two counts for both."""
    one_more: OneMore | None = None
    """What one more unit would serve; null where that cannot be said."""
    summary: str
    """The same in a sentence for people; its words may change, nothing should parse it."""


class Shortage(Published):
    """One event of a shortage episode."""

    id: str
    """Derived from scope, resource and opening time: a replay gives the same."""
    sequence: int
    """0 when opened, one more with every event."""
    change: Change
    """Why this event was sent."""
    status: Status
    """Whether the episode goes on after this event."""
    severity: Severity
    """By the share that is missing, how much that is, and how long it has lasted."""
    scope: Scope
    """Who is short; never changes within an episode."""
    resource: Resource
    """What is short; never changes within an episode."""
    demanded: Quantity
    """What is waited for, that included which could be had now."""
    served: Quantity
    """What of it could be had now."""
    missing: Quantity
    """What of it could not be had."""
    binding: Binding
    """What holds back most; where several do, what is changed most easily."""
    also: Several[Binding] = ()
    """What else binds."""
    since: AwareDatetime
    """The tick from which the shortage has held."""
    at: AwareDatetime
    """The tick of this event."""
    resolved_at: AwareDatetime | None = None
    """The tick from which it was gone; null while it goes on."""
    projects: Several[str]
    """Whose demand waits, sorted."""
