"""A made-up fleet as the console's API would answer for it: of its own models, so that it says nothing they do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from models.console import (
    AcceleratorsView,
    FleetView,
    History,
    NodeAnswer,
    NodesPage,
    NodeView,
    RackView,
    ShortagesView,
    SitesView,
    SiteTile,
    SiteView,
)
from models.instants import instant_of, moment_of
from models.shortage import (
    Accelerators,
    Binding,
    Change,
    Constraint,
    OneMore,
    Quantity,
    Scope,
    ScopeKind,
    Severity,
    Shortage,
    Status,
    Unit,
)
from models.state import FleetState, SiteState, TenantState, Totals
from tests.builders import CATALOGUE, pool, view
from twin.states import fleet_state, site_state
from twin.tenants import Claims
from twin.view import SiteView as TwinView

NODES_IN_A_RACK = 4
SECONDS_OF_HISTORY = 300


def this_second() -> int:
    """The tick that has just ended, by the wall."""
    return instant_of(datetime.now(UTC)) // 1000 * 1000


def site(name: str, *, megawatts: float = 9.0, supply: float = 12.0, free: int = 160) -> TwinView:
    """A site of 100 nodes with eight H100 each."""
    made_of = pool(installed=800, in_service=800, allocated=800 - free, free=free, utilization_ppm=580_000)
    known = made_of.model_copy(update={"utilization_known": 800})
    return view(name, pools=(known,), milliwatts=int(megawatts * 1e9), supply_watts=supply * 1e6)


def history(states: Iterable[Totals]) -> History:
    """The columns of these states."""
    some = list(states)
    return History(
        tick=tuple(one.tick for one in some),
        facility_watts=tuple(one.power.facility for one in some),
        supply_watts=tuple(one.power.supply for one in some),
        in_service=tuple(one.in_service for one in some),
        allocated=tuple(one.allocated for one in some),
        free=tuple(one.free for one in some),
        utilization=tuple(one.utilization for one in some),
        open_shortages=tuple(one.open_shortages for one in some),
    )


def shortage(name: str = "frontier", at: int = 0, **said: Any) -> Shortage:
    """A project that waits for 408 H100 at memphis."""
    tick = moment_of(at or this_second())
    unsaid: dict[str, Any] = {
        "id": f"project/{name}/1",
        "sequence": 0,
        "change": Change.OPENED,
        "status": Status.OPEN,
        "severity": Severity.CRITICAL,
        "scope": Scope(kind=ScopeKind.PROJECT, name=name),
        "resource": Accelerators(types=("h100-sxm",)),
        "demanded": Quantity(accelerators=800),
        "served": Quantity(accelerators=392),
        "missing": Quantity(accelerators=408, h100e=408.0),
        "binding": Binding(
            constraint=Constraint.WHOLE_NODES,
            sites=("memphis",),
            types=("h100-sxm",),
            behind=408,
            one_more=OneMore(unit=Unit.WHOLE_NODE, serves=8),
            summary="408 wait for more free h100-sxm together on one node at memphis; 1 more free whole node serves 8",
        ),
        "since": tick - timedelta(seconds=75),
        "at": tick,
        "projects": (name,),
    }
    return Shortage(**unsaid | said)


def resolved(one: Shortage, at: int = 0) -> Shortage:
    """The event with which it ends."""
    end = moment_of(at or this_second())
    return one.model_copy(
        update={
            "sequence": one.sequence + 1,
            "change": Change.RESOLVED,
            "status": Status.RESOLVED,
            "at": end,
            "resolved_at": end,
        }
    )


def tenant(name: str, pending: int = 0) -> TenantState:
    """A tenant that deserves 400."""
    return TenantState(
        tenant=name,
        deserved=400,
        limit=None,
        wanted=300 + pending,
        granted=300,
        pending=pending,
        used=300,
        starved=pending,
        borrowing=0,
        servable=0,
    )


def node(at_site: str, name: str, number: int, now: int) -> NodeView:
    """A node that tells its accelerators apart; the first one of a site is hot."""
    temperatures = tuple(62.0 + number % 7 + part + (20 if number == 0 else 0) for part in range(8))
    return NodeView(
        site=at_site,
        node=name,
        rack=f"r{number // NODES_IN_A_RACK}",
        type="h100-sxm",
        heard_at=moment_of(now),
        hearing="lost" if number == 3 else "reporting",
        state="draining" if number == 5 else "in_service",
        installed=8,
        in_service=8,
        allocated=8,
        power_watts=6851.3,
        power_source="measured",
        utilization=0.58,
        memory_used_bytes=8 * 60 * 2**30,
        temperature_celsius=max(temperatures),
        energy_joules=12_345_678,
        idle_since=None,
        accelerators=AcceleratorsView(
            utilization=tuple(0.5 + part / 50 for part in range(8)),
            power_watts=tuple(520.0 + 3 * part for part in range(8)),
            memory_used_bytes=(60 * 2**30,) * 8,
            temperature_celsius=temperatures,
        ),
    )


@dataclass
class MadeUp:
    """The fleet; what is open and what has resolved changes by what a test does with it."""

    sites: list[TwinView] = field(default_factory=lambda: [site("memphis"), site("lulea", megawatts=2.0, supply=2.05)])
    node_names: Sequence[str] = tuple(f"n{number}" for number in range(100))
    tenants: tuple[TenantState, ...] = (tenant("research", 60), tenant("product"))
    shortages: dict[str, Shortage] = field(default_factory=dict)
    over: list[Shortage] = field(default_factory=list)

    def say(self, event: Shortage) -> None:
        """Take an event of an episode in."""
        self.shortages.pop(event.id, None)
        if event.status is Status.OPEN:
            self.shortages[event.id] = event
        else:
            self.over.insert(0, event)

    def fleet_state(self, tick: int) -> FleetState:
        """The fleet at a tick."""
        pending = sum(one.missing.accelerators for one in self.shortages.values())
        claims = Claims(demands=9, wanted=1300 + pending, granted=1300, tenants=self.tenants)
        state = fleet_state(self.sites, tick, CATALOGUE, claims, len(self.shortages))
        return state.model_copy(update={"intake": state.intake.model_copy(update={"observed": tick % 10**9})})

    def site_states(self, tick: int) -> list[SiteState]:
        """Every site at a tick."""
        return [site_state(one, tick, CATALOGUE, 0) for one in self.sites]

    def fleet_view(self) -> FleetView:
        """What `/api/fleet` answers."""
        now = this_second()
        ticks = range(now - SECONDS_OF_HISTORY * 1000, now + 1000, 1000)
        return FleetView(
            now=datetime.now(UTC),
            age_seconds=0.5,
            fleet=self.fleet_state(now),
            history=history(map(self.fleet_state, ticks)),
            readings_per_second=1998.0,
        )

    def sites_view(self) -> SitesView:
        """What `/api/sites` answers."""
        now = this_second()
        return SitesView(
            now=datetime.now(UTC), age_seconds=0.5, sites=tuple(self._tile(one, now) for one in self.sites)
        )

    def _tile(self, one: TwinView, now: int) -> SiteTile:
        ticks = range(now - SECONDS_OF_HISTORY * 1000, now + 1000, 10_000)
        past = history(site_state(one, tick, CATALOGUE, 0) for tick in ticks)
        return SiteTile(state=site_state(one, now, CATALOGUE, 0), history=past)

    def shortages_view(self) -> ShortagesView:
        """What `/api/shortages` answers."""
        return ShortagesView(
            now=datetime.now(UTC),
            age_seconds=0.5,
            open=tuple(self.shortages.values()),
            resolved=tuple(self.over),
        )

    def site_view(self, name: str, *, offset: int, limit: int, order: str, only: str) -> SiteView | None:
        """What `/api/sites/{site}` answers; none where there is none. Ordered by power, the last stand first."""
        found = next((one for one in self.sites if one.site == name), None)
        if found is None:
            return None
        now = this_second()
        nodes = [node(name, each, number, now) for number, each in enumerate(self.node_names)]
        matching = [one for one in nodes if only == "all" or one.hearing != "reporting"]
        if order != "name":
            matching.reverse()
        racks = [nodes[first : first + NODES_IN_A_RACK] for first in range(0, len(nodes), NODES_IN_A_RACK)]
        tile = self._tile(found, now)
        return SiteView(
            now=datetime.now(UTC),
            age_seconds=0.5,
            worker="made-up",
            state=tile.state,
            history=tile.history,
            shortages=tuple(self.shortages.values()),
            racks=tuple(map(_rack, racks)),
            nodes=NodesPage(total=len(matching), offset=offset, nodes=tuple(matching[offset : offset + limit])),
        )

    def node_answer(self, name: str, at_site: str) -> NodeAnswer | None:
        """What `/api/nodes/{node}` answers; none where there is none."""
        if name not in self.node_names or at_site not in {one.site for one in self.sites}:
            return None
        found = node(at_site, name, self.node_names.index(name), this_second())
        return NodeAnswer(now=datetime.now(UTC), nodes=(found,))


def _rack(nodes: Sequence[NodeView]) -> RackView:
    return RackView(
        rack=nodes[0].rack,
        nodes=len(nodes),
        not_reporting=sum(one.hearing != "reporting" for one in nodes),
        power_watts=sum(one.power_watts or 0 for one in nodes),
        utilization=nodes[0].utilization,
    )
