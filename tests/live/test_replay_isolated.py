"""A replay beside a live fleet: with a twin of its own, steered, and gone again; the live one does not notice."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli.replay.separate import refuse_live
from infra.embedded.stack import RunningStack
from infra.kafka_clients import opened_producer
from infra.timescale.inspection import row_counts
from infra.timescale.migrations import migrate
from infra.topics import full_name, layouts
from models.errors import ConfigurationError
from models.instants import moment_of
from models.record import SENT_AT
from models.topics import DEMAND, INPUTS, SHORTAGES, SITES, TELEMETRY
from streams.logs.isolation import prepare
from streams.logs.parts import LogPart
from streams.oracle.offline import fold_part
from tests.builders import T0, clock, demand, facts, frame, numbered, row
from tests.live.world import PATIENCE_SECONDS, ROOT, World, new_world
from tests.log_builders import write_log

NAME = "incident-1"
SECONDS = 20
PARTITIONS = 2


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of a site with demand that it cannot serve for a while."""
    records = [facts(at=T0), demand(at=T0, wanted=99)]
    for second in range(SECONDS):
        at = T0 + second * 1000
        records += [demand(at=at, wanted=8)] * (second == 12)
        records += [frame([row("a", at, power_watts=1000.0, allocated=0)], timestamp=at)]
        records += [clock(at + 500, topic) for topic in INPUTS]
    path = tmp_path_factory.mktemp("replay") / "incident.log"
    return write_log(path, numbered(records, PARTITIONS), {TELEMETRY: PARTITIONS, SITES: 1, DEMAND: 1})


def speak(world: World) -> None:
    """What a live node, and whoever runs the site, say now: nothing tells when it was first sent."""
    now = moment_of(time.time_ns() // 1_000_000).isoformat()
    said = {
        SITES: {"site": "oslo", "at": now, "supply_watts": 1e6, "pue": 1.1},
        DEMAND: {"demand": "live", "project": "p", "at": now, "wanted": 8},
        TELEMETRY: {
            "site": "oslo",
            "node": "n1",
            "type": "h100-sxm",
            "at": now,
            "sequence": 1,
            "installed": 8,
            "in_service": 8,
        },
    }
    with opened_producer(world.settings) as producer:
        for topic, body in said.items():
            producer.send(full_name(world.settings.kafka, topic), key=b"oslo", value=orjson.dumps(body), partition=0)


def everything(world: World) -> tuple[Mapping[tuple[str, int], int], Mapping[str, int]]:
    """How far each topic goes, and how many rows each table has."""
    topics = [layout.topic for layout in layouts(world.settings.kafka)]
    return world.ends(*topics), row_counts(world.database, world.schema)


def apart(world: World, environment: Mapping[str, str]) -> World:
    """The same servers as a shell sees them that has taken the environment's lines over."""
    kafka = {"topic_prefix": environment["FLEETTWIN_KAFKA__TOPIC_PREFIX"]}
    database = {"schema_name": environment["FLEETTWIN_DATABASE__SCHEMA_NAME"]}
    settings = world.settings.model_copy(
        update={
            "kafka": world.settings.kafka.model_copy(update={**kafka, "telemetry_partitions": PARTITIONS}),
            "database": world.settings.database.model_copy(update=database),
        }
    )
    return World(
        settings,
        {**world.environment, **environment},
        world.folder,
        world.admin,
        world.consumer,
        world.database,
        world.running,
        world.ended,
    )


def shortages(world: World) -> list[Any]:
    return [orjson.loads(record.value or b"") for record in world.once(SHORTAGES).values()]


@pytest.mark.servers
def test_an_isolated_replay_has_all_of_its_own_and_leaves_nothing(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path, log: Path
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path) as live:
        speak(live)
        before = everything(live)

        with pytest.raises(ConfigurationError, match=r"holds live records.*--isolated NAME"):
            refuse_live(live.settings)
        other = apart(live, live.told("replay", log, "--isolated", NAME)["environment"])
        with pytest.raises(ConfigurationError, match=r"records of an earlier replay.*--again"):
            prepare(other.settings, NAME)
        migrate(other.database, other.schema, "test")
        often = {"FLEETTWIN_TWIN__CHECKPOINT_SECONDS": "0.5"}
        twin, store = other.start("twin", **often), other.start("store", **often)
        other.wait_until_all_is_stored()
        other.stop(twin, store)
        found, rows, sent = shortages(other), row_counts(other.database, other.schema), other.ends(*INPUTS)
        live.told("replay", log, "--isolated", NAME, "--again")
        anew = other.ends(*INPUTS, SHORTAGES)
        migrate(other.database, other.schema, "test")
        dropped = live.fleettwin("replay", "--isolated", NAME, "--drop")

        assert [event["change"] for event in found[:1]] == ["opened"]
        assert found == fold_part(live.settings, LogPart(log)).summary()["shortages"]
        assert rows["fleet_samples"] > 0
        assert anew == {**sent, (SHORTAGES, 0): 0}
        assert everything(live) == before
        assert dropped.returncode == 0, dropped.stderr
        assert f"deleted topic replay.{NAME}.{kafka_prefix}{TELEMETRY}" in dropped.stdout
        assert "deleted schema replay_incident_1 of PostgreSQL" in dropped.stdout
        assert [topic for topic in live.admin.list_topics() if topic.startswith(f"replay.{NAME}.")] == []
        assert live.database.execute("select from pg_namespace where nspname like 'replay%'").fetchall() == []
        assert live.database.execute("select from pg_roles where rolname like 'replay%'").fetchall() == []


@pytest.mark.servers
def test_a_script_steps_through_a_log_and_is_told_how_to_go_on(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path, log: Path
) -> None:
    with new_world(stack, kafka_prefix, database_url, tmp_path, partitions=PARTITIONS) as world:
        child = subprocess.Popen(
            [sys.executable, "-m", "cli", "replay", log, "--step"],
            env={**world.environment, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stdin is not None
        assert child.stderr is not None
        with child, child.stdin as says, child.stderr as told:
            pauses, ends = [told.readline()], [world.end(TELEMETRY)]
            for line in ("\n", "step 3\n"):
                says.write(line)
                says.flush()
                pauses.append(told.readline())
                ends.append(world.end(TELEMETRY))
            says.write("quit\n")
            says.flush()
            way_on = told.read()
            assert child.wait(PATIENCE_SECONDS) == 0

        each = 1 + PARTITIONS
        assert pauses == [
            "2027-01-15T08:00:00.000Z  paused, 0 sent\n",
            "2027-01-15T08:00:01.000Z  paused, 7 sent\n",
            "2027-01-15T08:00:04.000Z  paused, 22 sent\n",
        ]
        assert ends == [0, each, 4 * each]
        assert f"fleettwin replay {log} --from 2027-01-15T08:00:04.000Z" in way_on
        rest = world.told("replay", log, "--from", "2027-01-15T08:00:04.000Z")
        assert (rest["words_before"], rest["interrupted"], rest["go_on_from"]) == (2, False, None)
        assert world.end(TELEMETRY) == SECONDS * each
        assert all(record.header(SENT_AT) is not None for record in world.records(TELEMETRY))


def typed(keyboard: int, screen: bytes, until: bytes) -> bytes:
    """What the screen shows, once this is there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while until not in screen:
        assert time.monotonic() < deadline, screen
        if select.select([keyboard], [], [], 1)[0]:
            screen += os.read(keyboard, 65_536)
    return screen


@pytest.mark.servers
def test_at_a_terminal_keys_steer_and_ctrl_c_leaves_it_as_it_was(
    stack: RunningStack, kafka_prefix: str, database_url: str, tmp_path: Path, log: Path
) -> None:
    starter = "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); from cli.main import run; run()"
    with new_world(stack, kafka_prefix, database_url, tmp_path, partitions=PARTITIONS) as world:
        keyboard, tty = pty.openpty()
        before = termios.tcgetattr(tty)
        child = subprocess.Popen(
            [sys.executable, "-c", starter, "replay", log, "--speed", "0.001", "--paused"],
            env={**world.environment, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "200"},
            stdin=tty,
            stdout=subprocess.PIPE,
            stderr=tty,
            start_new_session=True,
        )
        try:
            screen = typed(keyboard, b"", b"paused, 0 sent")
            assert termios.tcgetattr(tty) != before
            os.write(keyboard, b"s")
            screen = typed(keyboard, screen, b"paused, %d sent" % (3 + len(INPUTS) + 1))
            os.write(keyboard, b" ")
            screen = typed(keyboard, screen, b"x0.001")
            os.write(keyboard, b"+")
            screen = typed(keyboard, screen, b"x0.002")
            os.write(keyboard, b"\x03")
            assert child.wait(PATIENCE_SECONDS) == 130
            typed(keyboard, screen, b"--from 2027-01-15T08:00:01.500Z")
            assert termios.tcgetattr(tty) == before
        finally:
            child.kill()
            child.communicate()
            os.close(keyboard)
            os.close(tty)
