"""What people see of a site's nodes and racks: a few plain rows out of its columns, as of its last closed tick."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from models.columns import UNKNOWN as NOT_SAID
from models.columns import UNKNOWN_TEMPERATURE, Integers
from models.console import NodesPage, NodeView, RackView
from models.node_frame import Hearing, PowerSource
from models.reading import StateCode
from twin.node_views import MILLION, hearing_at, views_of
from twin.nodes import NEVER
from twin.rows import Row
from twin.site import SiteTwin
from twin.standing import Mask, held_idle, power_source_of, tells_utilization


class NodeOrder(StrEnum):
    """What comes first; what is not known comes last, equals by name."""

    NAME = "name"
    POWER = "power"
    """The highest."""
    UTILIZATION = "utilization"
    """The lowest."""
    TEMPERATURE = "temperature"
    """The hottest."""


class NodeFilter(StrEnum):
    """Which nodes are shown."""

    ALL = "all"
    NOT_REPORTING = "not_reporting"
    """Stale or lost."""
    NOT_IN_SERVICE = "not_in_service"
    """Draining, in maintenance or failed by their own word, and not lost."""
    IDLE = "idle"
    """Held idle, as the site's state counts it: allocated, and long at nothing."""


def find_node(site: SiteTwin, node: str) -> NodeView | None:
    """The node of this name; none where nothing was heard of it up to the last closed tick."""
    slot = site.nodes.slot_of(node)
    return None if slot is None else views_of(site, np.array([slot]))[0]


def nodes_page(site: SiteTwin, *, offset: int, limit: int, order: NodeOrder, only: NodeFilter) -> NodesPage:
    """At most `limit` of the nodes that pass the filter, after the first `offset` of them."""
    by_name = site.nodes.by_name
    slots = by_name[_passing(site, only)[by_name]]
    if order is not NodeOrder.NAME:
        slots = slots[np.argsort(_keys(site, order)[slots], kind="stable")]
    return NodesPage(total=slots.size, offset=offset, nodes=views_of(site, slots[offset : offset + limit]))


def racks(site: SiteTwin) -> tuple[RackView, ...]:
    """Every rack by name, and last the nodes that name none."""
    known, names = site.nodes.known, site.nodes.racks
    codes, heard, hearing = known[Row.RACK], known[Row.AT] != NEVER, hearing_at(site, known)

    def summed(which: Mask, amounts: Integers | None = None) -> list[int]:
        weights = None if amounts is None else amounts[which]
        sums: list[int] = np.bincount(codes[which], weights, minlength=len(names)).astype(np.int64).tolist()
        return sums

    busy = heard & tells_utilization(known, hearing)
    nodes, silent = summed(heard), summed(heard & (hearing != Hearing.REPORTING.value))
    drawn = summed(heard & (power_source_of(known, hearing) != PowerSource.UNKNOWN.value), known[Row.DRAWN])
    serving = summed(busy, known[Row.IN_SERVICE])
    worked = summed(busy, known[Row.UTILIZATION] * known[Row.IN_SERVICE])
    ordered = site.nodes.racks_by_name
    nameless = [code for code in ordered[:1] if names[code] == ""]
    return tuple(
        RackView(
            rack=names[code] or None,
            nodes=nodes[code],
            not_reporting=silent[code],
            power_watts=drawn[code] / 1000,
            utilization=worked[code] / serving[code] / MILLION if serving[code] else None,
        )
        for code in (*ordered[len(nameless) :], *nameless)
        if nodes[code]
    )


def _passing(site: SiteTwin, only: NodeFilter) -> Mask:
    known = site.nodes.known
    hearing = hearing_at(site, known)
    passing: Mask = known[Row.AT] != NEVER
    match only:
        case NodeFilter.ALL:
            pass
        case NodeFilter.NOT_REPORTING:
            passing &= hearing != Hearing.REPORTING.value
        case NodeFilter.NOT_IN_SERVICE:
            passing &= (hearing != Hearing.LOST.value) & (known[Row.STATE] != StateCode.IN_SERVICE.value)
        case NodeFilter.IDLE:
            passing &= held_idle(known, hearing, site.closed or 0, site.rules)
    return passing


def _keys(site: SiteTwin, order: NodeOrder) -> Integers:
    """By what the nodes are sorted, the least first."""
    known = site.nodes.known
    last = np.iinfo(np.int64).max
    match order:
        case NodeOrder.UTILIZATION:
            values = known[Row.UTILIZATION]
            return np.where(values == NOT_SAID, last, values)
        case NodeOrder.TEMPERATURE:
            values = known[Row.TEMPERATURE]
            return np.where(values == UNKNOWN_TEMPERATURE, last, -values)
        case _:
            unknown = power_source_of(known, hearing_at(site, known)) == PowerSource.UNKNOWN.value
            return np.where(unknown, last, -known[Row.DRAWN])
