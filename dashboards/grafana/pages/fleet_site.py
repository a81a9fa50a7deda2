"""How is this site: its power, its racks, its nodes?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from dashboards.grafana.parts import colours
from dashboards.grafana.parts.fields import Look, coloured, drawn_as, limit_line, limit_lines_of, override
from dashboards.grafana.parts.layout import Heading, row
from dashboards.grafana.parts.links import to_page
from dashboards.grafana.parts.open_shortages import open_at_sites
from dashboards.grafana.parts.page import freshness, page
from dashboards.grafana.parts.panels import stat_panel, time_series
from dashboards.grafana.parts.site_nodes import idle, most_power, racks, utilization_of_nodes
from dashboards.grafana.parts.sql import Sql
from dashboards.grafana.parts.tables import Column, table_panel
from dashboards.grafana.parts.timelines import shortage_timeline

UID = "fleet-site"


def fleet_site() -> Dashboard:
    """The page of one site, or of several together."""
    return page(
        UID,
        "How is this site: its power, its racks, its nodes? With several sites chosen, all of them together.",
        [
            row(
                4, _nodes(), _power(), _accelerators(), _energy(), _shortages(), freshness(), widths=(5, 4, 6, 3, 3, 3)
            ),
            row(9, _power_against_supply(), _node_states()),
            row(8, open_at_sites(UID), _types()),
            row(9, utilization_of_nodes(), racks()),
            Heading("Node by node"),
            row(10, most_power(), idle()),
            Heading("Over time"),
            row(8, _energy_over_time(), shortage_timeline(UID)),
        ],
        since="now-3h",
    )


def _nodes() -> Panel:
    return stat_panel(
        "Nodes",
        "Of the chosen sites, now. Not reporting: stale, lost, or expected and never seen. Failed: by their own word.",
        "locale",
        Sql(
            """
            select sum(nodes_reporting)::bigint as reporting,
                sum(nodes_stale + nodes_lost + nodes_never_seen)::bigint as "not reporting",
                sum(nodes_failed)::bigint as failed
            from sites_now where site = any({sites})
            """,
            table=True,
        ),
        Look(
            decimals=0,
            overrides=[
                override("byName", "not reporting", thresholds=colours.soon_from(1)),
                override("byName", "failed", thresholds=colours.rising(None, 1)),
            ],
        ),
    )


def _power() -> Panel:
    return stat_panel(
        "Power",
        "What the chosen sites draw now, cooling and losses included, and what is left of their supply. The headroom "
        "turns amber below 15 % and red below 5 %.",
        "watt",
        Sql(
            """
            select sum(facility_watts) as drawn, sum(headroom_watts) / nullif(sum(supply_watts), 0) as headroom
            from sites_now where site = any({sites})
            """,
            table=True,
        ),
        Look(
            overrides=[override("byName", "headroom", unit="percentunit", decimals=1, thresholds=colours.headroom())],
            least=None,
            no_value="unknown",
        ),
    )


def _accelerators() -> Panel:
    return stat_panel(
        "Accelerators",
        "Of the chosen sites, now. In service: in nodes that take work. Held idle: bound to work and not used by it.",
        "locale",
        Sql(
            """
            select sum(in_service)::bigint as "in service", sum(allocated)::bigint as allocated,
                sum(free)::bigint as free, sum(held_idle)::bigint as "held idle"
            from site_pools_now where site = any({sites})
            """,
            table=True,
        ),
        Look(decimals=0),
    )


def _energy() -> Panel:
    return stat_panel(
        "Energy",
        "What the nodes of the chosen sites have used in the range, cooling and losses not included.",
        "kwatth",
        Sql(
            """
            select sum(used) as energy from (
                select (max(energy_joules) - min(energy_joules)) / 3.6e6::float8 as used
                from {site by site} group by site
            ) by_site
            """,
            table=True,
        ),
        Look(decimals=1),
    )


def _shortages() -> Panel:
    return stat_panel(
        "Open shortages",
        "Shortages that are open now and touch the chosen sites, or no single site.",
        "none",
        Sql("select count(*) as open from shortages_now where {touches sites}", table=True),
        Look(thresholds=colours.rising(None, 1), links=[to_page("fleet-shortages")]),
    )


def _power_against_supply() -> Panel:
    return time_series(
        "Power against supply",
        "What each chosen site draws, cooling and losses included, and its supply, dashed. Of the twenty that draw "
        "most now.",
        "watt",
        Sql("select time, site, facility_watts as drawn from {largest sites} order by time", ref="A"),
        Sql("select time, site, supply_watts as supply from {largest sites} order by time", ref="B"),
        look=Look(
            overrides=[
                drawn_as("A", "${__field.labels.site}"),
                limit_lines_of("B", "${__field.labels.site}, supply"),
            ]
        ),
    )


def _node_states() -> Panel:
    return time_series(
        "Nodes by state",
        "Nodes that are not lost by their own word, those that are lost, and those expected and never seen. The dashed "
        "line is how many are stale: of the first four, those not heard lately.",
        "locale",
        Sql(
            """
            select time, sum(nodes_in_service) as "in service", sum(nodes_draining) as draining,
                sum(nodes_maintenance) as maintenance, sum(nodes_failed) as failed, sum(nodes_lost) as lost,
                sum(nodes_never_seen) as "never seen", sum(nodes_stale) as stale
            from {site by site} group by time order by time
            """
        ),
        look=Look(
            overrides=[
                *coloured({name: colour for name, colour in colours.NODE_COLOURS.items() if name != "stale"}),
                limit_line("stale", colours.SOON),
            ]
        ),
        stacked=True,
    )


def _types() -> Panel:
    return table_panel(
        "Accelerators by type",
        "Of the chosen sites, now; at most 50. Unknown: in nodes that are lost, or that do not say what is free.",
        "locale",
        Sql(
            """
            select site, type, installed, in_service as "in service", allocated, free, held_idle as "held idle",
                unknown, utilization as utilisation, h100e_free as "free, in H100e"
            from site_pools_now where site = any({sites}) order by installed desc, site, type limit 50
            """,
            table=True,
        ),
        {
            "site": Column(width=130),
            "type": Column(width=130),
            "utilisation": Column(unit="percentunit", decimals=1, gauge=1),
            "free, in H100e": Column(decimals=0),
        },
    )


def _energy_over_time() -> Panel:
    return time_series(
        "Energy since the beginning of the range",
        "What the nodes of each chosen site have used, cooling and losses not included; of the twenty sites that draw "
        "most now.",
        "kwatth",
        Sql(
            """
            select time, site,
                (energy_joules - first_value(energy_joules) over (partition by site order by time)) / 3.6e6::float8
                    as energy
            from {largest sites} order by time
            """
        ),
        look=Look(display_name="${__field.labels.site}"),
    )
