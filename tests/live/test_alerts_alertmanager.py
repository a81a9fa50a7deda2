"""Shortages in a real Alertmanager, and nothing lost while either end is killed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.embedded.stack import RunningStack
from models.shortage import Severity
from models.topics import OPEN_SHORTAGES, SHORTAGES
from tests.alertmanager import Alertmanager, alertmanager
from tests.alerts import resolved, shortage, shortage_topics
from tests.live.forwarding import PATIENCE_SECONDS, forwarding
from tests.live.world import FOLDED, SCENARIO, World, new_world
from tests.receiver import AlertReceiver, alert_receiver

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

SECONDS = "70"
"""Of the scenario: both of its shortages of power and of accelerators open, and most resolve."""


def notified(receiver: AlertReceiver) -> set[tuple[str, str]]:
    """Episodes, and whether Alertmanager said that they fire or that they have resolved."""
    return {(alert["labels"]["shortage"], alert["status"]) for body in receiver.taken() for alert in body["alerts"]}


def events(world: World) -> list[Any]:
    return [orjson.loads(record.value or b"") for record in world.once(SHORTAGES).values()]


def test_the_twins_shortages_fire_and_resolve_in_alertmanager(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    with (
        alert_receiver() as pager,
        alertmanager(tmp_path / "alertmanager", pager.url) as receiver,
        new_world(stack, kafka_prefix, database_url, tmp_path) as world,
    ):
        twin = world.start("twin")
        forwarder = world.start("alerts", "forward", "--to", receiver.url, name="forward")
        world.wait_until(lambda: "forwarding" in forwarder.log.read_text(), "the forwarder has begun")
        done = world.fleettwin("simulate", "--scenario", SCENARIO, "--seconds", SECONDS, "--speed", "10")
        assert done.returncode == 0, done.stderr
        world.wait_until(lambda: world.done("twin", *FOLDED), "all is folded")

        told = events(world)
        ended = {event["id"] for event in told if event["status"] == "resolved"}
        open_ = {event["id"] for event in told} - ended
        world.wait_until(lambda: receiver.open_ids() == open_, "what is open fires, and nothing else")
        world.wait_until(
            lambda: notified(pager) >= {(one, "firing") for one in open_} | {(one, "resolved") for one in ended},
            "everything was notified",
        )
        world.stop(forwarder, twin)
        listed = world.fleettwin("alerts", "--open", "--json").stdout.splitlines()
        verified = world.told("verify", "--no-database")

    assert ended
    assert {orjson.loads(line)["id"] for line in listed} == open_
    assert verified["differences"] == 0, verified["first_difference"]
    assert verified["compared"][OPEN_SHORTAGES]["found"] == len(open_)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not yet: {what}"
        time.sleep(0.05)


def test_nothing_is_lost_while_alertmanager_restarts_and_the_forwarder_is_killed(
    stack: RunningStack, kafka_prefix: str, tmp_path: Path
) -> None:
    with (
        shortage_topics(stack, kafka_prefix) as topics,
        alert_receiver() as pager,
        alertmanager(tmp_path / "alertmanager", pager.url) as receiver,
    ):
        topics.send(shortage("a"), shortage("b"))
        with forwarding(topics, tmp_path, "--to", receiver.url) as first:
            wait_until(lambda: receiver.open_ids() == {"a", "b"}, "what was open before fires")
            wait_until(lambda: notified(pager) == {("a", "firing"), ("b", "firing")}, "both were notified")
            receiver.end()
            topics.send(shortage("c"), resolved("a", 1))
            wait_until(lambda: "takes nothing" in first.log.read_text(), "the forwarder has noticed")
            first.kill()
        receiver.start()
        with forwarding(topics, tmp_path, "--to", receiver.url):
            wait_until(lambda: receiver.open_ids() == {"b", "c"}, "what is open fires, whatever was known before")
            wait_until(lambda: {("c", "firing"), ("a", "resolved")} <= notified(pager), "what happened meanwhile")

    assert ("b", "resolved") not in notified(pager)


def test_what_is_open_is_kept_open_for_as_long_as_somebody_says_so(
    stack: RunningStack, kafka_prefix: str, tmp_path: Path
) -> None:
    with (
        shortage_topics(stack, kafka_prefix) as topics,
        alert_receiver() as pager,
        alertmanager(tmp_path / "alertmanager", pager.url) as receiver,
    ):
        with forwarding(topics, tmp_path, "--to", receiver.url, FLEETTWIN_ALERTS__RESEND_SECONDS="1") as forwarder:
            topics.send(shortage("a"))
            wait_until(lambda: receiver.open_ids() == {"a"}, "it fires")
            first = receiver.active()[0]["endsAt"]
            wait_until(lambda: time.time() > stamp_of(first) + 1, "its first end has passed")
            assert receiver.open_ids() == {"a"}
            forwarder.kill()
        wait_until(lambda: receiver.open_ids() == set(), "nobody says so any more")

    assert notified(pager) == {("a", "firing"), ("a", "resolved")}


def test_an_episode_that_grows_worse_is_one_alert_of_the_new_severity(
    stack: RunningStack, kafka_prefix: str, tmp_path: Path
) -> None:
    with (
        shortage_topics(stack, kafka_prefix) as topics,
        alert_receiver() as pager,
        alertmanager(tmp_path / "alertmanager", pager.url) as receiver,
        forwarding(topics, tmp_path, "--to", receiver.url),
    ):
        topics.send(shortage("a", severity=Severity.WARNING))
        wait_until(lambda: severities(receiver) == ["warning"], "it is a warning")
        topics.send(shortage("a", 1))
        wait_until(lambda: severities(receiver) == ["critical"], "it is critical, and no warning any more")
        topics.send(resolved("a", 2))
        wait_until(lambda: severities(receiver) == [], "it has resolved")


def severities(receiver: Alertmanager) -> list[str]:
    return [alert["labels"]["severity"] for alert in receiver.active()]


def stamp_of(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
