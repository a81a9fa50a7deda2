"""What came in and what became of it, from the counters of the chosen sites."""

from __future__ import annotations

from dashboards.grafana.parts.sql import Sql

_CAME = """with counted as (
        select time, site, extract(epoch from time - lag(time) over w)::float8 as seconds,
            greatest(readings_observed - lag(readings_observed) over w, 0) as observed,
            greatest(readings_late - lag(readings_late) over w, 0) as late,
            greatest(readings_refused - lag(readings_refused) over w, 0) as refused
        from {site by site}
        window w as (partition by site order by time)
    ), came as (
        select time, site, seconds, observed, late, refused from counted
        where seconds > 0 and time + make_interval(secs => seconds) <= (select time from fleet_now)
    )"""
"""By bucket, from the second one on; without the last, which is not over and would look like a fall."""


def readings_a_second() -> Sql:
    """Of all chosen sites together."""
    return Sql(
        """
        {counted}
        select time, sum(observed / seconds) as readings from came group by time order by time
        """,
        counted=_CAME,
    )


def readings_by_site() -> Sql:
    """A second, of the twenty sites from which most come, and of all others together."""
    return Sql(
        """
        {counted}, most as (
            select site, site as called from came group by site order by sum(observed) desc, site limit 20
        )
        select time, coalesce(called, 'others') as called, sum(observed / seconds) as readings
        from came left join most using (site)
        group by 1, 2 order by 1, 2
        """,
        counted=_CAME,
    )


def shares_of_readings() -> Sql:
    """Late and refused ones, of those that came."""
    return Sql(
        """
        {counted}
        select time, sum(late)::float8 / nullif(sum(observed), 0) as late,
            sum(refused)::float8 / nullif(sum(observed + refused), 0) as refused
        from came group by time order by time
        """,
        counted=_CAME,
    )
