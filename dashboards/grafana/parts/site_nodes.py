"""The nodes of a site: how busy they are, by rack, and those that stand out."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Panel

from dashboards.grafana.parts import colours
from dashboards.grafana.parts.links import to_node
from dashboards.grafana.parts.panels import heat_map
from dashboards.grafana.parts.sql import Sql
from dashboards.grafana.parts.tables import Column, table_panel

_BANDS = ", ".join(
    f'count(*) filter (where band = {band}) as "{band * 10} to {band * 10 + 10} %"' for band in range(10)
)
_NODES_BY_UTILIZATION = """
    with span as (
        select $__timeFrom()::timestamptz as since, $__timeTo()::timestamptz as until,
            greatest(6, least(60, 120000 / (
                select greatest(1, sum(nodes_reporting + nodes_stale + nodes_lost)) from sites_now
                where site = any({sites})))) as moments
    ), minutes as (
        select generate_series(date_bin('1 minute', since, 'epoch'), until,
            make_interval(mins => ceil(extract(epoch from until - since) / 60 / moments)::integer)) as time
        from span where until - since <= interval '2 days'
    ), hours as (
        select generate_series(date_bin('1 hour', since, 'epoch'), until,
            make_interval(hours => ceil(extract(epoch from until - since) / 3600 / moments)::integer)) as time
        from span where until - since > interval '2 days'
    ), cells as (
        select minutes.time, utilisation from minutes cross join lateral (
            select utilization_sum / utilization_n as utilisation from node_1m
            where node_1m.time = minutes.time and site = any({sites}) and utilization_n > 0 offset 0) of_node
        union all
        select hours.time, utilisation from hours cross join lateral (
            select utilization_sum / utilization_n as utilisation from node_1h
            where node_1h.time = hours.time and site = any({sites}) and utilization_n > 0 offset 0) of_node
    ), banded as (
        select time, least(floor(utilisation * 10), 9)::integer as band from cells
    )
    select time, {bands}
    from banded group by time order by time
"""


def utilization_of_nodes() -> Panel:
    """How many nodes are how busy, over time."""
    return heat_map(
        "Nodes by utilisation",
        "How many nodes of the chosen sites are how busy, at sixty moments of the range, fewer where there are more "
        "than 2,000 nodes: means over a minute, or over an hour where the range is longer than two days.",
        "locale",
        Sql(_NODES_BY_UTILIZATION.replace("{bands}", _BANDS)),
    )


def racks() -> Panel:
    """Racks, those with silent nodes first."""
    return table_panel(
        "Racks",
        "Of the chosen sites, by the newest word of their nodes: those with nodes that do not report first, then by "
        "power; at most 100.",
        "locale",
        Sql(
            """
            select site, rack, nodes, not_reporting as "not reporting", power_watts as power,
                utilization as utilisation, temperature_celsius as hottest, installed as accelerators, allocated
            from racks_now where site = any({sites})
            order by not_reporting desc, power_watts desc nulls last, site, rack limit 100
            """,
            table=True,
        ),
        {
            "site": Column(width=130),
            "rack": Column(width=110),
            "not reporting": Column(thresholds=colours.soon_from(1)),
            "power": Column(unit="watt"),
            "utilisation": Column(unit="percentunit", decimals=1, gauge=1),
            "hottest": Column(unit="celsius", decimals=0, thresholds=colours.heat()),
        },
    )


def most_power() -> Panel:
    """The nodes that draw most."""
    return table_panel(
        "Nodes that draw most",
        "The ten of the chosen sites that draw most by their newest word.",
        "locale",
        Sql(
            """
            select site, node, rack, type, state, hearing, power_watts as power, utilization as utilisation,
                temperature_celsius as temperature
            from nodes_now where site = any({sites}) and power_watts is not null
            order by power_watts desc, site, node limit 10
            """,
            table=True,
        ),
        _NODE_COLUMNS,
    )


def idle() -> Panel:
    """The nodes that draw power for nothing."""
    return table_panel(
        "Nodes that idle with power on",
        "Nodes that report, take work, draw power and are less than 5 % busy: those bound to work first, then those "
        "that draw most; at most ten.",
        "locale",
        Sql(
            """
            select site, node, rack, type, allocated, power_watts as power, utilization as utilisation,
                temperature_celsius as temperature
            from nodes_now
            where site = any({sites}) and hearing = 'reporting' and state = 'in_service' and power_watts > 0
                and utilization < 0.05
            order by coalesce(allocated, 0) > 0 desc, power_watts desc, site, node limit 10
            """,
            table=True,
        ),
        _NODE_COLUMNS,
    )


_NODE_COLUMNS = {
    "site": Column(width=130),
    "node": Column(width=150, links=[to_node()]),
    "rack": Column(width=90),
    "state": Column(
        words={
            "in_service": colours.GOOD,
            "draining": colours.WEAK,
            "maintenance": colours.ASIDE,
            "failed": colours.ACT,
        }
    ),
    "hearing": Column(words={"reporting": colours.GOOD, "stale": colours.SOON, "lost": colours.LOST}),
    "power": Column(unit="watt"),
    "utilisation": Column(unit="percentunit", decimals=1, gauge=1),
    "temperature": Column(unit="celsius", decimals=0, thresholds=colours.heat()),
}
