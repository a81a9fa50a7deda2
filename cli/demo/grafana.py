"""The demo's Grafana, where there is one: a server of this machine started for it, or one that runs already."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dashboards.grafana.provisioning import PROVISIONING
from dashboards.grafana.queries import FOLDER, committed
from infra.embedded import ports, process
from infra.settings import GrafanaSettings
from infra.timescale.connection import connect, database_errors, server_name
from infra.timescale.logins import create_login
from infra.timescale.roles import Role
from models.errors import ConfigurationError, Unavailable

PORT_SETTING = "FLEETTWIN_GRAFANA__URL"
USUAL_PORT = 3000
HOME_PAGE = "/d/fleet-overview"
_PROGRAMS = (("grafana", ("server",)), ("grafana-server", ()))
_HOMES = (Path("/usr/share/grafana"), Path("/usr/local/share/grafana"))
_ON_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_STOP_STEPS: process.EndSteps = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True, slots=True)
class DemoGrafana:
    """Where the dashboards are.

    Args:
        url: Of the overview.
        remark: What else there is to know.
        child: The server, where the demo started one.
        log: What it says.
    """

    url: str
    remark: str = ""
    child: subprocess.Popen[bytes] | None = None
    log: Path | None = None

    @property
    def told(self) -> str:
        """The address; or how the server ended, if it did."""
        if self.child is not None and self.child.poll() is not None and self.log is not None:
            return f"it ended with {self.child.returncode}: {process.last_lines(self.log, 1)}"
        return f"{self.url}   {self.remark}" if self.remark else self.url


@contextmanager
def demo_grafana(
    settings: GrafanaSettings,
    database: str,
    schema: str,
    logs: Path,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[DemoGrafana | None]:
    """A Grafana with the dashboards on the demo's database, as long as the demo runs; none where there is no Grafana.

    Args:
        settings: What they name is used; otherwise a server on the PATH is started, on a free port of loopback.
        database: The URL of the demo's database.
        schema: Where the tables are.
        logs: The folder of the demo's logs; the server's data are beside it.
        environment: In which the server is looked for and started.

    Raises:
        ConfigurationError: the settings name one, and its address or token is wrong.
        Unavailable: the settings name one, and it does not answer.
    """
    if settings.url is not None:
        with _reader(database, schema) as login:
            yield _pushed(settings, login)
        return
    command = _command(environment)
    if command is None:
        yield None
        return
    with _reader(database, schema) as login:
        if login is None:
            yield None
            return
        started = _started(command, login, logs, environment)
        try:
            yield started
        finally:
            _stop(started)


def _pushed(settings: GrafanaSettings, login: str | None) -> DemoGrafana:
    from dashboards.grafana.pushing import push  # noqa: PLC0415  # Grafana's client is an extra

    reaches = login is not None and urlsplit(settings.url or "").hostname in _ON_THIS_MACHINE
    pushed = push(settings, committed(), login if reaches else None)
    remark = "" if pushed.data_source else "it has no data source yet: fleettwin dashboards push --data-source FILE"
    return DemoGrafana(f"{pushed.url}{HOME_PAGE}", remark)


def _started(command: list[str], login: str, logs: Path, environment: Mapping[str, str]) -> DemoGrafana:
    port = ports.choose(PORT_SETTING, None, USUAL_PORT)
    data = logs.parent / "grafana"
    shutil.rmtree(data, ignore_errors=True)
    parts = conninfo_to_dict(login)
    log = logs / "grafana.log"
    child = process.start(
        command,
        log,
        signal.SIGKILL,
        environment={
            **environment,
            "GF_SERVER_HTTP_ADDR": ports.HOST,
            "GF_SERVER_HTTP_PORT": str(port),
            "GF_PATHS_DATA": str(data),
            "GF_PATHS_LOGS": str(data / "log"),
            "GF_PATHS_PLUGINS": str(data / "plugins"),
            "GF_PATHS_PROVISIONING": str(PROVISIONING),
            "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
            "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
            "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": str(FOLDER / "fleet-overview.json"),
            # nothing of a demo leaves the machine
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
            "GF_NEWS_NEWS_FEED_ENABLED": "false",
            "GF_PLUGINS_PREINSTALL_DISABLED": "true",
            "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
            "GRAFANA_DATABASE_ADDRESS": f"{parts['host']}:{parts.get('port') or 5432}",
            "GRAFANA_DATABASE_NAME": str(parts["dbname"]),
            "GRAFANA_DATABASE_USER": str(parts["user"]),
            "GRAFANA_DATABASE_PASSWORD": str(parts["password"]),
            "GRAFANA_DATABASE_SSLMODE": str(parts["sslmode"]),
            "GRAFANA_DASHBOARDS": str(FOLDER),
        },
    )
    return DemoGrafana(f"http://{ports.HOST}:{port}{HOME_PAGE}", child=child, log=log)


def _stop(started: DemoGrafana) -> None:
    if started.child is None:
        return
    mark = process.mark(started.child.pid)
    if mark is not None:
        process.end(mark, _STOP_STEPS)
    started.child.wait(5)


def _command(environment: Mapping[str, str]) -> list[str] | None:
    """How the server is started; packages have its own files elsewhere than archives, which have them beside it."""
    for name, arguments in _PROGRAMS:
        found = shutil.which(name, path=environment.get("PATH"))
        if found is not None:
            homes = (*Path(found).resolve().parents[1:2], *_HOMES)
            home = next((folder for folder in homes if (folder / "conf" / "defaults.ini").is_file()), None)
            return [found, *arguments, *([] if home is None else ["--homepath", str(home)])]
    return None


@contextmanager
def _reader(database: str, schema: str) -> Iterator[str | None]:
    """The URL of a login that may only read, for as long as it is needed; none where we may not make one."""
    name, password = f"{schema}_demo_grafana", secrets.token_hex(16)
    with connect(database, "fleettwin demo") as owner:
        try:
            with database_errors(server_name(database)):
                create_login(owner, schema, Role.READER, name, password)
        except ConfigurationError:
            made = False
        else:
            made = True
    try:
        yield make_conninfo(database, user=name, password=password, sslmode=_sslmode(database)) if made else None
    finally:
        if made:
            with suppress(Unavailable), connect(database, "fleettwin demo") as owner:
                owner.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))


def _sslmode(database: str) -> str:
    """What the address says; the embedded server has no certificate, and nobody listens on loopback."""
    parts = conninfo_to_dict(database)
    return str(parts.get("sslmode") or ("disable" if parts.get("host") in _ON_THIS_MACHINE else "require"))
