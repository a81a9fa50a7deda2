"""Who waits, and for what: constraints, projects and tenants by what they wait for."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Panel

from dashboards.grafana.parts import colours
from dashboards.grafana.parts.fields import Look, limit_line, override
from dashboards.grafana.parts.held_shortages import by_project, hours_behind_constraints
from dashboards.grafana.parts.panels import bar_gauge, time_series
from dashboards.grafana.parts.sql import Sql
from dashboards.grafana.parts.tables import Column, table_panel


def what_binds_most() -> Panel:
    """Over the range."""
    return bar_gauge(
        "What binds most",
        "Accelerator-hours of the range that projects waited behind each constraint, this one alone or among others: "
        "what waits for either of two counts for both.",
        "suffix:accelerator-hours",
        hours_behind_constraints(),
        Look(decimals=1, thresholds=colours.neutral(), no_value="nothing waited"),
    )


def projects() -> Panel:
    """Over the range."""
    return table_panel(
        "Projects",
        "Those with shortages in the range that touch the chosen sites, or no single site; at most 50. Episodes: "
        "shortages that were open at some time of the range. Not granted: what could have been had and was not.",
        "locale",
        by_project(),
        {
            "project": Column(width=220),
            "open": Column(thresholds=colours.rising(None, 1)),
            "accelerator-hours missing": Column(decimals=1),
            "H100e-hours missing": Column(decimals=1),
            "accelerator-hours not granted": Column(decimals=1),
        },
    )


def tenants() -> Panel:
    """Now."""
    return table_panel(
        "Tenants",
        "In accelerators, of the whole fleet, now; those that starve most first, at most 50. Starved: pending, and "
        "within what the tenant deserves. Borrowing: granted beyond that. Servable: pending, and could be had now.",
        "locale",
        Sql(
            """
            select tenant, deserved, limited_to as "limited to", wanted, granted, pending, servable, starved, borrowing
            from tenants_now order by starved desc nulls last, pending desc, tenant limit 50
            """,
            table=True,
        ),
        {
            "tenant": Column(width=180),
            "starved": Column(thresholds=colours.soon_from(1)),
        },
    )


def pending_by_tenant() -> Panel:
    """Those that wait for most."""
    return time_series(
        "Pending by tenant",
        "The accelerators that tenants wait for, of the eight that waited for most in the range; dashed, what of them "
        "is within what the tenant deserves.",
        "locale",
        Sql(
            """
            select time, tenant, pending, starved from (
                select time, tenant, pending, starved, dense_rank() over (order by waited desc, tenant) as place from (
                    select time, tenant, pending, starved, sum(pending) over (partition by tenant) as waited
                    from {tenants}
                ) all_of_them
            ) ranked where place <= 8 order by time, tenant
            """
        ),
        look=Look(
            overrides=[
                override("byName", "pending", displayName="${__field.labels.tenant}"),
                limit_line("starved", colours.SOON),
            ],
        ),
        shortest="60s",
    )
