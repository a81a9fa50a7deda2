"""The demo's Grafana: a stand-in for its program on the PATH, and a server that answers as its API does.

There is no Grafana among the programs that tests may ask for: what it makes of its environment is its own.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cli.demo.grafana import demo_grafana
from dashboards.grafana.provisioning import PROVISIONING, VARIABLES
from dashboards.grafana.queries import FOLDER
from dashboards.grafana.source import DATA_SOURCE_UID, PAGES
from infra.embedded.process import await_condition
from infra.settings import GrafanaSettings
from infra.timescale.connection import connect
from infra.timescale.migrations import migrate
from models.errors import ConfigurationError, Unavailable
from tests.dashboards.fake_grafana import TOKEN, fake_grafana

pytestmark = pytest.mark.servers

SCHEMA = "fleettwin"
LOGIN = "fleettwin_demo_grafana"
STAND_IN = """#!{python}
import http.server, json, os, sys
with open({told!r}, "w") as file:
    json.dump([sys.argv[1:], dict(os.environ)], file)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *said):
        pass
address = (os.environ["GF_SERVER_HTTP_ADDR"], int(os.environ["GF_SERVER_HTTP_PORT"]))
http.server.HTTPServer(address, Handler).serve_forever()
"""


@pytest.fixture
def database(database_url: str) -> Iterator[str]:
    """A migrated database."""
    with connect(database_url, "test") as owner:
        migrate(owner, SCHEMA, "the test's server")
        yield database_url


def on_path(folder: Path, name: str, text: str) -> dict[str, str]:
    """An environment in which a program of that name is found and little else."""
    program = folder / "bin" / name
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    return {"PATH": str(program.parent)}


def stand_in(folder: Path, name: str) -> tuple[dict[str, str], Path]:
    """A server that writes down how it was started, and where it does."""
    told = folder / "told.json"
    return on_path(folder, name, STAND_IN.format(python=sys.executable, told=str(told))), told


def roles(database: str) -> set[str]:
    with psycopg.connect(database) as connection:
        return {row[0] for row in connection.execute("select rolname from pg_roles where rolcanlogin")}


def test_without_a_grafana_there_is_none(database: str, tmp_path: Path) -> None:
    with demo_grafana(GrafanaSettings(), database, SCHEMA, tmp_path / "log", {"PATH": str(tmp_path)}) as grafana:
        assert grafana is None

    assert LOGIN not in roles(database)


@pytest.mark.parametrize(
    ("name", "arguments"), [pytest.param("grafana", ["server"], id="new"), pytest.param("grafana-server", [], id="old")]
)
def test_a_server_on_the_path_runs_for_the_demo_on_loopback_with_our_files(
    database: str, tmp_path: Path, name: str, arguments: list[str]
) -> None:
    environment, told = stand_in(tmp_path, name)

    with demo_grafana(GrafanaSettings(), database, SCHEMA, tmp_path / "demo" / "log", environment) as grafana:
        assert grafana is not None
        assert await_condition(lambda: answers(grafana.url), 30), grafana.told
        started, seen = json.loads(told.read_text(encoding="utf-8"))
        assert grafana.told == grafana.url
        assert grafana.child is not None
        assert grafana.child.poll() is None

    assert started == arguments
    assert seen["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert grafana.url == f"http://127.0.0.1:{seen['GF_SERVER_HTTP_PORT']}/d/fleet-overview"
    assert (seen["GF_PATHS_PROVISIONING"], seen["GRAFANA_DASHBOARDS"]) == (str(PROVISIONING), str(FOLDER))
    assert seen["GF_PATHS_DATA"].startswith(str(tmp_path))
    assert set(VARIABLES) <= set(seen)
    assert grafana.child.poll() is not None


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_the_servers_files_are_given_where_they_lie_beside_it(database: str, tmp_path: Path) -> None:
    environment, told = stand_in(tmp_path, "grafana")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "defaults.ini").touch()

    with demo_grafana(GrafanaSettings(), database, SCHEMA, tmp_path / "demo" / "log", environment) as grafana:
        assert grafana is not None
        assert await_condition(lambda: answers(grafana.url), 30), grafana.told

    assert json.loads(told.read_text(encoding="utf-8"))[0] == ["server", "--homepath", str(tmp_path)]


def test_its_login_reads_our_tables_by_their_names_writes_nothing_and_is_gone_afterwards(
    database: str, tmp_path: Path
) -> None:
    environment, told = stand_in(tmp_path, "grafana")

    with demo_grafana(GrafanaSettings(), database, SCHEMA, tmp_path / "demo" / "log", environment) as grafana:
        assert grafana is not None
        assert await_condition(lambda: answers(grafana.url), 30), grafana.told
        seen = json.loads(told.read_text(encoding="utf-8"))[1]
        host, _, port = seen["GRAFANA_DATABASE_ADDRESS"].partition(":")
        with psycopg.connect(
            host=host,
            port=port,
            dbname=seen["GRAFANA_DATABASE_NAME"],
            user=seen["GRAFANA_DATABASE_USER"],
            password=seen["GRAFANA_DATABASE_PASSWORD"],
            sslmode=seen["GRAFANA_DATABASE_SSLMODE"],
            autocommit=True,
        ) as connection:
            assert connection.execute("select count(*) from fleet_now").fetchone() == (0,)
            with pytest.raises(psycopg.Error):
                connection.execute("delete from shortages")

    assert LOGIN not in roles(database)


def test_a_server_that_ends_is_told_with_what_it_said_last_and_the_demo_goes_on(database: str, tmp_path: Path) -> None:
    environment = on_path(tmp_path, "grafana", f"#!{sys.executable}\nraise SystemExit('no disk left')\n")

    with demo_grafana(GrafanaSettings(), database, SCHEMA, tmp_path / "demo" / "log", environment) as grafana:
        assert grafana is not None
        assert await_condition(lambda: grafana.told.startswith("it ended"), 30)

    assert grafana.told == "it ended with 1: no disk left"


def test_a_grafana_in_the_settings_gets_the_dashboards_and_a_data_source(database: str, tmp_path: Path) -> None:
    with fake_grafana() as (state, url):
        settings = settings_of(url)
        with demo_grafana(settings, database, SCHEMA, tmp_path / "log", {"PATH": str(tmp_path)}) as grafana:
            assert grafana is not None
            assert grafana.told == f"{url}/d/fleet-overview"
            assert LOGIN in roles(database)

    assert set(state.dashboards) == set(PAGES)
    assert state.sources[DATA_SOURCE_UID]["user"] == LOGIN
    assert state.sources[DATA_SOURCE_UID]["jsonData"]["sslmode"] == "disable"
    assert LOGIN not in roles(database)


def settings_of(url: str, **said: Any) -> GrafanaSettings:
    return GrafanaSettings(url=url, **({"token": TOKEN} | said))


def test_a_wrong_token_ends_the_demo_before_it_begins(database: str, tmp_path: Path) -> None:
    with (
        fake_grafana() as (_, url),
        pytest.raises(ConfigurationError, match="TOKEN"),
        demo_grafana(settings_of(url, token="another"), database, SCHEMA, tmp_path / "log", {"PATH": ""}),
    ):
        pass

    assert LOGIN not in roles(database)


def test_a_grafana_that_does_not_answer_is_unavailable(database: str, tmp_path: Path) -> None:
    settings = settings_of("http://127.0.0.1:1")

    with (
        pytest.raises(Unavailable, match="does not answer"),
        demo_grafana(settings, database, SCHEMA, tmp_path / "log", {"PATH": ""}),
    ):
        pass
