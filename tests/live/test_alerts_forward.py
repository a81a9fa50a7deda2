"""`fleettwin alerts forward` against receivers that go away, and killed itself: nothing lost, and no secret told."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.embedded.stack import RunningStack
from tests.alerts import resolved, shortage, shortage_topics
from tests.live.forwarding import PATIENCE_SECONDS, forwarding
from tests.receiver import AlertReceiver, Answer, alert_receiver

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

QUICK = {"FLEETTWIN_ALERTS__LONGEST_WAIT_SECONDS": "0.5"}


def keys(receiver: AlertReceiver) -> list[tuple[str, int]]:
    """Episode and sequence of what was taken."""
    return [
        (alert["fingerprint"], int(alert["annotations"]["sequence"]))
        for body in receiver.taken()
        for alert in body["alerts"]
    ]


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not yet: {what}"
        time.sleep(0.05)


def test_a_forwarder_that_is_killed_loses_nothing_and_keeps_the_order(
    stack: RunningStack, kafka_prefix: str, tmp_path: Path
) -> None:
    events = [shortage("ab"[number % 2], number // 2) for number in range(200)]
    expected = [(event.id, event.sequence) for event in events]
    with shortage_topics(stack, kafka_prefix) as topics, alert_receiver() as receiver:
        for half, kills in enumerate((40, 130)):
            with forwarding(topics, tmp_path, "--to", receiver.url, "--form", "webhook", "--since", "1h") as forwarder:
                topics.send(*events[half * 100 :][:100])
                wait_until(lambda kills=kills: len(receiver.posts) >= kills, "some were posted")  # type: ignore[misc]
                forwarder.kill()
        with forwarding(topics, tmp_path, "--to", receiver.url, "--form", "webhook"):
            wait_until(lambda: set(keys(receiver)) == set(expected), "all were taken")

    assert list(dict.fromkeys(keys(receiver))) == expected
    assert len(receiver.posts) <= len(expected) + 2, "each kill repeats what was under way, and no more"


def test_a_receiver_that_is_away_is_told_of_once_and_waited_for(
    stack: RunningStack, kafka_prefix: str, tmp_path: Path
) -> None:
    with shortage_topics(stack, kafka_prefix) as topics:
        with alert_receiver(always=Answer(503)) as receiver:
            port = receiver.port
            options = ("--to", receiver.url, "--form", "webhook")
            with forwarding(topics, tmp_path, *options, **QUICK) as forwarder:
                topics.send(shortage("a"), resolved("a", 1))
                receiver.wait_until(lambda: len(receiver.posts) >= 5, "it was tried some times")
                forwarder.stop()
        assert forwarder.log.read_text().count("takes nothing") == 1

        with forwarding(topics, tmp_path, *options, **QUICK) as forwarder:
            wait_until(lambda: "takes nothing" in forwarder.log.read_text(), "nobody is there at all")
            with alert_receiver(port=port) as receiver:
                receiver.wait_until(lambda: len(receiver.posts) == 2, "both were taken")
                wait_until(lambda: "takes alerts again" in forwarder.log.read_text(), "it says so")
                forwarder.stop()

    log = forwarder.log.read_text()
    assert (log.count("takes nothing"), log.count("takes alerts again")) == (1, 1)
    assert keys(receiver) == [("a", 0), ("a", 1)]


def test_secrets_are_sent_and_never_told(stack: RunningStack, kafka_prefix: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret-token\n")
    with shortage_topics(stack, kafka_prefix) as topics, alert_receiver(Answer(503), Answer(404)) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/hook/s3cret-path?key=s3cret-query"
        secrets = {"FLEETTWIN_ALERTS__URL": url, "FLEETTWIN_ALERTS__TOKEN_FILE": str(token)}
        with forwarding(topics, tmp_path, "--form", "webhook", **QUICK, **secrets) as forwarder:
            topics.send(shortage("a"))
            receiver.wait_until(lambda: len(receiver.posts) == 2, "it was refused")
            token.write_text("s3cret-rotated")
            topics.send(shortage("b"))
            receiver.wait_until(lambda: len(receiver.posts) == 3, "another was taken")
            forwarder.stop()

    assert [post.headers["Authorization"] for post in receiver.posts] == [
        *["Bearer s3cret-token"] * 2,
        "Bearer s3cret-rotated",
    ]
    assert receiver.posts[0].path == "/hook/s3cret-path?key=s3cret-query"
    letters = (tmp_path / "dead.jsonl").read_text()
    assert orjson.loads(letters)["shortage"] == "a"
    assert "refused for good" in forwarder.log.read_text()
    assert "s3cret" not in letters + forwarder.log.read_text()


def test_pagerduty_is_posted_its_events_with_the_key_from_a_file(
    stack: RunningStack, kafka_prefix: str, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("R0123456789\n")
    with shortage_topics(stack, kafka_prefix) as topics, alert_receiver(always=Answer(202)) as receiver:
        topics.send(shortage("a"))
        options = ("--to", receiver.url, "--form", "pagerduty", "--severity", "critical")
        with forwarding(topics, tmp_path, *options, FLEETTWIN_ALERTS__ROUTING_KEY_FILE=str(key)) as forwarder:
            receiver.wait_until(lambda: len(receiver.posts) == 1, "what was open is triggered")
            topics.send(resolved("a", 1))
            receiver.wait_until(lambda: len(receiver.posts) == 2, "it is resolved")
            forwarder.stop()

    bodies: list[Any] = receiver.taken()
    assert [(body["event_action"], body["dedup_key"], body["routing_key"]) for body in bodies] == [
        ("trigger", "a", "R0123456789"),
        ("resolve", "a", "R0123456789"),
    ]


def test_another_member_of_the_group_takes_over(stack: RunningStack, kafka_prefix: str, tmp_path: Path) -> None:
    with shortage_topics(stack, kafka_prefix) as topics, alert_receiver() as receiver:
        options = ("--to", receiver.url, "--form", "webhook")
        with forwarding(topics, tmp_path, *options) as one, forwarding(topics, tmp_path, *options) as other:
            wait_until(lambda: any("forwarding" in each.log.read_text() for each in (one, other)), "one forwards")
            topics.send(shortage("a"))
            receiver.wait_until(lambda: ("a", 0) in keys(receiver), "one has posted")
            owner, heir = (one, other) if "forwarding" in one.log.read_text() else (other, one)
            owner.kill()
            topics.send(resolved("a", 1))
            receiver.wait_until(lambda: ("a", 1) in keys(receiver), "the other one has taken over")
            assert "forwarding" in heir.log.read_text()
