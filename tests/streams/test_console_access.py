"""Who may ask the console: tokens, hosts, and what every answer says to a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from pydantic import SecretStr

from infra.plain_log import log_plainly
from infra.settings import ConsoleSettings
from models.errors import ConfigurationError
from streams.console.access import SECURITY, Hosts
from streams.console.token import token_of
from tests.builders import SITE
from tests.console_builders import Built, ask, built

TOKEN = "a-token"
GUARDED = ("/api/fleet", "/api/sites", "/api/sites/x", "/api/nodes/x", "/api/shortages", "/api/events", "/readyz")
FURTHER_GUARDED = ("/metrics", "/api/openapi.json")


def asked(made: Built, path: str, method: str = "GET", **said: Any) -> httpx.Response:
    return asyncio.run(ask(made, path, method, **said))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<!doctype html><title>page</title>", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", [*GUARDED, *FURTHER_GUARDED])
@pytest.mark.parametrize(
    "brought",
    [
        pytest.param(None, id="nothing"),
        pytest.param("Bearer another", id="another"),
        pytest.param("Bearer a-toke", id="the-beginning"),
        pytest.param("Bearer a-token-", id="more"),
        pytest.param("Bearer ", id="empty"),
        pytest.param("Basic a-token", id="another-scheme"),
        pytest.param("Bearer \u00e4-token".encode(), id="not-ascii"),
    ],
)
def test_without_the_token_nobody_is_told_anything(method: str, path: str, brought: str | bytes | None) -> None:
    headers = {} if brought is None else {"authorization": brought}
    answer = asked(built(), path, method, token=TOKEN, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="fleettwin"'
    assert TOKEN not in answer.text


@pytest.mark.parametrize("path", ["/api/fleet", "/readyz", "/metrics", "/api/openapi.json"])
def test_whoever_brings_the_token_is_answered(path: str) -> None:
    assert asked(built(), path, token=TOKEN, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/index.html", "/healthz"])
def test_the_page_and_the_health_need_no_token(path: str, page: Path) -> None:
    assert asked(built(), path, token=TOKEN, pages=page).status_code == 200


@pytest.mark.parametrize("path", ["//api/fleet", "/api//fleet", "/API/fleet", "/api/fleet/", "/./api/fleet"])
def test_no_way_of_writing_a_path_gets_around_the_token(path: str, page: Path) -> None:
    assert asked(built(), path, token=TOKEN, pages=page).status_code in (401, 404)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        pytest.param("127.0.0.1:8470", 200, id="loopback"),
        pytest.param("127.8.9.1", 200, id="another-loopback"),
        pytest.param("localhost:8470", 200, id="by-name"),
        pytest.param("[::1]:8470", 200, id="of-ipv6"),
        pytest.param("twin.example", 200, id="as-it-is-advertised"),
        pytest.param("evil.example", 400, id="a-name-that-points-here"),
        pytest.param("127.0.0.1.evil.example", 400, id="a-name-that-looks-like-it"),
        pytest.param("localhost.evil.example", 400, id="another"),
        pytest.param("10.0.0.1", 400, id="another-machine"),
        pytest.param("", 400, id="none"),
        pytest.param("[::1", 400, id="broken"),
    ],
)
@pytest.mark.parametrize("path", ["/api/fleet", "/", "/healthz"])
def test_on_loopback_the_console_answers_to_its_own_names_alone(host: str, status: int, path: str, page: Path) -> None:
    answer = asked(built(), path, hosts=Hosts(["twin.example"]), pages=page, headers={"host": host})

    assert answer.status_code == status


def test_open_to_the_world_any_host_is_answered() -> None:
    assert asked(built(), "/api/fleet", headers={"host": "twin.example"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/fleet", 200), ("/", 200), ("/api/x", 404), ("/api/nodes/n", 404), ("/api/sites/x?limit=x", 422)],
)
def test_every_answer_tells_the_browser_to_trust_nothing_else(path: str, status: int, page: Path) -> None:
    answer = asked(built(), path, pages=page)

    assert answer.status_code == status
    assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == ("no-cache" if path == "/" else "no-store")


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("logs_as_before")
def test_a_mistake_of_ours_is_a_plain_500_and_is_in_the_log_without_what_was_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_plainly()
    made = built()
    made.live.watch.sites[SITE] = None  # type: ignore[assignment]
    answer = asked(made, "/api/sites", token=TOKEN, headers={"authorization": f"Bearer {TOKEN}"})
    told = capsys.readouterr().err

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "a question could not be answered" in told
    assert "Traceback (most recent call last)" in told
    assert TOKEN not in told
    assert asked(made, "/healthz").status_code == 200


def test_a_token_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n", encoding="utf-8")

    assert token_of(ConsoleSettings(token_file=file)) == TOKEN
    assert token_of(ConsoleSettings(token=SecretStr(TOKEN))) == TOKEN
    assert token_of(ConsoleSettings()) is None


@pytest.mark.parametrize(
    "text", [pytest.param("", id="empty"), pytest.param("\n", id="blank"), pytest.param("a\nb", id="two-lines")]
)
def test_a_file_without_a_token_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError, match="FLEETTWIN_CONSOLE__TOKEN_FILE"):
        token_of(ConsoleSettings(token_file=file))


def test_a_token_that_is_no_token_is_refused_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="hidden"):
        token_of(ConsoleSettings(token=SecretStr("secr\u00e4t")))
    with pytest.raises(ConfigurationError, match="FLEETTWIN_CONSOLE__TOKEN"):
        token_of(ConsoleSettings(token=SecretStr("")))
    with pytest.raises(ConfigurationError, match="TOKEN_FILE"):
        token_of(ConsoleSettings(token_file=tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="TOKEN_FILE"):
        token_of(ConsoleSettings(token=SecretStr(TOKEN), token_file=tmp_path / "none"))
