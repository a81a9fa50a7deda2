"""How long each word on a shortage stood: from its event to the next one, or to the instant the shortage was gone."""

from __future__ import annotations

from dashboards.grafana.parts.sql import Sql

_HELD = """with episodes as (
        select id from shortages where {in range} and {touches sites} and scope_kind in {of_whom}
    ), told as (
        select e.id, e.time, e.status, e.scope_name, e.resource, e.binding, e.binding_behind, e.also,
            e.missing_accelerators, e.missing_h100e, e.missing_watts,
            lead(coalesce(e.resolved_at, e.time)) over (partition by e.id order by e.sequence) as next
        from episodes join shortage_events e using (id)
        where coalesce(e.resolved_at, e.time) <= $__timeTo()
    ), held as (
        select id, scope_name, resource, binding, binding_behind, also,
            missing_accelerators, missing_h100e, missing_watts,
            greatest(time, $__timeFrom()) as since, next, least(next, $__timeTo()) as until
        from told
        where status = 'open' and coalesce(next, 'infinity') > greatest(time, $__timeFrom())
    )"""
"""Within the range; `next` is null where it stood beyond its end. The fleet's shortages tell once more what those of
projects tell, so nobody asks for both."""

_HOURS = "extract(epoch from until - since)::float8 / 3600"
_PROJECTS = "('project')"


def missing_over_time(names: str, measure: str) -> Sql:
    """The greatest sum within each bucket of what projects and sites miss, a series for each kind.

    Args:
        names: SQL that says what a kind is called, null for one that is left out, such as `case resource ... end`.
        measure: A column of the events.
    """
    return Sql(
        """
        {held}, kinds as (
            select {names} as what, since, next, {measure} as missing from held
        ), changes as (
            select what, since as time, missing as change from kinds
            union all
            select what, next, -missing from kinds where next is not null
            union all
            select what, begins, 0 from (select distinct what from kinds) each cross join generate_series(
                date_bin('$__interval', $__timeFrom()::timestamptz, '2000-01-03Z'), $__timeTo(), '$__interval'::interval
            ) begins
        ), levels as (
            select what, time, sum(sum(change)) over (partition by what order by time) as level
            from changes where what is not null group by what, time
        )
        select date_bin('$__interval', time, '2000-01-03Z') as time, what, max(level)::float8 as value
        from levels group by 1, 2 order by 1, 2
        """,
        of_whom="('project', 'site')",
        held=_HELD,
        names=names,
        measure=measure,
    )


def hours_behind_constraints() -> Sql:
    """The accelerator-hours that projects waited behind each constraint, the most first."""
    return Sql(
        """
        {held}
        select replace(word, '_', ' ') as "what binds", sum(behind * {hours}) as "accelerator-hours"
        from held cross join lateral (
            select binding as word, binding_behind as behind
            union all
            select other ->> 'constraint', coalesce((other ->> 'behind')::bigint, 0)
            from jsonb_array_elements(also) other
        ) each
        group by 1 having sum(behind) > 0
        order by 2 desc limit 12
        """,
        table=True,
        of_whom=_PROJECTS,
        held=_HELD,
        hours=_HOURS,
    )


def by_project() -> Sql:
    """What each project missed, the most accelerator-hours first."""
    return Sql(
        """
        {held}, hours as (
            select scope_name as project,
                sum(missing_accelerators * {hours}) filter (where resource = 'accelerators') as hours,
                sum(missing_h100e * {hours}) filter (where resource = 'accelerators') as h100e_hours,
                sum(missing_accelerators * {hours}) filter (where resource = 'unplaced') as unplaced_hours
            from held group by 1
        ), counts as (
            select scope_name as project, count(*) as episodes, count(*) filter (where status = 'open') as open,
                sum(missing_accelerators) filter (where status = 'open' and resource = 'accelerators')::bigint
                    as missing
            from shortages join episodes using (id) group by 1
        )
        select project, episodes, open, missing, hours as "accelerator-hours missing",
            h100e_hours as "H100e-hours missing", unplaced_hours as "accelerator-hours not granted"
        from counts left join hours using (project)
        order by hours desc nulls last, episodes desc, project limit 50
        """,
        table=True,
        of_whom=_PROJECTS,
        held=_HELD,
        hours=_HOURS,
    )
