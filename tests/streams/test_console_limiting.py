"""How much a caller may ask of the console, and what one is told who asks too much."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

import dashboards
from infra.settings import ConsoleSettings
from streams.console.app import console_app
from streams.console.limiting import BURST_SECONDS, MOST_CALLERS, MOST_HEADER_BYTES, MOST_URL_BYTES, Pace
from tests.console_builders import Built, ask, built, transport
from tests.console_http import over_http


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def asked(made: Built, path: str, method: str = "GET", **said: Any) -> httpx.Response:
    return asyncio.run(ask(made, path, method, **said))


def test_a_burst_is_answered_and_what_comes_after_waits_its_turn() -> None:
    clock = Clock()
    pace = Pace(10, clock)
    burst = [pace.wait_for("a") for _ in range(10 * BURST_SECONDS)]

    assert set(burst) == {0.0}
    assert pace.wait_for("a") == pytest.approx(0.1)
    clock.seconds += 0.1
    assert pace.wait_for("a") == 0.0
    assert pace.wait_for("a") > 0


def test_an_even_pace_below_the_rate_is_never_refused() -> None:
    clock = Clock()
    pace = Pace(10, clock)
    waits = []
    for _ in range(1000):
        waits.append(pace.wait_for("a"))
        clock.seconds += 0.1001

    assert set(waits) == {0.0}


def test_one_caller_does_not_use_up_what_another_has() -> None:
    pace = Pace(1, Clock())
    while pace.wait_for("greedy") == 0:
        pass

    assert pace.wait_for("modest") == 0


def test_callers_without_end_do_not_use_memory_without_end() -> None:
    pace = Pace(1, Clock())
    for number in range(MOST_CALLERS + 100):
        pace.wait_for(str(number))

    assert len(pace._buckets) == MOST_CALLERS


def test_a_rate_of_nothing_is_no_limit() -> None:
    pace = Pace(0, Clock())

    assert {pace.wait_for("a") for _ in range(10_000)} == {0.0}


def test_who_asks_too_often_is_told_when_to_come_back_and_whether_the_worker_lives() -> None:
    async def story() -> tuple[list[httpx.Response], httpx.Response]:
        to_app = transport(built(), pace=Pace(1, Clock()))
        async with httpx.AsyncClient(transport=to_app, base_url="http://127.0.0.1:8470") as client:
            answers = [await client.get("/api/fleet") for _ in range(BURST_SECONDS + 1)]
            return answers, await client.get("/healthz")

    (*answered, refused), alive = asyncio.run(story())

    assert {answer.status_code for answer in answered} == {200}
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
    assert int(refused.headers["retry-after"]) >= 1
    assert "FLEETTWIN_CONSOLE__REQUESTS_PER_SECOND" in refused.json()["detail"]
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert alive.status_code == 200


@pytest.mark.parametrize(
    ("path", "said", "status"),
    [
        pytest.param("/api/sites/" + "x" * MOST_URL_BYTES, {}, 414, id="path"),
        pytest.param("/api/fleet?" + "x" * MOST_URL_BYTES, {}, 414, id="query"),
        pytest.param("/api/fleet", {"headers": {"x": "x" * MOST_HEADER_BYTES}}, 431, id="header"),
        pytest.param("/api/fleet", {"headers": {f"x{n}": "x" * 1000 for n in range(20)}}, 431, id="headers"),
        pytest.param("/api/fleet", {"content": b"{}"}, 413, id="body"),
        pytest.param("/api/fleet", {"headers": {"transfer-encoding": "chunked"}}, 413, id="body-of-unknown-length"),
    ],
)
def test_a_question_larger_than_any_is_not_looked_at(path: str, said: dict[str, Any], status: int) -> None:
    answer = asked(built(), path, token="a-token", **said)

    assert answer.status_code == status
    assert answer.headers["content-security-policy"]


def test_a_question_as_large_as_they_come_is_answered() -> None:
    headers = {"x": "x" * (MOST_HEADER_BYTES - 1000)}

    assert asked(built(), "/api/fleet?" + "x" * (MOST_URL_BYTES - 100), headers=headers).status_code == 200


def test_the_page_may_be_loaded_several_times_at_once() -> None:
    page = Path(dashboards.__file__).with_name("console")
    files = ["/" + str(file.relative_to(page)) for file in page.rglob("*") if file.is_file()]
    usual = Pace(ConsoleSettings().requests_per_second, Clock())

    async def story() -> list[int]:
        to_app = transport(built(), pages=page, pace=usual)
        async with httpx.AsyncClient(transport=to_app, base_url="http://127.0.0.1:8470") as client:
            asked = [*files, "/api/fleet", "/api/sites", "/api/shortages"]
            return [(await client.get(path)).status_code for _ in range(5) for path in asked]

    assert set(asyncio.run(story())) == {200}


def test_a_caller_that_never_finishes_its_question_is_cut_off() -> None:
    with over_http(console_app(built().console, None, None, None)) as url, held_open(url) as connection:
        connection.sendall(b"GET /api/fleet HTTP/1.1\r\nx: ")
        with suppress(ConnectionError):
            while True:  # until the other side has had enough
                connection.sendall(b"x" * 4096)

        assert not connection.recv(1 << 20).startswith(b"HTTP/1.1 200")


@contextmanager
def held_open(url: str) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), 10) as connection:
        yield connection
