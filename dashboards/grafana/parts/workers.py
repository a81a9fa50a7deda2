"""What workers say of themselves: what they read, how far behind they are, what they write and use."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Panel

from dashboards.grafana.parts import colours
from dashboards.grafana.parts.fields import Look
from dashboards.grafana.parts.panels import time_series
from dashboards.grafana.parts.sql import Sql
from dashboards.grafana.parts.tables import Column, table_panel
from dashboards.grafana.parts.worker_rates import BUCKETS, NEWEST, rate_of_flows, rate_of_workers

SHORTEST = "20s"
"""Workers speak every ten seconds: no bucket is without a word of each."""


def records_read() -> Panel:
    """By application and topic."""
    return time_series(
        "Records read",
        "How many records a second each application reads of each topic; a record may be a frame of many readings.",
        "cps",
        rate_of_flows("records"),
        look=Look(display_name="${__field.labels.reader}"),
        shortest=SHORTEST,
    )


def bytes_read() -> Panel:
    """By application and topic."""
    return time_series(
        "Bytes read",
        "How many bytes of values a second each application reads of each topic.",
        "Bps",
        rate_of_flows("bytes"),
        look=Look(display_name="${__field.labels.reader}"),
        shortest=SHORTEST,
    )


def lag_by_partition() -> Panel:
    """How far behind the applications are."""
    return time_series(
        "Lag by partition",
        "Records that an application has still to read of a partition: the most within each bucket, of the twenty "
        "partitions with the greatest.",
        "locale",
        Sql(
            """
            with lags as (
                select bucket as time, app, topic, partition, lag
                from {buckets} bucket cross join lateral (
                    select app, topic, partition, max(lag) as lag from pipeline_flows
                    where time >= bucket and time < bucket + '$__interval'::interval and $__timeFilter(time)
                        and lag is not null
                    group by app, topic, partition
                ) of_bucket
            ), most as (
                select app, topic, partition from lags group by app, topic, partition
                order by max(lag) desc, app, topic, partition limit 20
            )
            select time, app || ' of ' || topic || '/' || partition as reader, lag
            from lags join most using (app, topic, partition) order by time, app, topic, partition
            """,
            buckets=BUCKETS,
        ),
        look=Look(display_name="${__field.labels.reader}"),
        shortest=SHORTEST,
    )


def rows_written() -> Panel:
    """To the database."""
    return time_series(
        "Rows written",
        f"How many rows a second workers write to the database; at most the {NEWEST} workers that spoke last.",
        "cps",
        rate_of_workers("rows_written"),
        look=Look(display_name="${__field.labels.worker}"),
        shortest=SHORTEST,
    )


def processor_time() -> Panel:
    """In cores."""
    return time_series(
        "Processor time",
        f"What part of a core each worker uses; at most the {NEWEST} workers that spoke last. A worker at 100 % cannot "
        "take more, for it is one process.",
        "percentunit",
        rate_of_workers("cpu_seconds"),
        look=Look(display_name="${__field.labels.worker}"),
        shortest=SHORTEST,
    )


def memory() -> Panel:
    """Resident."""
    return time_series(
        "Memory",
        f"What each worker has resident, the most within each bucket; at most the {NEWEST} workers that spoke last.",
        "bytes",
        Sql(
            """
            with memory as (
                select date_bin('$__interval', time, '2000-01-03Z') as time, worker, max(resident_bytes) as resident
                from pipeline_workers where $__timeFilter(time) group by 1, 2
            ), newest as (
                select worker from memory group by worker order by max(time) desc, worker limit {newest}
            )
            select time, worker, resident from memory join newest using (worker) order by time, worker
            """,
            newest=str(NEWEST),
        ),
        look=Look(display_name="${__field.labels.worker}"),
        shortest=SHORTEST,
    )


def the_workers() -> Panel:
    """One row each."""
    return table_panel(
        "The workers",
        "Those that spoke in the last ten minutes of the range, and what they said last of ten seconds; at most 100. "
        "One that has not spoken for a minute is gone.",
        "locale",
        Sql(
            """
            select worker, app, extract(epoch from now() - time)::float8 as heard,
                rows_written / nullif(extract(epoch from time - since), 0)::float8 as "rows a second",
                cpu_seconds / nullif(extract(epoch from time - since), 0)::float8 as processor,
                resident_bytes as memory,
                (select sum(lag) from pipeline_flows flow where flow.time = newest.time and flow.worker = newest.worker
                    )::bigint as behind
            from (
                select distinct on (worker) worker, app, time, since, rows_written, cpu_seconds, resident_bytes
                from pipeline_workers
                where $__timeFilter(time) and time > $__timeTo()::timestamptz - interval '10 minutes'
                order by worker, time desc
            ) newest
            order by app, worker limit 100
            """,
            table=True,
        ),
        {
            "worker": Column(width=300),
            "heard": Column(unit="s", decimals=0, thresholds=colours.rising(30, 60)),
            "rows a second": Column(unit="cps", decimals=0),
            "processor": Column(unit="percentunit", decimals=0, gauge=1),
            "memory": Column(unit="bytes"),
        },
    )
