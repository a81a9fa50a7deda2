"""Shortages: episodes in which some demand cannot be served. Each event carries the whole state of its episode."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from models.names import Event


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


class Scope(Event):
    """Who is short: the fleet (whose name is `fleet`), a site or a project."""

    kind: ScopeKind
    name: str


class Accelerators(Event):
    """Accelerators of these types are short; no types means any."""

    kind: Literal["accelerators"] = "accelerators"
    types: tuple[str, ...]


class Power(Event):
    """Megawatts are short."""

    kind: Literal["power"] = "power"


class Visibility(Event):
    """Too much capacity is unknown to judge."""

    kind: Literal["visibility"] = "visibility"


Resource = Annotated[Accelerators | Power | Visibility, Field(discriminator="kind")]


class Quantity(Event):
    """An amount in each of the three measures; one that does not apply is zero."""

    accelerators: int = 0
    h100e: float = 0.0
    watts: float = 0.0


class Binding(Event):
    """The constraint that binds, for machines and for people."""

    constraint: Literal["accelerators", "power", "visibility"]
    sites: tuple[str, ...]
    types: tuple[str, ...]
    summary: str


class Shortage(Event):
    """One event of a shortage episode."""

    id: str
    """Derived from scope, resource and opening time: a replay gives the same."""
    sequence: int
    """0 when opened, one more with every event."""
    change: Change
    status: Status
    severity: Severity
    scope: Scope
    resource: Resource
    demanded: Quantity
    served: Quantity
    missing: Quantity
    binding: Binding
    since: AwareDatetime
    """The tick from which the shortage has held."""
    at: AwareDatetime
    """The tick of this event."""
    resolved_at: AwareDatetime | None = None
    projects: tuple[str, ...]
