"""What the console says, put together from the live fleet and from the sites that are folded here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from models.console import (
    FleetView,
    NodeAnswer,
    NodesPage,
    NodeView,
    ShortagesView,
    SitesView,
    SiteTile,
    SiteView,
)
from models.shortage import ScopeKind, Shortage
from streams.console.here import Here
from streams.console.live import LiveFleet
from streams.console.refusing import come_back, unknown_node, unknown_site
from twin.looking import NodeFilter, NodeOrder, find_node, nodes_page, racks
from twin.site import SiteTwin


@dataclass(frozen=True, slots=True)
class PageAsked:
    """Which nodes of a site, and in which order."""

    offset: int
    limit: int
    order: NodeOrder
    only: NodeFilter


@dataclass(frozen=True, slots=True)
class Answers:
    """The views of `models/console.py`, as of now."""

    live: LiveFleet
    here: Here
    worker: str
    now: Callable[[], datetime]

    def fleet(self) -> FleetView:
        """The fleet, with its history."""
        now, watch = self.now(), self.live.watch
        return FleetView(
            now=now,
            age_seconds=self._age(now),
            fleet=watch.fleet,
            history=self.live.fleet_history(),
            readings_per_second=watch.rate,
        )

    def sites(self) -> SitesView:
        """Every site, by name."""
        now, states = self.now(), self.live.watch.sites
        tiles = (SiteTile(state=states[site], history=self.live.site_history(site)) for site in sorted(states))
        return SitesView(now=now, age_seconds=self._age(now), sites=tuple(tiles))

    def shortages(self) -> ShortagesView:
        """What is short, and what was lately."""
        now = self.now()
        return ShortagesView(
            now=now,
            age_seconds=self._age(now),
            open=tuple(self.live.watch.open_shortages),
            resolved=tuple(self.live.resolved_shortages),
        )

    def site(self, name: str, asked: PageAsked) -> SiteView:
        """A site, with its nodes if it is folded here.

        Raises:
            NoAnswer: there is no such site, or its first state is still to come.
        """
        now, state, twin = self.now(), self.live.watch.sites.get(name), self.here.site(name)
        if state is None and twin is None:
            raise unknown_site(name)
        if state is None:
            raise come_back(1, "not_ready", f"The first state of {name!r} is still to come; ask again", name=name)
        return SiteView(
            now=now,
            age_seconds=max(0.0, (now - state.tick).total_seconds()),
            worker=self.worker,
            state=state,
            history=self.live.site_history(name),
            shortages=tuple(event for event in self.live.watch.open_shortages if _concerns(event, name)),
            racks=() if twin is None else racks(twin),
            nodes=_nodes(twin, asked),
        )

    def nodes(self, node: str, site: str | None = None) -> NodeAnswer:
        """The nodes of that name that are folded here, at one site or at all.

        Raises:
            NoAnswer: there is none.
        """
        found = self.found(node, site)
        if not found:
            raise unknown_node(node, site)
        return NodeAnswer(now=self.now(), nodes=in_order(found))

    def found(self, node: str, site: str | None = None) -> list[NodeView]:
        """The same without the wrapping; perhaps none."""
        twins = self.here.sites() if site is None else filter(None, [self.here.site(site)])
        return [view for twin in twins if (view := find_node(twin, node)) is not None]

    def _age(self, now: datetime) -> float | None:
        fleet = self.live.watch.fleet
        return None if fleet is None else max(0.0, (now - fleet.tick).total_seconds())


def in_order(nodes: list[NodeView]) -> tuple[NodeView, ...]:
    """By site, then by name."""
    return tuple(sorted(nodes, key=lambda view: (view.site, view.node)))


def _concerns(event: Shortage, site: str) -> bool:
    """Whether a shortage is the site's own, or one of a project that waits for it."""
    if event.scope.kind is ScopeKind.SITE:
        return event.scope.name == site
    bindings = (event.binding, *event.also)
    return event.scope.kind is ScopeKind.PROJECT and any(site in binding.sites for binding in bindings)


def _nodes(twin: SiteTwin | None, asked: PageAsked) -> NodesPage:
    if twin is None:
        return NodesPage(total=0, offset=asked.offset, nodes=())
    return nodes_page(twin, offset=asked.offset, limit=asked.limit, order=asked.order, only=asked.only)
