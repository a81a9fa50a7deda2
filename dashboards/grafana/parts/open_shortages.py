"""What is short now, as a table: what binds, and what one more unit would bring."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Panel

from dashboards.grafana.parts import colours
from dashboards.grafana.parts.links import to_page
from dashboards.grafana.parts.sql import Sql
from dashboards.grafana.parts.tables import Column, table_panel

SINCE = Column(unit="dateTimeAsIso", width=160)


def open_at_sites(uid: str) -> Panel:
    """The open shortages that touch the chosen sites, in few words, for pages that are about something else."""
    return table_panel(
        "Open shortages here",
        "Shortages that are open now and touch the chosen sites, or no single site; the worst first, at most 20.",
        "locale",
        Sql(
            """
            select severity, concat_ws(' ', scope_kind, scope_name) as "short is", since,
                missing_accelerators as missing, missing_watts as "missing power", summary as "what binds"
            from shortages_now where {touches sites}
            order by array_position(array['critical', 'warning', 'info'], severity), since limit 20
            """,
            table=True,
        ),
        {
            "severity": Column(
                words=colours.SEVERITY_WORDS,
                width=90,
                links=() if uid == "fleet-shortages" else [to_page("fleet-shortages")],
            ),
            "short is": Column(width=150),
            "since": SINCE,
            "missing": Column(width=90),
            "missing power": Column(unit="watt", width=120),
        },
        no_value="",
    )
