"""What a planner is asked and what it answers: demand against capacity at one tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from models.demand import DemandRevised
from models.shortage import Binding, Resource, Scope
from models.tenant import Quota
from twin.view import SiteView

Quotas = Mapping[str, tuple[Quota, ...]]
"""By tenant."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Accelerators, thousandths of an H100, milliwatts."""

    accelerators: int = 0
    milli_h100e: int = 0
    milliwatts: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.accelerators + other.accelerators,
            self.milli_h100e + other.milli_h100e,
            self.milliwatts + other.milliwatts,
        )


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What is short at one tick, before it is known whether it lasts."""

    scope: Scope
    resource: Resource
    demanded: Amount
    missing: Amount
    binding: Binding
    projects: tuple[str, ...]
    also: tuple[Binding, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """Demand against capacity at one tick."""

    shortfalls: tuple[Shortfall, ...]
    """In canonical order, no two of one scope and resource."""
    servable: Mapping[str, int]
    """By demand: accelerators that are pending and could be had now; nothing of demands that could have none."""
    gap: int = 0
    """Accelerators by which the plan may fall short of the best; 0 if it is proven to be the best."""


class Planner(Protocol):
    """Judges demand against capacity; the same view gives the same assessment."""

    def assess(self, sites: Sequence[SiteView], demands: Sequence[DemandRevised], quotas: Quotas) -> Assessment:
        """What could be served, what is short, and what binds."""
        ...
