"""A worker that stands still with records to read ends by itself, and whoever is started next makes it good."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from infra.embedded.stack import RunningStack
from models.topics import STATE
from tests.faults.crew import crew
from tests.live.world import FOLDED, SCENARIO, STORED, new_world

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

PATIENCE_SECONDS = 120.0
RECORDS = 40


@pytest.mark.parametrize(
    ("stuck", "how", "says"),
    [
        ("twin", "loop", "its event loop is blocked"),
        ("twin", "agent", "it does not go on with partition"),
        ("store", "agent", "it does not go on with partition"),
        ("twin", "group", "it is not in its consumer group"),
        ("store", "group", "it is not in its consumer group"),
    ],
)
def test_a_stuck_worker_ends_and_its_successor_goes_on(
    stuck: str, how: str, says: str, stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path
) -> None:
    def line(start: int, name: str) -> tuple[str, ...]:
        if name == stuck and start == 1:
            return (sys.executable, "-m", "tests.faults.blocked", name, how, str(RECORDS))
        return (sys.executable, "-m", "cli", name)

    with new_world(stack, kafka_prefix, database_url, tmp_path) as world, crew() as hired:
        environment = {**world.environment, "FLEETTWIN_WORKERS__STALLED_AFTER_SECONDS": "6"}
        for name in ("twin", "store"):
            hired.hire(name, lambda start, name=name: line(start, name), environment, tmp_path)  # type: ignore[misc]
        simulator = world.start("simulate", "--scenario", SCENARIO, "--speed", "10", "--seconds", "60")
        first = hired.members[stuck].log
        hired.wait_until(lambda: hired.members[stuck].starts > 1, f"the {stuck} has ended", PATIENCE_SECONDS)
        hired.wait_until(lambda: simulator.child.poll() is not None, "all is sent", PATIENCE_SECONDS)
        hired.wait_until(lambda: world.done("twin", *FOLDED), "all is folded", PATIENCE_SECONDS)
        hired.wait_until(lambda: world.done("store", *STORED), "all is stored", PATIENCE_SECONDS)
        for member in hired.members.values():
            assert member.stop() == 0

        verified = world.verified()

    assert dict(hired.members[stuck].ends) == {1: 1}, hired.told()
    told = first.read_text(encoding="utf-8")
    assert "this worker is stuck and ends" in told
    assert says in told
    assert 'File "' in told, "where every thread was"
    assert verified["differences"] == 0, verified["first_difference"]
    assert verified["compared"][STATE]["found"] > 0
