"""Shortages as alerts in the fields of Alertmanager's webhooks (version 4), which pagers and chat systems take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from models.shortage import Shortage, Status
from models.wording import amount, binds, one_more, printable, where, who

ALERT_NAME = "FleetShortage"
NOT_YET = "0001-01-01T00:00:00Z"
"""What Alertmanager sends as the end of an alert that goes on."""

_STATUS = {Status.OPEN: "firing", Status.RESOLVED: "resolved"}


def alert_of(shortage: Shortage) -> Mapping[str, Any]:
    """One alert; its `fingerprint` is the episode's id, by which receivers put its events together.

    Labels have few values, fit for routing and grouping; a constraint or a severity may change within an episode.
    Whatever has many values, and all that is said in words, is an annotation.
    """
    return {
        "status": _STATUS[shortage.status],
        "labels": {
            "alertname": ALERT_NAME,
            "severity": shortage.severity.value,
            "scope": shortage.scope.kind.value,
            "name": printable(shortage.scope.name),
            "resource": shortage.resource.kind,
            "constraint": shortage.binding.constraint.value,
        },
        "annotations": _annotations(shortage),
        "startsAt": stamp(shortage.since),
        "endsAt": NOT_YET if shortage.resolved_at is None else stamp(shortage.resolved_at),
        "generatorURL": "",
        "fingerprint": shortage.id,
    }


def _annotations(shortage: Shortage) -> dict[str, str]:
    binding = shortage.binding
    said = {
        "summary": f"{who(shortage.scope)}: {printable(binding.summary)}",
        "missing": amount(shortage.missing),
        "binds": binds(binding) + where(binding),
        "behind": str(binding.behind),
        "one_more": "" if binding.one_more is None else one_more(binding.one_more),
        "also": "; ".join(printable(other.summary) for other in shortage.also),
        "types": ", ".join(map(printable, binding.types)),
        "projects": ", ".join(map(printable, shortage.projects)),
        "change": shortage.change.value,
        "sequence": str(shortage.sequence),
    }
    return {name: words for name, words in said.items() if words}


def stamp(moment: datetime) -> str:
    """A time as Alertmanager writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
