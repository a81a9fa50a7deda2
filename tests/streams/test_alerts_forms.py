"""What is posted: the forms of Alertmanager, of its webhooks and of PagerDuty."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.shortage import Accelerators, Quantity, Scope, ScopeKind, Severity
from streams.consumers.choosing import Told
from streams.forwarding.forms import Form, alertmanager_form, deduplication_key, pagerduty_form, webhook_form
from tests.alerts import NOON, resolved, shortage

NOW = NOON + timedelta(minutes=10)
HOLD = timedelta(minutes=5)
ALERTMANAGER, WEBHOOK, PAGERDUTY = alertmanager_form(HOLD), webhook_form(), pagerduty_form(lambda: "R0")


def body(form: Form, told: Told, now: datetime = NOW) -> Any:
    return json.loads(json.dumps(form.body(told, now)))


def test_alertmanager_is_told_of_an_open_episode_with_an_end_ahead() -> None:
    (alert,) = body(ALERTMANAGER, Told(shortage(), None))

    assert alert["labels"] == {
        "alertname": "FleetShortage",
        "severity": "critical",
        "scope": "site",
        "name": "memphis",
        "resource": "accelerators",
        "constraint": "whole_nodes",
        "shortage": "a",
    }
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-03-01T12:00:00Z", "2026-03-01T12:15:00Z")
    assert alert["annotations"]["summary"] == "site memphis: 64 wait for whole nodes"


def test_alertmanager_is_told_when_an_episode_was_gone() -> None:
    (alert,) = body(ALERTMANAGER, Told(resolved("a", 30), shortage()))

    assert (alert["startsAt"], alert["endsAt"]) == ("2026-03-01T12:00:00Z", "2026-03-01T12:00:30Z")


def test_where_the_severity_changes_the_old_alert_ends_as_the_new_one_begins() -> None:
    warned = shortage("a", 0, severity=Severity.WARNING)
    old, new = body(ALERTMANAGER, Told(shortage("a", 1), warned))

    assert (old["labels"]["severity"], old["endsAt"]) == ("warning", "2026-03-01T12:10:00Z")
    assert (new["labels"]["severity"], new["endsAt"]) == ("critical", "2026-03-01T12:15:00Z")
    assert {**old["labels"], "severity": ""} == {**new["labels"], "severity": ""}


def test_where_only_amounts_change_the_alert_stays_the_same() -> None:
    (alert,) = body(ALERTMANAGER, Told(shortage("a", 1, missing=Quantity(accelerators=9)), shortage("a", 0)))

    assert alert["labels"] == body(ALERTMANAGER, Told(shortage(), None))[0]["labels"]


def test_episodes_of_one_scope_and_kind_are_alerts_of_their_own() -> None:
    """Two types may be short at one site at once, and one of them resolve."""
    one, other = (
        body(ALERTMANAGER, Told(shortage(name, resource=Accelerators(types=(name,))), None))[0]["labels"]
        for name in ("mi300x", "h100-sxm")
    )

    assert one != other


def test_what_is_open_is_repeated_with_a_new_end() -> None:
    assert ALERTMANAGER.again is not None
    first, second = ALERTMANAGER.again([shortage("a"), shortage("b")], NOW + HOLD)

    assert (first["labels"]["shortage"], second["labels"]["shortage"]) == ("a", "b")
    assert first["endsAt"] == "2026-03-01T12:20:00Z"


@pytest.mark.parametrize("now", [NOON - timedelta(hours=1), NOON, NOON + timedelta(seconds=2)])
def test_an_alerts_times_are_in_order_and_past_even_where_event_time_is_ahead(now: datetime) -> None:
    """A replay that runs faster than time; Alertmanager refuses what ends before it starts."""
    for told in (Told(shortage(), None), Told(resolved("a", 30), shortage())):
        (alert,) = body(ALERTMANAGER, told, now)
        starts, ends = (datetime.fromisoformat(alert[name]) for name in ("startsAt", "endsAt"))

        assert starts <= now
        assert starts <= ends
        assert (ends <= now) == (told.event.resolved_at is not None)


def test_a_webhook_is_posted_what_alertmanager_would_post() -> None:
    posted = body(WEBHOOK, Told(shortage(), None))
    (alert,) = posted["alerts"]

    assert set(posted) == {
        *("version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels"),
        *("commonLabels", "commonAnnotations", "externalURL", "alerts"),
    }
    assert (posted["version"], posted["status"], posted["groupKey"]) == ("4", "firing", '{}:{shortage="a"}')
    assert (alert["status"], alert["fingerprint"]) == ("firing", "a")
    assert posted["commonLabels"] == alert["labels"]
    assert body(WEBHOOK, Told(resolved(), shortage()))["status"] == "resolved"
    assert WEBHOOK.again is None


@pytest.mark.parametrize("severity", Severity)
def test_pagerduty_is_triggered_under_the_episodes_key(severity: Severity) -> None:
    event = shortage("a", 1, severity=severity)
    posted = body(PAGERDUTY, Told(event, shortage()))

    assert (posted["routing_key"], posted["event_action"], posted["dedup_key"]) == ("R0", "trigger", "a")
    payload = posted["payload"]
    assert payload["summary"] == "site memphis: 64 wait for whole nodes"
    assert payload["severity"] == severity.value
    assert payload["source"] == "site memphis"
    assert payload["timestamp"] == "2026-03-01T12:00:01Z"
    assert payload["custom_details"] == event.model_dump(mode="json")


def test_pagerduty_is_told_of_the_end_under_the_same_key() -> None:
    assert body(PAGERDUTY, Told(resolved(), shortage())) == {
        "routing_key": "R0",
        "event_action": "resolve",
        "dedup_key": "a",
    }


def test_pagerduty_takes_what_people_wrote_cut_to_its_limits() -> None:
    evil = "\x1b[2J" + "x" * 3000
    event = shortage("i" * 300)
    binding = event.binding.model_copy(update={"summary": evil})
    scope = Scope(kind=ScopeKind.PROJECT, name="p\n\u202e")
    payload = body(PAGERDUTY, Told(event.model_copy(update={"binding": binding, "scope": scope}), None))["payload"]

    assert len(payload["summary"]) == 1024
    assert payload["summary"].isprintable()
    assert payload["source"].isprintable()


def test_a_key_too_long_for_pagerduty_stays_one_of_its_own() -> None:
    first, second = deduplication_key("i" * 300 + "1"), deduplication_key("i" * 300 + "2")

    assert first != second
    assert max(len(first), len(second)) <= 255
    assert deduplication_key("a" * 16) == "a" * 16
