"""Is anything short, and how close is the fleet to its limits?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from dashboards.grafana.parts import colours
from dashboards.grafana.parts.fields import Look, coloured, drawn_as, limit_line, limit_lines_of, override
from dashboards.grafana.parts.layout import Heading, row
from dashboards.grafana.parts.links import LABELLED_SITE, to_page, to_site
from dashboards.grafana.parts.page import freshness, page
from dashboards.grafana.parts.panels import stat_panel, time_series
from dashboards.grafana.parts.sql import Sql
from dashboards.grafana.parts.tables import Column, table_panel
from dashboards.grafana.parts.timelines import shortage_timeline

UID = "fleet-overview"


def fleet_overview() -> Dashboard:
    """The page that hangs on the wall."""
    return page(
        UID,
        "Is anything short, and how close is the fleet to its limits?",
        [
            row(
                4,
                _open_shortages(),
                _accelerators(),
                _power(),
                _utilization(),
                _oldest_site(),
                freshness(),
                widths=(3, 8, 4, 3, 3, 3),
            ),
            row(8, _power_against_supply(), shortage_timeline(UID)),
            row(10, _sites()),
            Heading("By accelerator type"),
            row(9, _types(), _accelerators_over_time()),
            Heading("Site by site"),
            row(9, _power_by_site(), _utilization_by_site()),
        ],
        since="now-6h",
    )


def _open_shortages() -> Panel:
    return stat_panel(
        "Open shortages",
        "Shortages that are open now, of the fleet, of sites and of projects. The link has what binds each.",
        "none",
        Sql("select count(*) as open from shortages_now", table=True),
        Look(thresholds=colours.rising(None, 1), links=[to_page("fleet-shortages")]),
    )


def _accelerators() -> Panel:
    return stat_panel(
        "Accelerators",
        "Of all sites, now. In service: in nodes that take work. Held idle: bound to work and not used by it. Free, in "
        "H100e: what is free as so many H100, by dense BF16.",
        "locale",
        Sql(
            """
            select in_service as "in service", allocated, free,
                (select sum(held_idle)::bigint from fleet_pools_now) as "held idle", h100e_free as "free, in H100e"
            from fleet_now
            """,
            table=True,
        ),
        Look(decimals=0),
    )


def _power() -> Panel:
    return stat_panel(
        "Power",
        "What all sites draw now, cooling and losses included, and what is left of their supply. The headroom turns "
        "amber below 15 % and red below 5 %.",
        "watt",
        Sql(
            """
            select facility_watts as drawn, headroom_watts / nullif(supply_watts, 0) as headroom from fleet_now
            """,
            table=True,
        ),
        Look(
            overrides=[override("byName", "headroom", unit="percentunit", decimals=1, thresholds=colours.headroom())],
            least=None,
            no_value="unknown",
        ),
    )


def _utilization() -> Panel:
    return stat_panel(
        "Mean utilisation",
        "Over the accelerators that say how busy they are.",
        "percentunit",
        Sql("select time, utilization from {fleet} order by time"),
        Look(decimals=1, no_value="unknown"),
    )


def _oldest_site() -> Panel:
    return stat_panel(
        "Oldest site",
        "How long ago the site was heard that has been silent longest. From 30 s on its nodes count as stale or lost.",
        "s",
        Sql(
            "select extract(epoch from now() - min(coalesce(newest_reading, time)))::float8 as age from sites_now",
            table=True,
        ),
        Look(thresholds=colours.rising(30, 120), decimals=0),
    )


def _power_against_supply() -> Panel:
    return time_series(
        "Power against supply",
        "What all sites draw, cooling and losses included, what of it accelerators and their hosts draw, and what the "
        "sites are supplied with.",
        "watt",
        Sql(
            """
            select time, facility_watts as "drawn", it_watts as "by nodes", supply_watts as "supply"
            from {fleet} order by time
            """
        ),
        look=Look(overrides=[*coloured({"drawn": colours.NEUTRAL, "by nodes": colours.WEAK}), limit_line("supply")]),
    )


def _sites() -> Panel:
    return table_panel(
        "Sites",
        "The newest state of each chosen site, the one with the least headroom first; at most 200.",
        "locale",
        Sql(
            """
            select site, presence, extract(epoch from now() - coalesce(newest_reading, time))::float8 as heard,
                nodes_reporting as "nodes reporting", nodes_stale + nodes_lost + nodes_never_seen as "not reporting",
                facility_watts as power, supply_watts as supply, headroom_watts / nullif(supply_watts, 0) as headroom,
                utilization as utilisation, in_service as "in service", allocated, free, unknown,
                h100e_free as "free, in H100e", open_shortages as shortages
            from sites_now where site = any({sites})
            order by headroom, site limit 200
            """,
            table=True,
        ),
        {
            "site": Column(links=[to_site()], width=180),
            "presence": Column(words={"present": colours.GOOD, "away": colours.ACT, "never_seen": colours.UNKNOWN}),
            "heard": Column(unit="s", decimals=0, thresholds=colours.rising(30, 120)),
            "not reporting": Column(thresholds=colours.soon_from(1)),
            "power": Column(unit="watt"),
            "supply": Column(unit="watt"),
            "headroom": Column(unit="percentunit", decimals=1, thresholds=colours.headroom()),
            "utilisation": Column(unit="percentunit", decimals=1, gauge=1),
            "free, in H100e": Column(decimals=0),
            "shortages": Column(thresholds=colours.rising(None, 1)),
        },
    )


def _types() -> Panel:
    return table_panel(
        "Accelerators by type",
        "Of all sites, now. Held idle: bound to work and not used by it. Unknown: in nodes that are lost, away or "
        "never seen, or that do not say what is free.",
        "locale",
        Sql(
            """
            select type, installed, in_service as "in service", allocated, free, held_idle as "held idle", unknown,
                utilization as utilisation, h100e_in_service as "H100e", h100e_free as "free, in H100e"
            from fleet_pools_now order by installed desc, type limit 50
            """,
            table=True,
        ),
        {
            "type": Column(width=140),
            "utilisation": Column(unit="percentunit", decimals=1, gauge=1),
            "H100e": Column(decimals=0),
            "free, in H100e": Column(decimals=0),
        },
    )


def _accelerators_over_time() -> Panel:
    return time_series(
        "Accelerators over time",
        "Those in service, split into what is allocated and what is free, and those of which nobody knows. The dashed "
        "line is what is installed.",
        "locale",
        Sql("select time, allocated, free, unknown, installed from {fleet} order by time"),
        stacked=True,
        look=Look(
            overrides=[
                *coloured({"allocated": colours.NEUTRAL, "free": colours.GOOD, "unknown": colours.UNKNOWN}),
                limit_line("installed"),
            ]
        ),
    )


def _power_by_site() -> Panel:
    return time_series(
        "Power by site",
        "What each chosen site draws, cooling and losses included; its supply is dashed. Of the twenty that draw "
        "most now.",
        "watt",
        Sql("select time, site, facility_watts as drawn from {largest sites} order by time", ref="A"),
        Sql("select time, site, supply_watts as supply from {largest sites} order by time", ref="B"),
        look=Look(
            overrides=[
                drawn_as("A", "${__field.labels.site}"),
                limit_lines_of("B", "${__field.labels.site}, supply"),
            ],
            links=[to_site(LABELLED_SITE)],
        ),
    )


def _utilization_by_site() -> Panel:
    return time_series(
        "Utilisation by site",
        "The mean over the accelerators of each chosen site that say how busy they are; of the twenty sites that "
        "draw most now.",
        "percentunit",
        Sql("select time, site, utilization as utilisation from {largest sites} order by time"),
        look=Look(most=1, display_name="${__field.labels.site}", links=[to_site(LABELLED_SITE)]),
    )
