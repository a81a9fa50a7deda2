"""The main job with nothing in the clear: every process logs in as a user of its own, with the rights of its role."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from infra.acls import Role, allow, grants_of
from infra.timescale.connection import connect
from infra.timescale.logins import create_login
from infra.timescale.roles import Role as DatabaseRole
from models.topics import SHORTAGES, STATE
from tests.live.world import SCENARIO, World, fleettwin, new_world
from tests.security.servers import Secured, addresses, variables

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

SECONDS = "45"


def allowed(world: World, secured: Secured, *roles: Role, groups: tuple[str, ...] = ()) -> dict[str, str]:
    """The settings of a new user of Kafka with the rights of these roles."""
    user, password = secured.add_user()
    for role in roles:
        grants = grants_of(world.settings.kafka, role, groups)
        allow(world.settings, f"User:{user}", grants)
        secured.await_rights(user, len(grants))
    return variables(secured.as_user(user, password))


def test_a_fleet_is_simulated_folded_stored_and_verified_over_tls_with_least_rights(
    secured: Secured, tmp_path: Path
) -> None:
    with (
        secured.new_database() as database,
        new_world(
            addresses(secured, database), "e2e.", secured.url(database), tmp_path, kafka=secured.as_admin
        ) as world,
    ):
        create_login(world.database, world.schema, DatabaseRole.WRITER, "e2e_writer", "of the writer")
        create_login(world.database, world.schema, DatabaseRole.READER, "e2e_reader", "of the reader")
        as_writer = {"FLEETTWIN_DATABASE__URL": secured.url(database, "e2e_writer", "of the writer")}
        as_reader = {"FLEETTWIN_DATABASE__URL": secured.url(database, "e2e_reader", "of the reader")}
        twin = world.start("twin", **allowed(world, secured, Role.TWIN))
        store = world.start("store", **allowed(world, secured, Role.STORE), **as_writer)
        sender = allowed(world, secured, Role.PUBLISHER, Role.PLANNER)
        world.wait_until(lambda: world.members("twin") == world.members("store") == 1, "both workers have partitions")
        assert tls_and_user(secured, database, "e2e_writer")

        command = ("simulate", "--scenario", SCENARIO, "--clock", "log", "--speed", "max", "--seconds", SECONDS)
        sent = fleettwin(*command, environment={**world.environment, **sender}, folder=tmp_path)
        assert sent.returncode == 0, sent.stderr
        world.wait_until(lambda: world.end(SHORTAGES) > 0, "a shortage has opened")
        world.wait_until_all_is_stored()
        world.stop(twin, store)

        consumer = allowed(world, secured, Role.CONSUMER, groups=("pager",))
        environment = {**world.environment, **consumer}
        told = fleettwin("alerts", "--group", "pager", "--json", environment=environment, folder=tmp_path)
        auditor = allowed(world, secured, Role.AUDITOR)
        environment = {**world.environment, **auditor, **as_reader}
        verified = fleettwin("verify", "--json", environment=environment, folder=tmp_path)

    assert verified.returncode == 0, verified.stdout + verified.stderr
    report = orjson.loads(verified.stdout)
    assert report["differences"] == 0
    assert report["compared"][STATE]["found"] > 0
    assert report["compared"]["table site_samples"]["found"] > 0
    assert told.returncode == 0, told.stderr
    assert len(told.stdout.splitlines()) == report["compared"][SHORTAGES]["found"]


def tls_and_user(secured: Secured, database: str, user: str) -> bool:
    """Whether the server has the user's connections, and each is encrypted."""
    with connect(secured.url(database), "test") as owner:
        rows = owner.execute(
            "select ssl from pg_stat_activity join pg_stat_ssl using (pid) where usename = %s", [user]
        ).fetchall()
    return all(encrypted for (encrypted,) in rows)
