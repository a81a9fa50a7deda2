"""Shortages as bars over time: one for each thing that is short, in the colour of its severity."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Panel

from dashboards.grafana.parts import colours
from dashboards.grafana.parts.fields import Look
from dashboards.grafana.parts.links import to_page
from dashboards.grafana.parts.panels import state_timeline
from dashboards.grafana.parts.sql import Sql


def shortage_timeline(uid: str) -> Panel:
    """The newest episodes of the range; what is short under one name shares a bar."""
    return state_timeline(
        "Shortages over time",
        "A bar for each thing that was short, in the colour of its severity, from its opening to its resolution. "
        "At most 20 bars, of the newest 200 episodes. Only shortages that touch the chosen "
        "sites, or no single site.",
        Sql(
            """
            with episodes as (
                select id,
                    concat_ws(' ', scope_name, resource, nullif(array_to_string(resource_types, ' or '), '')) as what
                from shortages
                where {in range} and {touches sites}
                order by opened_at desc limit 200
            ), bars as (
                select what from episodes group by what order by what limit 20
            ), changes as (
                select greatest(e.time, $__timeFrom()) as time, b.what, e.sequence, e.time as changed,
                    case when e.status = 'open' then array_position(array['info', 'warning', 'critical'], e.severity)
                        else 0 end as severity
                from bars b join episodes using (what) join shortage_events e using (id)
                where e.time <= $__timeTo()
            )
            select distinct on (time, what) time, what, severity
            from changes order by time, what, changed desc, sequence desc
            """
        ),
        Look(
            display_name="${__field.labels.what}",
            mappings=colours.words(colours.SEVERITIES),
            links=() if uid == "fleet-shortages" else (to_page("fleet-shortages"),),
        ),
    )
