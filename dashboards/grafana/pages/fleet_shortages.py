"""What is short, since when, what would help, and how often does it happen?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from dashboards.grafana.parts import colours
from dashboards.grafana.parts.fields import Look, coloured, override
from dashboards.grafana.parts.held_shortages import missing_over_time
from dashboards.grafana.parts.layout import Heading, row
from dashboards.grafana.parts.links import to_page, to_site
from dashboards.grafana.parts.open_shortages import SINCE
from dashboards.grafana.parts.page import freshness, page
from dashboards.grafana.parts.panels import stat_panel, time_series
from dashboards.grafana.parts.sql import Sql
from dashboards.grafana.parts.tables import Column, table_panel
from dashboards.grafana.parts.timelines import shortage_timeline
from dashboards.grafana.parts.who_waits import pending_by_tenant, projects, tenants, what_binds_most

UID = "fleet-shortages"


def fleet_shortages() -> Dashboard:
    """The page of whoever has to do something about it."""
    return page(
        UID,
        "What is short, since when, what would help, and how often does it happen?",
        [
            row(
                4,
                _by_severity(),
                _missing_now(),
                _time_to_detect(),
                _time_to_clear(),
                freshness(),
                widths=(6, 7, 4, 4, 3),
            ),
            row(9, _open()),
            row(8, _missing_accelerators(), shortage_timeline(UID)),
            row(8, _missing_h100e(), _missing_power()),
            Heading("How often"),
            row(8, _opened_and_resolved(), what_binds_most(), widths=(14, 10)),
            Heading("Projects and tenants"),
            row(9, projects()),
            row(9, tenants(), pending_by_tenant()),
        ],
        since="now-6h",
    )


def _by_severity() -> Panel:
    return stat_panel(
        "Open shortages",
        "Shortages that are open now and touch the chosen sites, or no single site.",
        "none",
        Sql(
            """
            select count(*) filter (where severity = 'critical') as critical,
                count(*) filter (where severity = 'warning') as warning,
                count(*) filter (where severity = 'info') as info
            from shortages_now where {touches sites}
            """,
            table=True,
        ),
        Look(
            overrides=[
                override("byName", "critical", thresholds=colours.rising(None, 1)),
                override("byName", "warning", thresholds=colours.soon_from(1)),
            ],
            links=[to_page("fleet-overview")],
        ),
    )


def _missing_now() -> Panel:
    return stat_panel(
        "Missing now",
        "What projects wait for and could not have, at the chosen sites or anywhere; and the power that the chosen "
        "sites lack.",
        "locale",
        Sql(
            """
            select coalesce(sum(missing_accelerators) filter (where {waits}), 0)::bigint as accelerators,
                coalesce(sum(missing_h100e) filter (where {waits}), 0) as "in H100e",
                coalesce(sum(missing_watts) filter (where resource = 'power'), 0) as power
            from shortages_now where {touches sites}
            """,
            table=True,
            waits="scope_kind = 'project' and resource = 'accelerators'",
        ),
        Look(decimals=0, overrides=[override("byName", "power", unit="watt", decimals=2)]),
    )


def _time_to_detect() -> Panel:
    return _percentiles(
        "Time to detect",
        "Of shortages that opened in the range: from the instant from which they held to their opening. Rules that "
        "keep what is brief from being told are part of it.",
        "opened_at",
        "opened_at - since",
    )


def _time_to_clear() -> Panel:
    return _percentiles(
        "Time to clear",
        "Of shortages that were gone within the range: from the instant from which they held to the one from which "
        "they were gone.",
        "resolved_at",
        "resolved_at - since",
    )


def _percentiles(title: str, description: str, when: str, length: str) -> Panel:
    return stat_panel(
        title,
        description + " Half took no longer than the first figure, 95 of 100 no longer than the second.",
        "s",
        Sql(
            """
            select percentile_cont(0.5) within group (order by seconds) as half,
                percentile_cont(0.95) within group (order by seconds) as "95 of 100"
            from (
                select extract(epoch from {length})::float8 as seconds
                from shortages where $__timeFilter({when}) and {touches sites}
            ) episodes
            """,
            table=True,
            length=length,
            when=when,
        ),
        Look(no_value="none"),
    )


def _open() -> Panel:
    return table_panel(
        "What is short now",
        "The open shortages that touch the chosen sites, or no single site; the worst first, at most 100. What binds: "
        "the constraint that holds back most, with what must give way with it. One more: what one more unit of it "
        "would serve. The fleet's shortages tell once more what those of projects tell.",
        "locale",
        Sql(
            """
            select severity, concat_ws(' ', scope_kind, nullif(scope_name, scope_kind)) as "short is",
                concat_ws(' ', resource, nullif(array_to_string(resource_types, ' or '), '')) as "of what", since,
                missing_accelerators as missing, missing_h100e as "in H100e", missing_watts as power,
                concat_ws(' with ', replace(binding, '_', ' '), replace(
                    nullif(array_to_string(together_with, ' and '), ''), '_', ' ')) as "what binds",
                '+1 ' || case one_more_unit when 'megawatt' then 'MW' else replace(one_more_unit, '_', ' ') end
                    || ' serves ' || one_more_serves as "one more",
                replace(array_to_string(also, ', '), '_', ' ') as "also binds",
                case cardinality(binding_sites) when 1 then binding_sites[1] end as site,
                array_to_string(projects, ', ') as projects, summary
            from shortages_now where {touches sites}
            order by array_position(array['critical', 'warning', 'info'], severity), since, id limit 100
            """,
            table=True,
        ),
        {
            "severity": Column(words=colours.SEVERITY_WORDS, width=90),
            "short is": Column(width=150),
            "of what": Column(width=150),
            "since": SINCE,
            "missing": Column(width=80),
            "in H100e": Column(width=80, decimals=0),
            "power": Column(unit="watt", width=90),
            "what binds": Column(width=130),
            "one more": Column(width=160),
            "also binds": Column(width=130),
            "site": Column(width=110, links=[to_site()]),
            "projects": Column(width=130),
        },
        no_value="",
    )


_KINDS = "case resource when 'accelerators' then 'missing' when 'unplaced' then 'could run, not granted' {last} end"
_KIND_COLOURS = {"missing": colours.ACT, "could run, not granted": colours.SOON, "of no known state": colours.UNKNOWN}


def _missing_accelerators() -> Panel:
    return time_series(
        "Missing accelerators over time",
        "What projects waited for and could not have, what they could have had and were not granted, and accelerators "
        "of sites of which too much is unknown: the greatest within each bucket.",
        "locale",
        missing_over_time(
            _KINDS.replace("{last}", "when 'visibility' then 'of no known state'"), "missing_accelerators"
        ),
        look=Look(display_name="${__field.labels.what}", overrides=coloured(_KIND_COLOURS)),
        steps=True,
    )


def _missing_h100e() -> Panel:
    return time_series(
        "Missing over time, in H100e",
        "The same as so many H100, by dense BF16; what is not known is left out.",
        "locale",
        missing_over_time(_KINDS.replace("{last}", ""), "missing_h100e"),
        look=Look(display_name="${__field.labels.what}", overrides=coloured(_KIND_COLOURS)),
        steps=True,
    )


def _missing_power() -> Panel:
    return time_series(
        "Missing power over time",
        "What sites lacked in power, for what they drew or for what waited there for power alone; and what the "
        "accelerators that were missing would have drawn at work.",
        "watt",
        missing_over_time(
            "case resource when 'power' then 'lacking at sites' when 'accelerators' then 'for what is missing' end",
            "missing_watts",
        ),
        look=Look(
            display_name="${__field.labels.what}",
            overrides=coloured({"lacking at sites": colours.ACT, "for what is missing": colours.NEUTRAL}),
        ),
        steps=True,
    )


def _opened_and_resolved() -> Panel:
    return time_series(
        "Opened and resolved",
        "How many shortages opened and how many were gone, by hour; by day where the range is longer than three days.",
        "locale",
        Sql(
            """
            with span as (
                select $__timeFrom()::timestamptz as since, $__timeTo()::timestamptz as until
            ), width as (
                select case when until - since > interval '3 days' then interval '1 day' else interval '1 hour' end
                    as wide
                from span
            ), happened as (
                select opened_at as time, 1 as opened, 0 as resolved
                from shortages where $__timeFilter(opened_at) and {touches sites}
                union all
                select resolved_at, 0, 1
                from shortages where $__timeFilter(resolved_at) and {touches sites}
            ), counted as (
                select date_bin(wide, time, '2000-01-03Z') as begins, sum(opened) as opened, sum(resolved) as resolved
                from happened cross join width group by 1
            )
            select begins as time, coalesce(opened, 0)::bigint as opened, coalesce(resolved, 0)::bigint as resolved
            from span cross join width
            cross join lateral generate_series(date_bin(wide, since, '2000-01-03Z'), until, wide) begins
            left join counted using (begins)
            order by 1
            """
        ),
        look=Look(decimals=0, overrides=coloured({"opened": colours.ACT, "resolved": colours.GOOD})),
        bars=True,
    )
