"""Workers that were let in, and would not be any more, end: they do not go on asking for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.acls import Role, allow, grants_of
from tests.live.world import World, new_world
from tests.security.servers import Secured, addresses, variables

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]


def test_workers_whose_user_is_taken_away_end_and_say_why(secured: Secured, tmp_path: Path) -> None:
    with (
        secured.new_database() as database,
        new_world(
            addresses(secured, database), "welcome.", secured.url(database), tmp_path, kafka=secured.as_admin
        ) as world,
    ):
        user = worker_user(world, secured)
        workers = [world.start("twin", **user), world.start("store", **user)]
        world.wait_until(lambda: world.members("store") == 1, "the store has partitions")
        world.wait_until(lambda: "lanes open" in workers[0].log.read_text(), "the twin is at work")
        for worker in workers:
            world.running.remove(worker)
            world.ended.append(worker)
        secured.remove_user(user["FLEETTWIN_KAFKA__USER"])
        codes = [worker.child.wait(60) for worker in workers]

    assert codes == [2, 2]
    for worker in workers:
        assert f"the password of user {user['FLEETTWIN_KAFKA__USER']!r}" in worker.told()
        assert user["FLEETTWIN_KAFKA__PASSWORD"] not in worker.told()


def worker_user(world: World, secured: Secured) -> dict[str, str]:
    """The settings of a user with the rights of both workers."""
    user, password = secured.add_user()
    for role in (Role.TWIN, Role.STORE):
        grants = grants_of(world.settings.kafka, role)
        allow(world.settings, f"User:{user}", grants)
        secured.await_rights(user, len(grants))
    return variables(secured.as_user(user, password))
