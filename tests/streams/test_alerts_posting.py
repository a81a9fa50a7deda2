"""One post: what an answer means, how long to wait, and what may be shown of an address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.utils import formatdate
from pathlib import Path

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ConfigurationError
from streams.forwarding.addresses import checked_url, server_of
from streams.forwarding.dead_letters import DeadLetters
from streams.forwarding.posting import LONGEST_PAUSE_SECONDS, Receiver, Refused, Unready, pause_of
from tests.receiver import Answer, alert_receiver


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=0.5) as client:
        yield client


def no_headers() -> Mapping[str, str]:
    return {}


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_success_means_taken(client: httpx.Client, status: int) -> None:
    with alert_receiver(Answer(status)) as receiver:
        Receiver(client, receiver.url, lambda: {"Authorization": "Bearer t"}).post({"a": 1}, "x#1 é")

    (post,) = receiver.posts
    assert (post.path, post.body) == ("/hook", {"a": 1})
    assert post.headers["Authorization"] == "Bearer t"
    assert post.headers["Idempotency-Key"] == "x%231%20%C3%A9"


@pytest.mark.parametrize(
    ("answer", "why", "pause"),
    [
        pytest.param(
            Answer(500, body=b"it  hurts\n\x1b[2J"), r"500 Internal Server Error: it hurts \x1b[2J", 0, id="500"
        ),
        pytest.param(Answer(503, {"Retry-After": "7"}), "503 Service Unavailable", 7, id="503"),
        pytest.param(Answer(429, {"Retry-After": "3"}), "429 Too Many Requests", 3, id="429"),
        pytest.param(Answer(408), "408 Request Timeout", 0, id="408"),
        pytest.param(Answer(closes=True), "RemoteProtocolError", 0, id="hangs-up"),
        pytest.param(Answer(hangs=True), "ReadTimeout", 0, id="hangs"),
    ],
)
def test_what_may_pass_is_to_be_tried_again(client: httpx.Client, answer: Answer, why: str, pause: float) -> None:
    with alert_receiver(answer) as receiver, pytest.raises(Unready) as told:
        Receiver(client, receiver.url, no_headers).post({})

    assert str(told.value).startswith(why)
    assert told.value.pause == pause


def test_nobody_there_is_to_be_tried_again(client: httpx.Client) -> None:
    with alert_receiver() as receiver:
        url = receiver.url

    with pytest.raises(Unready, match="ConnectError"):
        Receiver(client, url, no_headers).post({})


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 410, 413, 422])
def test_what_does_not_pass_is_refused_for_good_with_what_was_said(client: httpx.Client, status: int) -> None:
    answer = Answer(status, {"Location": "http://127.0.0.1:1/"}, b"no " * 1000)
    with alert_receiver(answer) as receiver, pytest.raises(Refused, match=f"^{status} .*: no no") as told:
        Receiver(client, receiver.url, no_headers).post({})

    assert len(str(told.value)) < 400


NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        pytest.param(None, 0, id="nothing"),
        pytest.param("120", 120, id="seconds"),
        pytest.param(formatdate(NOW + 90, usegmt=True), 90, id="a-date"),
        pytest.param(formatdate(NOW - 90, usegmt=True), 0, id="a-date-that-has-passed"),
        pytest.param("999999999", LONGEST_PAUSE_SECONDS, id="for-ever"),
        pytest.param("soon", 0, id="nonsense"),
        pytest.param("-5", 0, id="negative"),
    ],
)
def test_a_retry_after_is_read_in_both_forms(stated: str | None, seconds: float) -> None:
    assert pause_of(stated, NOW) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_breaks_the_forwarder(stated: str) -> None:
    assert 0 <= pause_of(stated, NOW) <= LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:9093",
        "https://user:secret@alerts.example/hook/T0/secret?key=secret",
        "http://[::1]:8080/x",
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(url: str) -> None:
    assert checked_url("--to", url) == url
    assert "secret" not in server_of(url)
    assert server_of(url).startswith(url[:7])


@pytest.mark.parametrize(
    "url",
    [
        "secret",
        "localhost:9093",
        "ftp://user:secret@host/x",
        "http://",
        "http://user:secret@",
        "http://host:99999/secret",
        "http://host:port/secret",
        "http://host/secret\x1b[2J",
        "http://host/x#secret",
        "http://[::1/secret",
    ],
)
def test_what_cannot_be_posted_to_is_told_without_its_secret(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--to is .*expected http://host:port/path") as told:
        checked_url("--to", url)

    assert "secret" not in str(told.value)


def test_dead_letters_are_whole_lines_even_behind_one_that_broke_off(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    path.write_bytes(b'{"a": 1}\n{"brok')
    with DeadLetters(path) as letters:
        letters.add(reason="no", shortage="a")
        letters.add(reason="no", shortage="b")

    lines = path.read_bytes().splitlines()
    assert lines[:2] == [b'{"a": 1}', b'{"brok']
    assert [orjson.loads(line)["shortage"] for line in lines[2:]] == ["a", "b"]
    assert path.read_bytes().endswith(b"\n")


def test_dead_letters_that_cannot_be_written_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"--dead-letters is .*no/dead.jsonl.*a file to append to"):
        DeadLetters(tmp_path / "no" / "dead.jsonl")
