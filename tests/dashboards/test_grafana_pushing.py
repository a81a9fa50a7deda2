"""Pushing to a Grafana, and to servers that are none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import application
from dashboards.grafana.pushing import data_source, push
from dashboards.grafana.queries import committed
from dashboards.grafana.source import DATA_SOURCE_UID, FOLDER, FOLDER_UID, PAGES
from infra.settings import GrafanaSettings
from models.errors import ConfigurationError, Unavailable
from tests.dashboards.fake_grafana import TOKEN, Grafana, fake_grafana

DATABASE = "postgresql://grafana:p%40ss@db.example:5433/fleet?sslmode=verify-full"


@pytest.fixture
def grafana() -> Iterator[tuple[Grafana, str]]:
    """A Grafana and its address."""
    with fake_grafana() as serving:
        yield serving


def settings(url: str | None, **said: Any) -> GrafanaSettings:
    return GrafanaSettings(url=url, **({"token": TOKEN} | said))


def test_folder_and_dashboards_are_brought_to_grafana(grafana: tuple[Grafana, str]) -> None:
    state, url = grafana

    pushed = push(settings(url), committed())

    assert state.folders == {FOLDER_UID: {"title": FOLDER, "uid": FOLDER_UID}}
    assert set(state.dashboards) == set(PAGES)
    assert {body["folderUid"] for body in state.dashboards.values()} == {FOLDER_UID}
    assert set(pushed.dashboards) == {f"{url}/d/{uid}/{uid}" for uid in PAGES}
    assert pushed.data_source is False


def test_what_is_pushed_is_what_is_committed_but_for_the_number_that_grafana_gives(
    grafana: tuple[Grafana, str],
) -> None:
    state, url = grafana

    push(settings(url), committed())

    pushed = {uid: body["dashboard"] for uid, body in state.dashboards.items()}
    assert {uid: {**document, "id": None} for uid, document in committed().items()} == pushed


def test_pushing_twice_is_pushing_once(grafana: tuple[Grafana, str]) -> None:
    state, url = grafana
    push(settings(url), committed(), DATABASE)
    folders, sources, dashboards = dict(state.folders), dict(state.sources), dict(state.dashboards)

    pushed = push(settings(url), committed(), DATABASE)

    assert (state.folders, state.sources, state.dashboards) == (folders, sources, dashboards)
    assert state.asked.count("POST /api/folders") == 1
    assert state.asked.count("POST /api/datasources") == 1
    assert pushed.data_source is True


def test_the_data_source_has_the_database_of_the_url(grafana: tuple[Grafana, str]) -> None:
    state, url = grafana

    push(settings(url), committed(), DATABASE)

    source = state.sources[DATA_SOURCE_UID]
    assert (source["url"], source["user"]) == ("db.example:5433", "grafana")
    assert (source["jsonData"]["database"], source["jsonData"]["sslmode"]) == ("fleet", "verify-full")
    assert source["jsonData"]["timescaledb"] is True
    assert source["secureJsonData"] == {"password": "p@ss"}


@pytest.mark.parametrize("database", ["nonsense", "postgresql://h/d", "postgresql://user:secret@/d", "host=h dbname=d"])
def test_an_address_of_a_database_that_lacks_something_is_refused_without_repeating_it(database: str) -> None:
    with pytest.raises(ConfigurationError, match="--data-source") as refused:
        data_source(database)

    assert "secret" not in str(refused.value)


def test_a_grafana_below_a_path_is_found_there(grafana: tuple[Grafana, str]) -> None:
    state, url = grafana

    with pytest.raises(ConfigurationError):
        push(settings(url + "/grafana/"), committed())

    assert state.asked[0] == f"GET /grafana/api/folders/{FOLDER_UID}"


@pytest.mark.parametrize(
    ("instead", "error", "said"),
    [
        pytest.param(
            (401, "application/json", '{"message": "Invalid API key"}'), ConfigurationError, "TOKEN", id="wrong-token"
        ),
        pytest.param(
            (403, "application/json", '{"message": "Permissions needed: folders:create"}'),
            ConfigurationError,
            "folders:create",
            id="a-token-that-may-not",
        ),
        pytest.param((404, "text/html", "<h1>nginx</h1>"), ConfigurationError, "GRAFANA__URL", id="no-grafana"),
        pytest.param((200, "text/html", "<h1>hello</h1>"), ConfigurationError, "GRAFANA__URL", id="a-page"),
        pytest.param((200, "application/json", "hello"), ConfigurationError, "GRAFANA__URL", id="no-json"),
        pytest.param((500, "application/json", '{"message": "db is locked"}'), Unavailable, "locked", id="it-fails"),
    ],
)
def test_what_goes_wrong_is_told_by_what_to_change(
    grafana: tuple[Grafana, str], instead: tuple[int, str, str], error: type[Exception], said: str
) -> None:
    state, url = grafana
    state.instead = instead

    with pytest.raises(error, match=said) as told:
        push(settings(url), committed())

    assert TOKEN not in str(told.value)
    assert len(state.asked) == 1


def test_nobody_there_is_unavailable_with_the_address() -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1\b"):
        push(settings("http://127.0.0.1:1"), committed())


@pytest.mark.parametrize(
    ("said", "setting"),
    [
        pytest.param({"url": None}, "FLEETTWIN_GRAFANA__URL", id="no-address"),
        pytest.param({"url": "grafana:3000"}, "FLEETTWIN_GRAFANA__URL", id="no-scheme"),
        pytest.param({"url": "http://admin:secret@g"}, "FLEETTWIN_GRAFANA__URL", id="a-password-in-the-address"),
        pytest.param({"url": "http://g", "token": None}, "FLEETTWIN_GRAFANA__TOKEN", id="no-token"),
        pytest.param(
            {"url": "http://g", "token": TOKEN, "token_file": Path("x")},
            "FLEETTWIN_GRAFANA__TOKEN_FILE",
            id="two-tokens",
        ),
        pytest.param(
            {"url": "http://g", "token": None, "token_file": Path("/nowhere")},
            "FLEETTWIN_GRAFANA__TOKEN_FILE",
            id="no-such-file",
        ),
    ],
)
def test_settings_that_do_not_do_are_told_before_anything_is_sent(said: dict[str, Any], setting: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        push(settings(**said), committed())

    assert refused.value.setting == setting
    assert "secret" not in str(refused.value)


def test_the_command_prints_where_the_dashboards_are_and_that_the_data_source_is_missing(
    grafana: tuple[Grafana, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, url = grafana
    token, database = tmp_path / "token", tmp_path / "database"
    token.write_text(TOKEN + "\n", encoding="utf-8")
    database.write_text(DATABASE + "\n", encoding="utf-8")
    monkeypatch.setenv("FLEETTWIN_GRAFANA__URL", url)
    monkeypatch.setenv("FLEETTWIN_GRAFANA__TOKEN_FILE", str(token))

    without = CliRunner().invoke(application(), ["dashboards", "push"])
    with_it = CliRunner().invoke(application(), ["dashboards", "push", "--data-source", str(database)])

    assert (without.exit_code, with_it.exit_code) == (0, 0)
    assert f"{url}/d/fleet-overview/fleet-overview" in with_it.stdout
    assert "no data source" in without.stderr
    assert "no data source" not in with_it.stderr
