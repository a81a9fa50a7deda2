"""States: what is published each tick of every site and of the fleet. Watts, joules, fractions; unknown is null."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from models.names import Published
from models.words import GrowingWords


class Presence(GrowingWords):
    """Whether a site's word can be relied on."""

    PRESENT = "present"
    AWAY = "away"
    """No worker has sampled it lately; its figures are the last known ones and count as unknown."""
    NEVER_SEEN = "never_seen"
    """Known from site facts alone."""


class PoolState(Published):
    """The accelerators of one type."""

    type: str
    installed: int
    in_service: int
    allocated: int
    free: int
    held_idle: int
    unknown: int
    """On lost nodes, on sites away, or expected and never seen."""
    h100e_in_service: float
    h100e_free: float
    utilization: float | None


class NodeTotals(Published):
    """Nodes by how lately they were heard, and by their own word."""

    reporting: int
    stale: int
    lost: int
    never_seen: int
    in_service: int
    draining: int
    maintenance: int
    failed: int


class PowerState(Published):
    """Watts; facility figures need the site's facts."""

    it_measured: float
    it_modelled: float
    it_carried: float
    facility: float | None
    supply: float | None
    headroom: float | None


class IntakeTotals(Published):
    """Readings so far, by what became of them."""

    observed: int
    duplicate: int
    superseded: int
    late: int
    refused: int


class Totals(Published):
    """What a site and the fleet have in common."""

    tick: AwareDatetime
    nodes: NodeTotals
    pools: tuple[PoolState, ...]
    power: PowerState
    installed: int
    in_service: int
    allocated: int
    free: int
    unknown: int
    h100e_in_service: float
    h100e_free: float
    utilization: float | None
    energy_joules: int
    newest_reading: AwareDatetime | None
    intake: IntakeTotals
    open_shortages: int
    unexpected: int = 0
    """Accelerators that report, or did, beyond what the facts of their site expect; none where they list nothing."""


class TenantState(Published):
    """Who has what, who waits, and who has more than its part; accelerators throughout.

    What a tenant deserves is the sum of its quotas' `deserved`, unknown without any.
    """

    tenant: str
    deserved: int | None
    limit: int | None
    """The sum of its quotas' limits; unknown without any."""
    wanted: int
    granted: int
    pending: int
    used: int | None
    """Of what it deserves, as much as is granted."""
    starved: int | None
    """Pending, and within what it deserves."""
    borrowing: int | None
    """Granted beyond what it deserves."""
    servable: int
    """Pending, and could be had now."""


class SiteState(Totals):
    """One site at one tick."""

    kind: Literal["site"] = "site"
    site: str
    presence: Presence
    pue: float | None


class FleetState(Totals):
    """The fleet at one tick: the sum of its sites, with demand beside it."""

    kind: Literal["fleet"] = "fleet"
    sites_present: int
    sites_away: int
    sites_never_seen: int
    demands: int
    """Demands that stand."""
    wanted: int
    granted: int
    pending: int
    servable: int
    """Pending, and could be had now."""
    demands_waiting: int
    """Demands whose `starts_at` is still to come."""
    demands_expired: int
    """Demands whose `ends_at` has passed without a word of their end."""
    overcommitted: int = 0
    """Accelerators that tenants together deserve beyond those there are, of the types where most are missing."""
    tenants: tuple[TenantState, ...]
    """By name; demands that name no tenant are in none of them."""
