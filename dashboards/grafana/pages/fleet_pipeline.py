"""Do readings come in, are they taken, and how old are they when they can be seen?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from dashboards.grafana.parts import colours
from dashboards.grafana.parts.fields import Look, coloured
from dashboards.grafana.parts.layout import Heading, row
from dashboards.grafana.parts.links import to_site
from dashboards.grafana.parts.page import freshness, page
from dashboards.grafana.parts.panels import stat_panel, time_series
from dashboards.grafana.parts.reading_rates import readings_a_second, readings_by_site, shares_of_readings
from dashboards.grafana.parts.sql import Sql
from dashboards.grafana.parts.tables import Column, table_panel
from dashboards.grafana.parts.workers import (
    SHORTEST,
    bytes_read,
    lag_by_partition,
    memory,
    processor_time,
    records_read,
    rows_written,
    the_workers,
)

UID = "fleet-pipeline"
_LATE, _TOO_LATE = 3, 10
"""Seconds: a delay from the first on should be looked at, from the second on acted upon."""


def fleet_pipeline() -> Dashboard:
    """The page of whoever runs the twin."""
    return page(
        UID,
        "Do readings come in, are they taken, and how old are they when they can be seen?",
        [
            row(4, _readings_now(), _behind(), _delay_now(), _refused_now(), freshness(), widths=(6, 5, 5, 5, 3)),
            row(8, _readings(), _shares()),
            row(
                8,
                _delay(
                    "site_state",
                    "Tick to state sent",
                    "From the end of a tick to the site's state leaving the twin, the grace for late readings included",
                ),
                _delay(
                    "site_row", "Tick to site row", "From the end of a tick to the site's row being in the database"
                ),
                _delay(
                    "node_row", "Tick to node rows", "From the tick of a node frame to its rows being in the database"
                ),
                _delay(
                    "shortage_row",
                    "Tick to shortage row",
                    "From the tick of a shortage event to its row being in the database",
                ),
            ),
            row(10, _letters()),
            Heading("What is refused, late or told twice"),
            row(8, _refused(), _intake()),
            Heading("Kafka"),
            row(8, records_read(), bytes_read(), lag_by_partition()),
            Heading("Workers"),
            row(8, rows_written(), processor_time(), memory()),
            row(7, the_workers()),
        ],
    )


def _readings_now() -> Panel:
    return stat_panel(
        "Readings",
        "How many readings a second the chosen sites take in, late and repeated ones included.",
        "cps",
        readings_a_second(),
        Look(decimals=0),
    )


def _behind() -> Panel:
    return stat_panel(
        "Records behind",
        "What the workers had still to read at the end of the range, over all topics; partitions of which the end is "
        "not known yet are left out.",
        "locale",
        Sql(
            """
            select sum(lag)::bigint as behind from (
                select distinct on (app, topic, partition) lag from pipeline_flows
                where $__timeFilter(time) and time > $__timeTo()::timestamptz - interval '1 minute'
                order by app, topic, partition, time desc
            ) newest
            """,
            table=True,
        ),
        Look(thresholds=colours.rising(10_000, 100_000), no_value="unknown"),
    )


def _delay_now() -> Panel:
    return stat_panel(
        "From tick to",
        "In the last minute of the range, how long 95 of 100 took at most, by the slowest worker: from the end of a "
        "tick to the site's state leaving the twin, and to its row being in the database.",
        "s",
        Sql(
            """
            select max(p95_seconds) filter (where stage = 'site_state') as "state sent",
                max(p95_seconds) filter (where stage = 'site_row') as "row written"
            from pipeline_delays
            where $__timeFilter(time) and time > $__timeTo()::timestamptz - interval '1 minute'
            """,
            table=True,
        ),
        Look(thresholds=colours.rising(_LATE, _TOO_LATE), decimals=2, no_value="unknown"),
    )


def _refused_now() -> Panel:
    return stat_panel(
        "Refused",
        "What was turned away in the range: readings and other rows, and the records that they came in. Each record "
        "has a dead letter.",
        "locale",
        Sql(
            """
            select coalesce(sum(rows_refused), 0)::bigint as rows, count(*) as letters
            from dead_letters where $__timeFilter(time)
            """,
            table=True,
        ),
        Look(thresholds=colours.soon_from(1)),
    )


def _readings() -> Panel:
    return time_series(
        "Readings by site",
        "How many readings a second each chosen site takes in; the twenty from which most come, and all others "
        "together.",
        "cps",
        readings_by_site(),
        look=Look(display_name="${__field.labels.called}"),
        stacked=True,
    )


def _shares() -> Panel:
    return time_series(
        "Late and refused",
        "Of the readings of the chosen sites, the share that came after their tick had closed and counts from the next "
        "one on, and the share that was turned away.",
        "percentunit",
        shares_of_readings(),
        look=Look(overrides=coloured({"late": colours.SOON, "refused": colours.ACT})),
    )


def _delay(stage: str, title: str, what: str) -> Panel:
    return time_series(
        title,
        f"{what}. Half, 95 and 99 of 100 took no longer; of several workers and periods of ten seconds the mean, "
        "weighted by how much was done.",
        "s",
        Sql(
            """
            select date_bin('$__interval', time, '2000-01-03Z') as time,
                sum(p50_seconds * count) / sum(count) as p50, sum(p95_seconds * count) / sum(count) as p95,
                sum(p99_seconds * count) / sum(count) as p99
            from pipeline_delays where $__timeFilter(time) and stage = '{stage}' and count > 0
            group by 1 order by 1
            """,
            stage=stage,
        ),
        look=Look(overrides=coloured({"p50": colours.NEUTRAL, "p95": colours.WEAK, "p99": colours.SOON})),
        shortest=SHORTEST,
    )


def _letters() -> Panel:
    return table_panel(
        "Dead letters",
        "The last 20 of the range: what was refused, why, and where it lies in Kafka. A letter that was written again "
        "after a crash is there twice.",
        "locale",
        Sql(
            """
            select time, code as reason, detail, source_topic as topic,
                source_partition as partition, source_offset as "offset", key, rows_refused as rows, bytes
            from dead_letters where $__timeFilter(time) order by time desc, topic, letter_offset desc limit 20
            """,
            table=True,
        ),
        {
            "time": Column(unit="dateTimeAsIso", width=170),
            "reason": Column(width=150),
            "topic": Column(width=170),
            "partition": Column(width=80, unit="none"),
            "offset": Column(width=110, unit="none"),
            "key": Column(width=130),
            "rows": Column(width=70),
            "bytes": Column(width=90, unit="bytes"),
        },
        no_value="",
    )


def _refused() -> Panel:
    return time_series(
        "Refused by reason",
        "How many readings and other rows were turned away, by why; the ten reasons that turned away most. Of several "
        "rows of one record, the reason is that of the first.",
        "locale",
        Sql(
            """
            with refused as (
                select date_bin('$__interval', time, '2000-01-03Z') as time, code, sum(rows_refused)::bigint as rows
                from dead_letters where $__timeFilter(time) group by 1, 2
            ), most as (
                select code from refused group by code order by sum(rows) desc, code limit 10
            )
            select time, code, rows from refused join most using (code) order by time, code
            """
        ),
        look=Look(decimals=0, display_name="${__field.labels.code}"),
        stacked=True,
        bars=True,
        shortest="60s",
    )


def _intake() -> Panel:
    return table_panel(
        "What became of readings",
        "Of each chosen site, since its first reading; at most 100. Late: after their tick had closed. Told twice: of "
        "the same node, time and number as one before. Overtaken: older than what the node had already said.",
        "percentunit",
        Sql(
            """
            select site, readings_observed as "taken in", readings_late / nullif(readings_observed, 0)::float8 as late,
                readings_duplicate / nullif(readings_observed, 0)::float8 as "told twice",
                readings_superseded / nullif(readings_observed, 0)::float8 as overtaken,
                readings_refused / nullif(readings_observed + readings_refused, 0)::float8 as refused
            from sites_now where site = any({sites})
            order by refused desc nulls last, late desc nulls last, site limit 100
            """,
            table=True,
        ),
        {
            "site": Column(width=180, links=[to_site()]),
            "taken in": Column(unit="locale"),
            "refused": Column(thresholds=colours.soon_from(0.001)),
        },
    )
