"""Secrets are told to nobody: canaries in every setting that holds one, and then a look wherever something is written.

Commands and workers, working and failing; what they print and log, what they answer over HTTP, how they are listed
among the processes, and what the servers themselves wrote down.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
import pytest
from psycopg import sql

from infra.acls import Role, allow, grants_of
from infra.embedded import ports
from models.topics import SHORTAGES
from tests.dashboards.fake_grafana import fake_grafana
from tests.live.world import SCENARIO, Running, World, fleettwin, new_world
from tests.receiver import alert_receiver
from tests.security.servers import Secured, addresses, variables

NOBODY = 1
"""A port at which nothing listens."""

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]


def canary(name: str) -> str:
    """A secret that nothing else looks like."""
    return f"canary{name}{secrets.token_hex(8)}"


@dataclass
class Canaries:
    """The secrets, and all that was said where they must not be."""

    kafka: str = field(default_factory=lambda: canary("kafka"))
    database: str = field(default_factory=lambda: canary("database"))
    console: str = field(default_factory=lambda: canary("console"))
    alerts: str = field(default_factory=lambda: canary("alerts"))
    url: str = field(default_factory=lambda: canary("url"))
    routing: str = field(default_factory=lambda: canary("routing"))
    grafana: str = field(default_factory=lambda: canary("grafana"))
    wrong: str = field(default_factory=lambda: canary("wrong"))
    said: dict[str, bytes] = field(default_factory=dict)

    @property
    def secret(self) -> tuple[str, ...]:
        known = (self.kafka, self.database, self.console, self.alerts, self.url, self.routing, self.grafana)
        return (*known, self.wrong)

    def note(self, where: str, what: str | bytes) -> None:
        self.said[f"{where} ({len(self.said)})"] = what.encode() if isinstance(what, str) else what

    def found(self) -> list[str]:
        """Where one of them shows, as it is or in another dress."""
        return [
            f"{name} in {where}: ...{what[max(0, at - 80) : at + 20]!r}"
            for where, what in self.said.items()
            for name in self.secret
            for dress in dresses(name)
            if (at := what.find(dress)) >= 0
        ]


def dresses(secret: str) -> tuple[bytes, ...]:
    """A secret as it is, and in base64, however it lies within what surrounds it."""
    raw = secret.encode()
    return (raw, *(base64.b64encode(b"." * shift + raw)[4:20] for shift in (3, 4, 5)))


def process_lists() -> str:
    """The command lines of all processes."""
    lines = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                lines.append((process / "cmdline").read_text(errors="replace"))
            except OSError:
                continue  # it has ended
    return "\n".join(lines)


def environments_of(worker: Running) -> bytes:
    return Path(f"/proc/{worker.child.pid}/environ").read_bytes()


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def world(secured: Secured, canaries: Canaries, tmp_path: Path) -> Iterator[World]:
    """A twin whose user of Kafka, user of the database, and all tokens are canaries."""
    user, _ = secured.add_user(canaries.kafka)
    with secured.new_database() as database:
        with psycopg.connect(secured.url("postgres"), autocommit=True) as server:
            create = sql.SQL("create role {} superuser login password {}")
            server.execute(create.format(sql.Identifier(user), canaries.database))
        url, prefix = secured.url(database, user, canaries.database), f"{user}."
        with new_world(addresses(secured, database), prefix, url, tmp_path, kafka=secured.as_admin) as made:
            for role in Role:
                grants = grants_of(made.settings.kafka, role, ("alerts-forward",) if role is Role.CONSUMER else ())
                allow(made.settings, f"User:{user}", grants)
                secured.await_rights(user, len(grants))
            made.environment |= {
                **variables(secured.as_user(user, canaries.kafka)),
                "FLEETTWIN_CONSOLE__TOKEN": canaries.console,
                "FLEETTWIN_ALERTS__TOKEN": canaries.alerts,
                "FLEETTWIN_ALERTS__ROUTING_KEY": canaries.routing,
                "FLEETTWIN_GRAFANA__TOKEN": canaries.grafana,
            }
            yield made


def run(world: World, canaries: Canaries, *arguments: str | Path, code: int, **settings: str) -> None:
    """Run a command and keep what it says."""
    done = fleettwin(*arguments, environment={**world.environment, **settings}, folder=world.folder)
    canaries.note(" ".join(map(str, arguments)), done.stdout + done.stderr)
    assert done.returncode == code, done.stdout + done.stderr


def test_no_secret_is_told_by_what_works(secured: Secured, world: World, canaries: Canaries) -> None:
    port = ports.choose("", None, None)
    url = f"http://127.0.0.1:{port}"
    with alert_receiver() as receiver, fake_grafana(canaries.grafana) as (_, grafana):
        twin, store = world.start("twin", FLEETTWIN_CONSOLE__PORT=str(port)), world.start("store")
        world.wait_until(lambda: world.members("twin") == world.members("store") == 1, "both workers have partitions")
        secret_address = f"http://127.0.0.1:{receiver.port}/{canaries.url}"
        forward = world.start(
            "alerts", "forward", "--form", "webhook", "--since", "1d", FLEETTWIN_ALERTS__URL=secret_address
        )
        simulate = ("simulate", "--scenario", SCENARIO, "--clock", "log", "--speed", "max", "--seconds", "30")
        run(world, canaries, *simulate, code=0)
        world.wait_until(lambda: world.end(SHORTAGES) > 0, "a shortage has opened")
        world.wait_until(lambda: len(receiver.posts) > 0, "it was forwarded")
        canaries.note("process list", process_lists())
        environments = environments_of(twin) + environments_of(forward)
        world.wait_until(lambda: is_ready(url, canaries.console), "the console is ready")
        answers(url, canaries)
        for command in (("topics", "list"), ("db", "migrate"), ("db", "status"), ("alerts",), ("alerts", "--open")):
            run(world, canaries, *command, code=0)
        run(world, canaries, "dashboards", "push", code=0, FLEETTWIN_GRAFANA__URL=grafana)
        world.wait_until_all_is_stored()
        world.stop(forward, twin, store)
        run(world, canaries, "record", "--out", "all.log", code=0)
        run(world, canaries, "verify", code=0)
        posted = receiver.posts[0]

    note_files(world, canaries)
    canaries.note("the servers", server_logs(secured))
    assert canaries.found() == []
    # They were there to be told: the receiver and the environment have them, and the search finds them there.
    assert (posted.path, posted.headers["Authorization"]) == (f"/{canaries.url}", f"Bearer {canaries.alerts}")
    assert all(one.encode() in environments for one in (canaries.kafka, canaries.database, canaries.console))
    canaries.note("environment", environments)
    assert len(canaries.found()) >= 5


def answers(url: str, canaries: Canaries) -> None:
    """What the console answers to whoever has the token, and to whoever has another."""
    paths = (
        "/api/fleet",
        "/api/sites",
        "/api/shortages",
        "/readyz",
        "/metrics",
        "/healthz",
        "/",
        "/none",
        "/api/nodes/x",
    )
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        for token in (canaries.console, canaries.wrong, ""):
            for path in paths:
                answer = client.get(path, headers={"authorization": f"Bearer {token}"} if token else {})
                canaries.note(path, answer.content + repr(answer.headers).encode())
                assert answer.status_code == expected(path, token == canaries.console), path


def is_ready(url: str, token: str) -> bool:
    answer = httpx.get(f"{url}/readyz", headers={"authorization": f"Bearer {token}"}, trust_env=False)
    return answer.status_code == 200


def expected(path: str, known: bool) -> int:
    if path == "/none":
        return 404
    if path in {"/", "/healthz"}:
        return 200
    return (404 if path == "/api/nodes/x" else 200) if known else 401


def note_files(world: World, canaries: Canaries) -> None:
    """Logs and whatever else was written."""
    for file in world.folder.rglob("*"):
        if file.is_file():
            canaries.note(str(file.relative_to(world.folder)), file.read_bytes())


def server_logs(secured: Secured) -> bytes:
    return b"".join(file.read_bytes() for file in secured.logs.glob("*.log"))


def test_no_secret_is_told_by_what_fails(secured: Secured, world: World, canaries: Canaries) -> None:
    wrong = canaries.wrong
    nowhere = f"http://127.0.0.1:{NOBODY}"
    wrong_database = secured.url("postgres", "fleettwin", wrong)
    with_spaces = f"postgresql://someone:{wrong} {wrong}@@host/x"
    cases: list[tuple[tuple[str, ...], int, Mapping[str, str]]] = [
        (("topics", "list"), 2, {"FLEETTWIN_KAFKA__PASSWORD": wrong}),
        (("topics", "list"), 2, {"FLEETTWIN_KAFKA__PASSWORD": wrong + "\u00e4"}),
        (("topics", "list"), 2, {"FLEETTWIN_KAFKA__SECURITY_PROTOCOL": "PLAINTEXT"}),
        (("topics", "list"), 2, {"FLEETTWIN_KAFKA__PASSWORDS": wrong}),
        (("topics", "list"), 2, {"FLEETTWIN_KAFKA": f'["{wrong}"]'}),
        (("topics", "list"), 2, {"FLEETTWIN_KAFKA": wrong}),
        (("topics", "list"), 1, {"FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}),
        (("topics", "create"), 2, {"FLEETTWIN_KAFKA__TOPIC_PREFIX": "forbidden."}),
        (("twin",), 2, {"FLEETTWIN_KAFKA__PASSWORD": wrong}),
        (("twin",), 2, {"FLEETTWIN_CONSOLE__TOKEN": wrong + "\n" + wrong}),
        (("store",), 2, {"FLEETTWIN_DATABASE__URL": wrong_database}),
        (("db", "status"), 2, {"FLEETTWIN_DATABASE__URL": wrong_database}),
        (("db", "status"), 2, {"FLEETTWIN_DATABASE__URL": with_spaces}),
        (("db", "status"), 2, {"FLEETTWIN_DATABASE__URL": f"postgres://{wrong}", "FLEETTWIN_DATABASE__URL_FILE": "x"}),
        (("dashboards", "push"), 1, {"FLEETTWIN_GRAFANA__URL": nowhere}),
        (("alerts", "forward"), 2, {"FLEETTWIN_ALERTS__URL": f"ftp://{wrong}:{wrong}@host/{wrong}"}),
        (("alerts", "forward", "--to", nowhere), 2, {"FLEETTWIN_ALERTS__TOKEN_FILE": "none"}),
    ]
    for command, code, settings in cases:
        run(world, canaries, *command, code=code, **settings)
    with fake_grafana(canaries.grafana) as (_, grafana):
        settings = {"FLEETTWIN_GRAFANA__URL": grafana, "FLEETTWIN_GRAFANA__TOKEN": wrong}
        run(world, canaries, "dashboards", "push", code=2, **settings)
    forward = world.start("alerts", "forward", FLEETTWIN_ALERTS__URL=f"{nowhere}/{quote(canaries.url)}")
    world.wait_until(lambda: "forwarding" in forward.log.read_text(), "it is at work")
    canaries.note("process list", process_lists())
    world.kill(forward)

    note_files(world, canaries)
    assert canaries.found() == []
