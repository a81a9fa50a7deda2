"""States: what is published each tick of every site and of the fleet. Watts, joules, fractions; unknown is null."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from models.names import Published, Several
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
    """A catalogue id, such as `h100-sxm`."""
    installed: int
    """On nodes that report or are stale."""
    in_service: int
    """Of these, usable: the node is in service and its site is not away."""
    allocated: int
    """Bound to work."""
    free: int
    """In service and not allocated, on nodes that report and say what is allocated."""
    held_idle: int
    """Allocated on nodes whose utilisation has been near zero for long (5 minutes unless configured)."""
    unknown: int
    """On lost nodes, on sites away, or expected and never seen."""
    h100e_in_service: float
    """`in_service` in H100 equivalents."""
    h100e_free: float
    """`free` in H100 equivalents."""
    utilization: float | None
    """0 to 1, mean over those in service whose utilisation is known; null if none is."""


class NodeTotals(Published):
    """Nodes by how lately they were heard, and by their own word."""

    reporting: int
    """Heard within the time after which a node is stale (15 s unless configured)."""
    stale: int
    """Heard before that, and not yet lost."""
    lost: int
    """Not heard for long (60 s unless configured)."""
    never_seen: int
    """Expected by the site's facts, beyond those that have ever reported."""
    in_service: int
    """Not lost, and in service by their own word."""
    draining: int
    """Not lost, and draining by their own word."""
    maintenance: int
    """Not lost, and in maintenance by their own word."""
    failed: int
    """Not lost, and failed by their own word."""


class PowerState(Published):
    """Watts; facility figures need the site's facts."""

    it_measured: float
    """Of nodes that report their watts."""
    it_modelled: float
    """Of nodes that report their utilisation and no watts, by the catalogue's model."""
    it_carried: float
    """The last word of nodes that are stale, or on sites away."""
    facility: float | None
    """IT watts times PUE; null where facts are missing or every node is lost."""
    supply: float | None
    """What may be drawn; null where facts are missing."""
    headroom: float | None
    """Supply less facility; negative where more is drawn than supplied."""


class IntakeTotals(Published):
    """Readings so far, by what became of them."""

    observed: int
    """Taken in; late, duplicate and superseded ones included."""
    duplicate: int
    """Of the same node, `at` and `sequence` as one before."""
    superseded: int
    """Older than what the node had already said; they changed nothing."""
    late: int
    """Came after their tick had closed; they count from the next one on."""
    refused: int
    """Turned away; each has its dead letter."""


class Totals(Published):
    """What a site and the fleet have in common."""

    tick: AwareDatetime
    """The instant of this state: everything up to it counts."""
    nodes: NodeTotals
    """How many there are, by how they are."""
    pools: Several[PoolState]
    """By type, sorted."""
    power: PowerState
    """What is drawn and what may be."""
    installed: int
    """Accelerators of all pools, as there."""
    in_service: int
    """Accelerators of all pools, as there."""
    allocated: int
    """Accelerators of all pools, as there."""
    free: int
    """Accelerators of all pools, as there."""
    unknown: int
    """Accelerators of all pools, as there."""
    h100e_in_service: float
    """Of all pools, as there."""
    h100e_free: float
    """Of all pools, as there."""
    utilization: float | None
    """Of all pools, as there."""
    energy_joules: int
    """IT energy since the first reading; time without readings for long is left out."""
    newest_reading: AwareDatetime | None
    """The newest `at` of any node; null before the first."""
    intake: IntakeTotals
    """Readings so far."""
    open_shortages: int
    """Episodes that are open at this tick: the site's own and those of projects that wait for it; of the fleet, all."""
    unexpected: int = 0
    """Accelerators that report, or did, beyond what the facts of their site expect; none where they list nothing."""


class TenantState(Published):
    """Who has what, who waits, and who has more than its part; accelerators throughout.

    What a tenant deserves is the sum of its quotas' `deserved`, unknown without any.
    """

    tenant: str
    """Its name."""
    deserved: int | None
    """The sum of its quotas' `deserved`; null without any."""
    limit: int | None
    """The sum of its quotas' limits; unknown without any."""
    wanted: int
    """What its demands ask for."""
    granted: int
    """What they were granted."""
    pending: int
    """Wanted and not granted."""
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
    """Its name."""
    presence: Presence
    """Whether the figures can be relied on."""
    pue: float | None
    """Facility watts for each IT watt; null where the site's facts are not known."""


class FleetState(Totals):
    """The fleet at one tick: the sum of its sites, with demand beside it."""

    kind: Literal["fleet"] = "fleet"
    sites_present: int
    """Sites whose figures can be relied on."""
    sites_away: int
    """Sites that no worker has sampled lately."""
    sites_never_seen: int
    """Sites known from their facts alone."""
    demands: int
    """Demands that stand."""
    wanted: int
    """Accelerators that the demands ask for."""
    granted: int
    """Accelerators that they were granted."""
    pending: int
    """Wanted and not granted."""
    servable: int
    """Pending, and could be had now."""
    demands_waiting: int
    """Demands whose `starts_at` is still to come."""
    demands_expired: int
    """Demands whose `ends_at` has passed without a word of their end."""
    overcommitted: int = 0
    """Accelerators that tenants together deserve beyond those there are, of the types where most are missing."""
    tenants: Several[TenantState]
    """By name; demands that name no tenant are in none of them."""
