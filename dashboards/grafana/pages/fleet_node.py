"""How is this node, and each of its accelerators?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from dashboards.grafana.parts import colours
from dashboards.grafana.parts.fields import Look, Override, coloured, drawn_as, override
from dashboards.grafana.parts.layout import row
from dashboards.grafana.parts.links import to_site
from dashboards.grafana.parts.page import freshness, node_variable, page
from dashboards.grafana.parts.panels import SHORTEST_NODES, stat_panel, state_timeline, time_series
from dashboards.grafana.parts.sql import Sql
from dashboards.grafana.parts.tables import Column, table_panel

UID = "fleet-node"

_OF_NODE = (
    "$__timeFilter(time) and time > $__timeTo()::timestamptz - interval '12 hours'"
    " and site = {site of node} and node = '$node'"
)
"""Rows of `node_history`: of one node, and no more of them than a graph can show."""
_LAST_HOURS = "One by one for the last 12 hours of the range, where the node tells its accelerators apart"

_HEARING = {"reporting": colours.GOOD, "stale": colours.SOON, "lost": colours.LOST}
_STATES = {
    "in service": colours.GOOD,
    "draining": colours.WEAK,
    "maintenance": colours.ASIDE,
    "failed": colours.ACT,
}


def fleet_node() -> Dashboard:
    """The page of one node."""
    return page(
        UID,
        "How is this node, and each of its accelerators?",
        [
            row(4, _facts(), _heard(), _energy(), freshness(), widths=(15, 3, 3, 3)),
            row(8, _power(), _utilization()),
            row(8, _temperature(), _memory()),
            row(5, _states()),
            row(10, _changes()),
        ],
        variables=[node_variable()],
    )


def _facts() -> Panel:
    return table_panel(
        "The node",
        "What the node says of itself, by its newest word. Where the power is from: measured by the node, modelled "
        "from what it does, or carried on from when it was heard last.",
        "locale",
        Sql(
            """
            select site, rack, type, hearing, replace(state, '_', ' ') as state, installed, in_service as "in service",
                allocated, power_watts as power, power_source as "power is"
            from nodes_now where site = {site of node} and node = '$node'
            """,
            table=True,
        ),
        {
            "site": Column(links=[to_site()]),
            "hearing": Column(words=_HEARING),
            "state": Column(words=_STATES),
            "power": Column(unit="watt"),
        },
    )


def _heard() -> Panel:
    return stat_panel(
        "Last heard",
        "How long ago the node measured what it said last, by its own clock. From 30 s on it counts as stale or lost.",
        "s",
        Sql("select age_seconds as age from nodes_now where site = {site of node} and node = '$node'", table=True),
        Look(thresholds=colours.rising(30, 120), decimals=0, no_value="never"),
    )


def _energy() -> Panel:
    return stat_panel(
        "Energy",
        "What the node has used in the range, to within the length of a bucket; cooling and losses not included.",
        "kwatth",
        Sql("select (max(energy_joules) - min(energy_joules)) / 3.6e6::float8 as energy from {node}", table=True),
        Look(decimals=1, no_value="unknown"),
    )


def _power() -> Panel:
    return time_series(
        "Power",
        "What the node draws, and what of it its accelerators draw, together, where it tells. The accelerators for "
        "the last 12 hours of the range.",
        "watt",
        Sql('select time, power_watts as "the node" from {node} order by time', ref="A"),
        Sql(
            """
            select date_bin('$__interval', time, '2000-01-03Z') as time, avg(watts) as "its accelerators"
            from node_history
            cross join lateral (select sum(value)::float8 as watts from unnest(accelerator_power_watts) value) told
            where {of_node} and watts is not null
            group by 1 order by 1
            """,
            ref="B",
            of_node=_OF_NODE,
        ),
        look=Look(overrides=coloured({"the node": colours.NEUTRAL, "its accelerators": colours.WEAK})),
        shortest=SHORTEST_NODES,
    )


def _utilization() -> Panel:
    return time_series(
        "Utilisation by accelerator",
        f"{_LAST_HOURS}; and what the node says of itself as a whole.",
        "percentunit",
        _of_the_node("utilization"),
        _by_accelerator("accelerator_utilization"),
        look=Look(most=1, overrides=_NAMED),
        shortest=SHORTEST_NODES,
    )


def _temperature() -> Panel:
    return time_series(
        "Temperature by accelerator",
        f"{_LAST_HOURS}; and what the node says of itself as a whole. Amber from 80 degrees on, red from 85 on: "
        "that is where accelerators slow down.",
        "celsius",
        _of_the_node("temperature_celsius"),
        _by_accelerator("accelerator_temperature_celsius"),
        look=Look(thresholds=colours.heat(), least=20, overrides=_NAMED),
        shortest=SHORTEST_NODES,
    )


def _memory() -> Panel:
    return time_series(
        "Memory used by accelerator",
        f"{_LAST_HOURS}; where it does not, of all of them together.",
        "bytes",
        Sql(
            """
            select time, memory_used_bytes as "all together" from {node}
            where not exists (
                select from nodes_now
                where site = {site of node} and node = '$node' and accelerator_memory_used_bytes is not null
            )
            order by time
            """,
            ref="A",
        ),
        _by_accelerator("accelerator_memory_used_bytes"),
        look=Look(overrides=[drawn_as("B", "${__field.labels.accelerator}")]),
        shortest=SHORTEST_NODES,
    )


def _of_the_node(column: str) -> Sql:
    return Sql('select time, {column} as "the node" from {node} order by time', ref="A", column=column)


def _by_accelerator(column: str) -> Sql:
    """A series for each, numbered from 0 as the node lists them."""
    return Sql(
        """
        select date_bin('$__interval', time, '2000-01-03Z') as time, (number - 1)::text as accelerator,
            avg(value)::float8 as value
        from node_history cross join lateral unnest({column}) with ordinality told (value, number)
        where {of_node} and value is not null
        group by 1, number order by 1, number
        """,
        ref="B",
        of_node=_OF_NODE,
        column=column,
    )


_NAMED: tuple[Override, ...] = (
    drawn_as("B", "${__field.labels.accelerator}"),
    override("byName", "the node", color=colours.fixed(colours.NEUTRAL), custom__lineWidth=2),
)


_CODES = {
    "1": ("reporting", colours.GOOD),
    "2": ("stale", colours.SOON),
    "3": ("lost", colours.LOST),
    "11": ("in service", colours.GOOD),
    "12": ("draining", colours.WEAK),
    "13": ("maintenance", colours.ASIDE),
    "14": ("failed", colours.ACT),
}


def _states() -> Panel:
    return state_timeline(
        "Heard, and in which state",
        "Whether the node was heard, and whether it takes work by its own word. Of a stretch that the graph shows as "
        "one, the worst.",
        Sql(
            """
            select time,
                case when lost > 0 then 3 when stale > 0 then 2 when reporting > 0 then 1 end as hearing,
                case when failed > 0 then 14 when maintenance > 0 then 13 when draining > 0 then 12
                    when in_service > 0 then 11 end as state
            from {node} order by time
            """
        ),
        Look(mappings=colours.words(_CODES), least=None),
        shortest=SHORTEST_NODES,
    )


def _changes() -> Panel:
    return table_panel(
        "Last changes",
        "When the node was no longer heard or was heard again, said that it is in another state, or had more or fewer "
        "accelerators in service: in the last 12 hours of the range, the newest first, at most 50.",
        "locale",
        Sql(
            """
            select time, hearing, hearing_before as "hearing before", state, state_before as "state before",
                in_service as "in service", in_service_before as "in service before", heard_at as "heard last"
            from (
                select time, hearing, replace(state, '_', ' ') as state, in_service, heard_at,
                    concat_ws(' ', hearing, state, in_service) as all_of_it,
                    lag(hearing) over w as hearing_before, lag(replace(state, '_', ' ')) over w as state_before,
                    lag(in_service) over w as in_service_before,
                    lag(concat_ws(' ', hearing, state, in_service)) over w as all_of_it_before
                from node_history
                where {of_node}
                window w as (order by time)
            ) samples
            where all_of_it <> all_of_it_before
            order by time desc limit 50
            """,
            table=True,
            of_node=_OF_NODE,
        ),
        {
            "time": Column(unit="dateTimeAsIso", width=170),
            "hearing": Column(words=_HEARING),
            "hearing before": Column(words=_HEARING),
            "state": Column(words=_STATES),
            "state before": Column(words=_STATES),
            "heard last": Column(unit="dateTimeAsIso", width=170),
        },
        no_value="",
    )
