"""What all pages share: variables, shortages as shaded regions, links, time, and how old the data is."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.models.dashboard import (
    AnnotationContainer,
    AnnotationQuery,
    Dashboard,
    DashboardCursorSync,
    DashboardDashboardTemplating,
    DashboardDashboardTime,
    Panel,
    TimePickerConfig,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
    VariableType,
)

from dashboards.grafana.parts import colours
from dashboards.grafana.parts.fields import Look
from dashboards.grafana.parts.layout import Band, Heading, laid_out
from dashboards.grafana.parts.links import links_from
from dashboards.grafana.parts.panels import stat_panel
from dashboards.grafana.parts.sql import SOURCE, Sql, spelled_out
from dashboards.grafana.source import AGE, PAGES, TAG


def page(
    uid: str,
    description: str,
    parts: Sequence[Band | Heading],
    *,
    variables: Sequence[VariableModel] = (),
    since: str = "now-1h",
) -> Dashboard:
    """A dashboard.

    Args:
        uid: One of `PAGES`, which has its title.
        description: The question that it answers.
        parts: From the top down.
        variables: Beside the chosen sites, which every page has.
        since: What range it opens with.
    """
    return Dashboard(
        uid=uid,
        title=PAGES[uid],
        description=description,
        tags=[TAG],
        timezone="utc",
        editable=True,
        graph_tooltip=DashboardCursorSync.CROSSHAIR,
        time=DashboardDashboardTime(from_val=since, to="now"),
        timepicker=TimePickerConfig(refresh_intervals=["5s", "10s", "30s", "1m", "5m", "15m", "1h"]),
        refresh="10s",
        panels=laid_out(parts),
        templating=DashboardDashboardTemplating(list_val=[sites_variable(), *variables]),
        annotations=AnnotationContainer(list_val=[shortages_shaded()]),
        links=links_from(uid),
    )


def sites_variable() -> VariableModel:
    """The chosen sites: all of them, unless some are picked."""
    return _variable(
        "site",
        "Site",
        "Sites that what is told by site is told of; what is told of the fleet is of all of them.",
        "select site from sites_now order by site limit 1000",
        several=True,
    )


def node_variable() -> VariableModel:
    """The chosen node, of those at the chosen sites."""
    return _variable(
        "node",
        "Node",
        "A node of the chosen sites; where several sites have one of that name, choose the site too.",
        "select distinct node from nodes_now where site = any({sites}) order by node limit 10000",
        several=False,
    )


def shortages_shaded() -> AnnotationQuery:
    """Shortages as regions from their opening to their resolution, or to the end of the range."""
    return AnnotationQuery(
        name="Shortages",
        datasource=SOURCE,
        enable=True,
        icon_color=colours.ACT,
        target=Sql(
            """
            select opened_at as time, coalesce(resolved_at, $__timeTo()) as timeend, summary as text,
                concat_ws(',', severity, resource, scope_name) as tags
            from shortages
            where {in range} and {touches sites}
            order by opened_at desc limit 200
            """,
            table=True,
            ref="Shortages",
        ),
    )


def freshness() -> Panel:
    """How old the newest state of the fleet is: whatever else a page shows is at least as old."""
    return stat_panel(
        AGE,
        "From the newest tick of the fleet in the database to now. Over 30 s the workers are behind or away; over two "
        "minutes nothing on this page is to be trusted.",
        "s",
        Sql("select extract(epoch from now() - time)::float8 as age from fleet_now", table=True),
        Look(thresholds=colours.rising(30, 120), decimals=0),
    )


def _variable(name: str, label: str, description: str, query: str, *, several: bool) -> VariableModel:
    everything = VariableOption(selected=True, text=["All"], value=["$__all"])
    return VariableModel(
        type_val=VariableType.QUERY,
        name=name,
        label=label,
        description=description,
        datasource=SOURCE,
        query=spelled_out(query),
        definition=spelled_out(query),
        refresh=VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=VariableSort.DISABLED,
        multi=several,
        include_all=several,
        allow_custom_value=False,
        current=everything if several else None,
        options=[],
    )
