"""What is posted for a shortage event: the forms that alert receivers take."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from models.shortage import Severity, Shortage, Status
from models.wording import printable, who
from streams.consumers.alertmanager import alert_of, stamp
from streams.consumers.choosing import Told

PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
ALERTMANAGER_PATH = "/api/v2/alerts"

_LONGEST_KEY, _LONGEST_SUMMARY = 255, 1024
"""Characters; what PagerDuty takes."""

_PAGERDUTY_SEVERITY = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "critical"}


class FormName(StrEnum):
    """The forms."""

    ALERTMANAGER = "alertmanager"
    WEBHOOK = "webhook"
    PAGERDUTY = "pagerduty"


@dataclass(frozen=True, slots=True)
class Form:
    """How events are posted; `again` is what keeps open ones open, where the receiver needs that."""

    body: Callable[[Told, datetime], Any]
    again: Callable[[Iterable[Shortage], datetime], Any] | None = None


def alertmanager_form(hold: timedelta) -> Form:
    """Alertmanager's API v2: an array of alerts. What is open ends after `hold`, unless it is sent again before.

    Alertmanager tells alerts apart by all their labels. So `shortage`, the episode's id, is one of them, and where the
    severity or the constraint of an episode changes, the alert with the old labels ends as the new one begins.
    """

    def body(told: Told, now: datetime) -> list[Mapping[str, Any]]:
        alert = _posted(told.event, now, hold)
        if told.before is None:
            return [alert]
        old = _posted(told.before, now, timedelta())
        return [alert] if old["labels"] == alert["labels"] else [old, alert]

    return Form(body, lambda events, now: [_posted(event, now, hold) for event in events])


def _posted(event: Shortage, now: datetime, hold: timedelta) -> Mapping[str, Any]:
    """One alert; times lie in the past even where event time runs ahead of the wall's, or it would not take them."""
    alert = alert_of(event)
    end = now + hold if event.resolved_at is None else min(event.resolved_at, now)
    return {
        "labels": {**alert["labels"], "shortage": event.id},
        "annotations": alert["annotations"],
        "startsAt": stamp(min(event.since, now, end)),
        "endsAt": stamp(end),
    }


def webhook_form() -> Form:
    """What Alertmanager itself posts to webhooks (version 4), with one alert in each group."""

    def body(told: Told, _now: datetime) -> Mapping[str, Any]:
        alert = alert_of(told.event)
        return {
            "version": "4",
            "groupKey": f'{{}}:{{shortage="{told.event.id}"}}',
            "truncatedAlerts": 0,
            "status": alert["status"],
            "receiver": "fleettwin",
            "groupLabels": {"shortage": told.event.id},
            "commonLabels": alert["labels"],
            "commonAnnotations": alert["annotations"],
            "externalURL": "",
            "alerts": [alert],
        }

    return Form(body)


def pagerduty_form(routing_key: Callable[[], str]) -> Form:
    """PagerDuty's Events API v2: an episode is an incident under one key, triggered by each event but the last."""

    def body(told: Told, _now: datetime) -> Mapping[str, Any]:
        event = told.event
        resolved = event.status is Status.RESOLVED
        action = {
            "routing_key": routing_key(),
            "event_action": "resolve" if resolved else "trigger",
            "dedup_key": deduplication_key(event.id),
        }
        return action if resolved else {**action, "client": "fleettwin", "payload": _payload(event)}

    return Form(body)


def deduplication_key(identity: str) -> str:
    """The episode's id; what would be too long for PagerDuty, as none of ours is, becomes a hash of it."""
    return identity if len(identity) <= _LONGEST_KEY else hashlib.sha256(identity.encode()).hexdigest()


def _payload(event: Shortage) -> Mapping[str, Any]:
    return {
        "summary": f"{who(event.scope)}: {printable(event.binding.summary)}"[:_LONGEST_SUMMARY],
        "source": who(event.scope),
        "severity": _PAGERDUTY_SEVERITY[event.severity],
        "timestamp": stamp(event.at),
        "component": event.resource.kind,
        "group": event.scope.kind.value,
        "class": event.binding.constraint.value,
        "custom_details": event.model_dump(mode="json"),
    }
