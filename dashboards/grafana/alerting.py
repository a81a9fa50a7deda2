"""What Grafana itself watches, for those who have no pager on the shortage topic: rules over the same tables.

The SQL has no macros and no dollar signs: what provisioning makes of those differs between versions of Grafana.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dashboards.grafana.source import AGE, DATA_SOURCE_TYPE, DATA_SOURCE_UID, FOLDER

_EXPRESSION = "__expr__"


@dataclass(frozen=True, slots=True)
class Watch:
    """A rule: each row that the query gives is an alert if its number is beyond the threshold.

    Args:
        uid: Of the rule; never changes.
        title: Of the rule.
        panel: The page and the title of the panel that shows the same.
        sql: Words, which become labels, and one number.
        fires: Above or below the threshold.
        threshold: In the unit of the number.
        lasts: For how long before it is an alert.
        silence: What no row means.
        severity: As of shortages.
        summary: A sentence, with the labels as Go templates have them.
        way_out: What to do.
    """

    uid: str
    title: str
    panel: tuple[str, str]
    sql: str
    fires: Literal["gt", "lt"]
    threshold: float
    lasts: str
    silence: Literal["OK", "Alerting"]
    severity: Literal["warning", "critical"]
    summary: str
    way_out: str


WATCHES = (
    Watch(
        uid="fleet-shortage-critical",
        title="Critical shortage",
        panel=("fleet-shortages", "What is short now"),
        sql="select scope_kind as scope, scope_name as name, resource, count(*)::float8 as shortages"
        " from shortages_now where severity = 'critical' group by scope_kind, scope_name, resource",
        fires="gt",
        threshold=0,
        lasts="0s",
        silence="OK",
        severity="critical",
        summary="{{ .Labels.scope }} {{ .Labels.name }} is critically short of {{ .Labels.resource }}",
        way_out="The shortages page says what binds and what one more unit would serve.",
    ),
    Watch(
        uid="fleet-headroom-low",
        title="Headroom below 5 %",
        panel=("fleet-site", "Power against supply"),
        sql="select site, headroom_watts / supply_watts as headroom from sites_now where supply_watts > 0",
        fires="lt",
        threshold=0.05,
        lasts="1m",
        silence="OK",
        severity="warning",
        summary="Site {{ .Labels.site }} draws more than 95 % of its supply",
        way_out="No room for a surge: lower a cap, move work, or raise the supply before more is placed there.",
    ),
    Watch(
        uid="fleet-data-old",
        title="Data older than two minutes",
        panel=("fleet-overview", AGE),
        sql="select extract(epoch from now() - max(time))::float8 as age from fleet_now",
        fires="gt",
        threshold=120,
        lasts="0s",
        silence="Alerting",
        severity="critical",
        summary="The newest state of the fleet is older than two minutes",
        way_out="See whether twin, store, Kafka and TimescaleDB run; the pipeline page says which is behind.",
    ),
    Watch(
        uid="fleet-store-behind",
        title="The store is behind",
        panel=("fleet-pipeline", "From tick to"),
        sql="select stage, max(p95_seconds) as delay from pipeline_delays"
        " where time > now() - interval '2 minutes' and app = 'store' group by stage",
        fires="gt",
        threshold=30,
        lasts="2m",
        silence="OK",
        severity="warning",
        summary="Rows of {{ .Labels.stage }} are more than 30 s late",
        way_out="The database is slow, or one store is too few: start another, or see what else the database does.",
    ),
    Watch(
        uid="fleet-dead-letters",
        title="Records are refused",
        panel=("fleet-pipeline", "Dead letters"),
        sql="select source_topic as topic, code, sum(rows_refused)::float8 as refused from dead_letters"
        " where time > now() - interval '10 minutes' group by source_topic, code",
        fires="gt",
        threshold=0,
        lasts="0s",
        silence="OK",
        severity="warning",
        summary="Records of {{ .Labels.topic }} are refused: {{ .Labels.code }}",
        way_out="The pipeline page has the last of them with the reason; they keep their bytes on the .dlq topic.",
    ),
)


def rules_file(panels: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """Grafana's file of alert rules.

    Args:
        panels: The number of each panel, by page and title.
    """
    rules = [_rule(watch, panels) for watch in WATCHES]
    return {
        "apiVersion": 1,
        "groups": [{"orgId": 1, "name": "fleet", "folder": FOLDER, "interval": "30s", "rules": rules}],
    }


def _rule(watch: Watch, panels: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    return {
        "uid": watch.uid,
        "title": watch.title,
        "condition": "B",
        "dashboardUid": watch.panel[0],
        "panelId": panels[watch.panel],
        "data": [
            {
                "refId": "A",
                "relativeTimeRange": {"from": 600, "to": 0},
                "datasourceUid": DATA_SOURCE_UID,
                "model": {
                    "refId": "A",
                    "datasource": {"type": DATA_SOURCE_TYPE, "uid": DATA_SOURCE_UID},
                    "format": "table",
                    "rawSql": watch.sql,
                    "rawQuery": True,
                    "editorMode": "code",
                },
            },
            {
                "refId": "B",
                "relativeTimeRange": {"from": 600, "to": 0},
                "datasourceUid": _EXPRESSION,
                "model": {
                    "refId": "B",
                    "datasource": {"type": _EXPRESSION, "uid": _EXPRESSION},
                    "type": "threshold",
                    "expression": "A",
                    "conditions": [{"evaluator": {"type": watch.fires, "params": [watch.threshold]}}],
                },
            },
        ],
        "noDataState": watch.silence,
        "execErrState": "Error",
        "for": watch.lasts,
        "annotations": {"summary": watch.summary, "description": watch.way_out},
        "labels": {"severity": watch.severity, "source": "fleettwin"},
        "isPaused": False,
    }
