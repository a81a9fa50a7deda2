"""What the console's API answers: states and shortages as they are on their topics, with their age and recent history.

Watts, joules, fractions 0..1, degrees Celsius, UTC; unknown is null.
"""

from __future__ import annotations

from pydantic import AwareDatetime

from models.names import Published
from models.shortage import Shortage
from models.state import FleetState, SiteState


class History(Published):
    """The last quarter of an hour as columns of one length, oldest first; unknown is null."""

    tick: tuple[AwareDatetime, ...]
    """The ends of the ticks."""
    facility_watts: tuple[float | None, ...]
    """IT watts where the site's facts, and with them its PUE, are not known."""
    supply_watts: tuple[float | None, ...]
    """What the site may draw, or all sites together."""
    in_service: tuple[int, ...]
    """Accelerators in service."""
    allocated: tuple[int, ...]
    """Of these, bound to work."""
    free: tuple[int, ...]
    """Of these, free."""
    utilization: tuple[float | None, ...]
    """Mean over the accelerators in service, 0 to 1."""
    open_shortages: tuple[int, ...]
    """How many shortages were open."""


class FleetView(Published):
    """`GET /api/fleet`."""

    now: AwareDatetime
    """By the worker's clock."""
    age_seconds: float | None
    """Since the newest fleet state's tick; unknown before the first."""
    fleet: FleetState | None
    """The newest state; unknown before the first."""
    history: History
    """By the second."""
    readings_per_second: float
    """Readings taken in a second of event time, over the last two states."""


class SiteTile(Published):
    """One site as the overview shows it."""

    state: SiteState
    """The newest state."""
    history: History
    """Thinned out: a point each ten seconds."""


class SitesView(Published):
    """`GET /api/sites`: every site, by name."""

    now: AwareDatetime
    """By the worker's clock."""
    age_seconds: float | None
    """Since the newest fleet state's tick; unknown before the first."""
    sites: tuple[SiteTile, ...]
    """By name."""


class AcceleratorsView(Published):
    """Each accelerator of a node, in the node's own order; a measure that the node does not say is null."""

    utilization: tuple[float | None, ...] | None
    """Fractions, 0 to 1."""
    power_watts: tuple[float | None, ...] | None
    """Watts of each."""
    memory_used_bytes: tuple[int | None, ...] | None
    """Bytes in use."""
    temperature_celsius: tuple[float | None, ...] | None
    """Degrees Celsius."""


class NodeView(Published):
    """One node as the site machine holds it."""

    site: str
    """Where it is."""
    node: str
    """Its name, unique at its site."""
    rack: str | None
    """The rack that it names, if any."""
    type: str
    """Of its accelerators: an entry of the catalogue."""
    heard_at: AwareDatetime
    """The time of its newest reading."""
    hearing: str
    """`reporting`, `stale` or `lost`, at the site's last closed tick."""
    state: str
    """By its own word: `in_service`, `draining`, `maintenance` or `failed`."""
    installed: int
    """Accelerators that it has."""
    in_service: int
    """Of these, usable."""
    allocated: int | None
    """Of these, bound to work, if it says so."""
    power_watts: float | None
    """Of the whole node."""
    power_source: str
    """`measured`, `modelled` from utilisation, `carried` from before it fell silent, or `unknown`."""
    utilization: float | None
    """Mean over its accelerators, 0 to 1."""
    memory_used_bytes: int | None
    """Of its accelerators together."""
    temperature_celsius: float | None
    """Of its hottest accelerator."""
    energy_joules: int
    """Drawn since its first reading; long gaps are left out."""
    idle_since: AwareDatetime | None
    """Since when it has been allocated and near zero utilisation; null where it is not."""
    accelerators: AcceleratorsView | None
    """One by one; null where it says nothing of them."""


class RackView(Published):
    """The nodes of one rack; `rack` is null for those that name none."""

    rack: str | None
    """Its name."""
    nodes: int
    """Nodes that name it."""
    not_reporting: int
    """Of these, stale or lost."""
    power_watts: float
    """Of the nodes whose watts are known."""
    utilization: float | None
    """Mean over the accelerators in service whose utilisation is known."""


class NodesPage(Published):
    """Some nodes of a site, in the order asked for."""

    total: int
    """That match."""
    offset: int
    """How many were passed over."""
    nodes: tuple[NodeView, ...]
    """Those of this page."""


class SiteView(Published):
    """`GET /api/sites/{site}`: from the worker that owns the site."""

    now: AwareDatetime
    """By the answering worker's clock."""
    age_seconds: float | None
    """Since the tick of the site's newest state."""
    worker: str
    """Who answered."""
    state: SiteState
    """The newest state."""
    history: History
    """A point each ten seconds."""
    shortages: tuple[Shortage, ...]
    """Open, at this site or of projects whose shortage this site binds."""
    racks: tuple[RackView, ...]
    """By name, last the nodes that name none."""
    nodes: NodesPage
    """In the order asked for."""


class NodeAnswer(Published):
    """`GET /api/nodes/{node}`: every node of that name, or the one at `site`."""

    now: AwareDatetime
    """By the worker's clock."""
    nodes: tuple[NodeView, ...]
    """By site."""
    unanswered: tuple[int, ...] = ()
    """Telemetry partitions for which no worker answered: there may be further nodes of that name."""


class ShortagesView(Published):
    """`GET /api/shortages`: what is open, oldest first, and what resolved within the last hour, newest first."""

    now: AwareDatetime
    """By the worker's clock."""
    age_seconds: float | None
    """Since the newest fleet state's tick; unknown before the first."""
    open: tuple[Shortage, ...]
    """The newest event of each that goes on, oldest first."""
    resolved: tuple[Shortage, ...]
    """The last event of each that resolved within the last hour, newest first."""


class Health(Published):
    """`GET /healthz`: the worker's loop turns and its app runs."""

    alive: bool
    """Always true: a worker that is not does not answer."""
    worker: str
    """Who answered: application, host and process."""


class Readiness(Published):
    """`GET /readyz`: whether the worker folds its partitions and sees the fleet."""

    ready: bool
    """Whether nothing is missing."""
    missing: tuple[str, ...]
    """What is not there yet, in words."""


class Problem(Published):
    """The body of every answer that is none: 4xx and 5xx."""

    code: str
    """A short, stable name of the reason, such as `unknown_site`."""
    detail: str
    """The reason for people, with the way out where there is one."""
    name: str | None = None
    """The site or node that the question named, where that is what is wrong."""
