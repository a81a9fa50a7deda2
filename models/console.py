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
    facility_watts: tuple[float | None, ...]
    """IT watts where the site's facts, and with them its PUE, are not known."""
    supply_watts: tuple[float | None, ...]
    in_service: tuple[int, ...]
    allocated: tuple[int, ...]
    free: tuple[int, ...]
    utilization: tuple[float | None, ...]
    open_shortages: tuple[int, ...]


class FleetView(Published):
    """`GET /api/fleet`."""

    now: AwareDatetime
    """By the worker's clock."""
    age_seconds: float | None
    """Since the newest fleet state's tick; unknown before the first."""
    fleet: FleetState | None
    history: History
    readings_per_second: float


class SiteTile(Published):
    """One site as the overview shows it."""

    state: SiteState
    history: History
    """Thinned out: a point each ten seconds."""


class SitesView(Published):
    """`GET /api/sites`: every site, by name."""

    now: AwareDatetime
    age_seconds: float | None
    sites: tuple[SiteTile, ...]


class AcceleratorsView(Published):
    """Each accelerator of a node, in the node's own order; a measure that the node does not say is null."""

    utilization: tuple[float | None, ...] | None
    power_watts: tuple[float | None, ...] | None
    memory_used_bytes: tuple[int | None, ...] | None
    temperature_celsius: tuple[float | None, ...] | None


class NodeView(Published):
    """One node as the site machine holds it."""

    site: str
    node: str
    rack: str | None
    type: str
    heard_at: AwareDatetime
    hearing: str
    """`reporting`, `stale` or `lost`, at the site's last closed tick."""
    state: str
    installed: int
    in_service: int
    allocated: int | None
    power_watts: float | None
    power_source: str
    utilization: float | None
    memory_used_bytes: int | None
    temperature_celsius: float | None
    energy_joules: int
    idle_since: AwareDatetime | None
    accelerators: AcceleratorsView | None


class RackView(Published):
    """The nodes of one rack; `rack` is null for those that name none."""

    rack: str | None
    nodes: int
    not_reporting: int
    power_watts: float
    utilization: float | None


class NodesPage(Published):
    """Some nodes of a site, in the order asked for."""

    total: int
    """That match."""
    offset: int
    nodes: tuple[NodeView, ...]


class SiteView(Published):
    """`GET /api/sites/{site}`: from the worker that owns the site."""

    now: AwareDatetime
    age_seconds: float | None
    worker: str
    """Who answered."""
    state: SiteState
    history: History
    shortages: tuple[Shortage, ...]
    """Open, at this site or of projects whose shortage this site binds."""
    racks: tuple[RackView, ...]
    nodes: NodesPage


class NodeAnswer(Published):
    """`GET /api/nodes/{node}`: every node of that name, or the one at `site`."""

    now: AwareDatetime
    nodes: tuple[NodeView, ...]
    """By site."""
    unanswered: tuple[int, ...] = ()
    """Telemetry partitions for which no worker answered: there may be further nodes of that name."""


class ShortagesView(Published):
    """`GET /api/shortages`: what is open, oldest first, and what resolved within the last hour, newest first."""

    now: AwareDatetime
    age_seconds: float | None
    open: tuple[Shortage, ...]
    resolved: tuple[Shortage, ...]


class Health(Published):
    """`GET /healthz`: the worker's loop turns and its app runs."""

    alive: bool
    worker: str


class Readiness(Published):
    """`GET /readyz`: whether the worker folds its partitions and sees the fleet."""

    ready: bool
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
