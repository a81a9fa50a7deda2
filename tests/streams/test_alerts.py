"""Alerts: every shortage event once, as it was sent."""

from __future__ import annotations

import time
from datetime import timedelta

import orjson
import pytest

from cli.alerts.showing import line
from infra.embedded.stack import RunningStack
from models.cloudevents import EventType, headers
from models.errors import RecordRefused
from models.record import Record
from models.shortage import Binding, Constraint, Quantity, Scope, ScopeKind, Severity, Shortage, Status
from models.topics import SHORTAGES
from streams.consumers.alertmanager import alert_of
from streams.consumers.alerts import read_alerts, read_open, shortage_of
from streams.consumers.choosing import Wanted
from tests.alerts import NOON, resolved, shortage_topics
from tests.alerts import shortage as an_event

ALSO = Binding(
    constraint=Constraint.POWER,
    sites=("memphis",),
    types=(),
    together_with=(Constraint.QUOTA,),
    summary="40 wait for power, and for quota too",
)


def shortage(identity: str, sequence: int) -> Shortage:
    return an_event(identity, sequence, also=(ALSO,))


def record(value: bytes | None, event: EventType = EventType.SHORTAGE) -> Record:
    return Record(SHORTAGES, 0, 7, 0, b"a", value, headers(event, "test", "a/0", 0))


def test_a_shortage_comes_out_of_its_record_as_it_went_in() -> None:
    assert shortage_of(record(shortage("a", 3).model_dump_json().encode())) == shortage("a", 3)


@pytest.mark.parametrize("field", ["since", "at", "resolved_at"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:00:00-02:00", "1969-12-31T23:59:59Z"])
def test_a_time_that_no_calendar_holds_everywhere_is_refused(field: str, moment: str) -> None:
    said = orjson.loads(shortage("a", 0).model_dump_json()) | {field: moment}

    with pytest.raises(RecordRefused, match=r"invalid_shortage.*is not between 1970 and 9999"):
        shortage_of(record(orjson.dumps(said)))


@pytest.mark.parametrize(
    "stranger",
    [
        pytest.param(record(None), id="no-value"),
        pytest.param(record(b"{}"), id="no-shortage"),
        pytest.param(record(b"{}", EventType.CLOCK), id="another-event"),
    ],
)
def test_what_is_no_shortage_is_refused(stranger: Record) -> None:
    with pytest.raises(RecordRefused):
        shortage_of(stranger)


def test_a_line_says_when_how_bad_who_why_what_would_help_and_how_much() -> None:
    expected = (
        "2026-03-01 12:00:00Z  critical  opened    site memphis  64 wait for whole nodes; also power with quota"
        "  missing 64 accelerators, 64 H100e, 0.08 MW"
    )

    assert line(shortage("a", 0)) == expected


EVIL = "a\x1b[2J\nb\u202ec\u2028d\x9be"


def written_by_people(text: str) -> Shortage:
    one = shortage("a", 0)
    binding = one.binding.model_copy(update={"sites": (text,), "types": (text,), "summary": text})
    scope = Scope(kind=ScopeKind.PROJECT, name=text)
    return one.model_copy(update={"scope": scope, "binding": binding, "also": (binding,), "projects": (text,)})


def test_what_people_wrote_stays_on_the_line_and_does_not_act() -> None:
    told = line(written_by_people(EVIL))

    assert told.isprintable()
    assert told.count(r"a\x1b[2J\nb\u202ec\u2028d\x9be") == 2


def test_an_alert_has_labels_of_few_values_and_its_words_in_annotations() -> None:
    alert = alert_of(shortage("a", 3))

    assert alert["labels"] == {
        "alertname": "FleetShortage",
        "severity": "critical",
        "scope": "site",
        "name": "memphis",
        "resource": "accelerators",
        "constraint": "whole_nodes",
    }
    assert alert["annotations"] == {
        "summary": "site memphis: 64 wait for whole nodes",
        "missing": "64 accelerators, 64 H100e, 0.08 MW",
        "binds": "whole nodes at memphis",
        "behind": "64",
        "one_more": "+1 whole node serves 8",
        "also": "40 wait for power, and for quota too",
        "types": "h100-sxm",
        "projects": "lab",
        "change": "updated",
        "sequence": "3",
    }


def test_an_alert_fires_under_one_fingerprint_until_its_episode_is_resolved() -> None:
    end = NOON + timedelta(minutes=5)
    gone = shortage("a", 4).model_copy(update={"status": Status.RESOLVED, "resolved_at": end})
    alerts = [alert_of(shortage("a", 0)), alert_of(gone)]

    assert [one["fingerprint"] for one in alerts] == ["a", "a"]
    assert [one["status"] for one in alerts] == ["firing", "resolved"]
    assert [one["startsAt"] for one in alerts] == ["2026-03-01T12:00:00Z"] * 2
    assert [one["endsAt"] for one in alerts] == ["0001-01-01T00:00:00Z", "2026-03-01T12:05:00Z"]


def test_nothing_that_changes_while_an_episode_lasts_is_a_label_but_how_bad_it_is_and_what_binds() -> None:
    first = shortage("a", 0)
    later = first.model_copy(
        update={
            "sequence": 9,
            "at": NOON + timedelta(hours=1),
            "missing": Quantity(accelerators=1),
            "binding": first.binding.model_copy(update={"summary": "other words", "behind": 3, "one_more": None}),
            "also": (),
            "projects": ("other",),
        }
    )

    assert alert_of(first)["labels"] == alert_of(later)["labels"]
    assert alert_of(first)["annotations"] != alert_of(later)["annotations"]


def test_what_people_wrote_cannot_act_in_an_alert() -> None:
    alert = alert_of(written_by_people(EVIL))

    assert all(words.isprintable() for words in (*alert["labels"].values(), *alert["annotations"].values()))


@pytest.mark.servers
def test_alerts_are_read_from_the_beginning_and_followed(stack: RunningStack, kafka_prefix: str) -> None:
    with shortage_topics(stack, kafka_prefix) as topics:
        refused: list[RecordRefused] = []
        topics.send(shortage("a", 0))
        topics.send_stranger(b"{}")
        topics.send(shortage("a", 1))
        assert list(read_alerts(topics.settings, refused.append)) == [shortage("a", 0), shortage("a", 1)]

        found: list[Shortage] = []
        for one in read_alerts(topics.settings, refused.append, follow=True, stopped=lambda: len(found) == 3):
            found.append(one)
            if len(found) == 2:
                topics.send(shortage("a", 2))

    assert {refusal.code for refusal in refused} == {"invalid_shortage"}
    assert found == [shortage("a", 0), shortage("a", 1), shortage("a", 2)]


@pytest.mark.servers
def test_alerts_are_read_from_the_time_at_which_kafka_took_them_in(stack: RunningStack, kafka_prefix: str) -> None:
    with shortage_topics(stack, kafka_prefix) as topics:
        topics.send(shortage("a", 0))
        time.sleep(0.01)  # Kafka's clock counts milliseconds
        between = time.time_ns() // 1_000_000
        assert list(read_alerts(topics.settings, refuse, since=between)) == []

        topics.send(shortage("a", 1), shortage("b", 0))
        assert list(read_alerts(topics.settings, refuse, since=between)) == [shortage("a", 1), shortage("b", 0)]
        assert list(read_alerts(topics.settings, refuse, since=0)) == [
            shortage("a", 0),
            shortage("a", 1),
            shortage("b", 0),
        ]


@pytest.mark.servers
def test_what_is_open_is_the_newest_event_of_what_has_not_resolved(stack: RunningStack, kafka_prefix: str) -> None:
    with shortage_topics(stack, kafka_prefix) as topics:
        assert read_open(topics.settings, refuse) == []

        older = an_event("c", since=NOON - timedelta(hours=1), severity=Severity.INFO)
        topics.send(shortage("a", 0), shortage("b", 0), older, shortage("a", 1), resolved("b", 1))

        assert read_open(topics.settings, refuse) == [older, shortage("a", 1)]
        assert read_open(topics.settings, refuse, Wanted(severity=Severity.WARNING)) == [shortage("a", 1)]


def refuse(refusal: RecordRefused) -> None:
    raise refusal
