"""Rates from what workers say of each ten seconds, right for short buckets and for workers that come and go."""

from __future__ import annotations

from dashboards.grafana.parts.sql import Sql

NEWEST = 20
"""Workers that a panel shows at most: those that spoke last."""

_COVERED = """greatest(
                    extract(epoch from sum(time - since)),
                    extract(epoch from least(bucket + '$__interval'::interval, $__timeTo()) - bucket) - 20
                )::float8"""
"""The seconds that a worker's share of a bucket is told of. A period counts to the bucket in which it ends, so short
buckets hold a period more or less than fits: there it is the sum of the periods. In a long bucket a worker may have
lived for a part only: there it is the bucket's length, less what a period at either end may lack."""


BUCKETS = (
    "generate_series(date_bin('$__interval', $__timeFrom()::timestamptz, '2000-01-03Z'), $__timeTo(), '$__interval')"
)
"""The beginnings of the buckets. Flows are read bucket by bucket: there are too many of them to be sorted."""


def rate_of_flows(column: str) -> Sql:
    """What is read a second, a series for each application and topic."""
    return Sql(
        """
        select bucket as time, concat_ws(' reads ', app, topic) as reader, sum(rate) as rate
        from {buckets} bucket cross join lateral (
            select app, topic, sum({column}::float8) / {covered} as rate
            from pipeline_flows
            where time >= bucket and time < bucket + '$__interval'::interval and $__timeFilter(time)
            group by worker, app, topic, partition
        ) by_partition
        group by bucket, app, topic order by bucket, app, topic
        """,
        buckets=BUCKETS,
        column=column,
        covered=_COVERED,
    )


def rate_of_workers(column: str) -> Sql:
    """What is done a second, a series for each of the newest workers."""
    return Sql(
        """
        with rates as (
            select bucket as time, worker, sum({column})::float8 / {covered} as rate
            from (
                select date_bin('$__interval', time, '2000-01-03Z') as bucket, time, since, worker, {column}
                from pipeline_workers where $__timeFilter(time)
            ) periods
            group by bucket, worker
        ), newest as (
            select worker from rates group by worker order by max(time) desc, worker limit {newest}
        )
        select time, worker, rate from rates join newest using (worker) order by time, worker
        """,
        column=column,
        covered=_COVERED,
        newest=str(NEWEST),
    )
