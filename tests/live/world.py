"""A twin at work, for one test: topics and tables of its own on the session's servers, and its processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import SecretStr

from infra.embedded import process
from infra.embedded.stack import RunningStack
from infra.groups import await_coordinator
from infra.kafka_clients import opened_admin, opened_consumer
from infra.offsets import ends_of
from infra.settings import ClockSource, DatabaseSettings, KafkaSettings, Settings, TwinSettings
from infra.timescale.connection import Connection, connect, server_name
from infra.timescale.migrations import migrate
from infra.topics import create_topics, full_name, partition_counts
from models.instants import Instant, instant_of
from models.record import Record
from models.state import FleetState
from models.topics import DEMAND, LEDGER, NODES, SHORTAGES, SITES, STATE, TELEMETRY
from streams.logs.topic_reading import read_batches

if TYPE_CHECKING:
    from kafka import KafkaAdminClient, KafkaConsumer

ROOT = Path(__file__).parents[2]
SCENARIO = Path(__file__).with_name("scenario.yaml")

PATIENCE_SECONDS = 120.0
"""Far more than anything takes: a machine under load must not fail a test."""

STOP_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.1

FOLDED = (TELEMETRY, SITES, DEMAND, LEDGER)
"""What the twin reads."""

STORED = (NODES, STATE, SHORTAGES)
"""What the store reads."""

Positions = Mapping[tuple[str, int], int]


def reached(committed: Positions, ends: Positions) -> bool:
    """Whether all of these partitions are committed up to there."""
    return all(committed.get(place, 0) >= end for place, end in ends.items())


def outside_environment() -> dict[str, str]:
    """The environment without settings of whoever runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FLEETTWIN_")}


def fleettwin(
    *arguments: str | Path, environment: Mapping[str, str], folder: Path, seconds: float = PATIENCE_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@dataclass
class Running:
    """A command that goes on until it is told to end."""

    name: str
    log: Path
    child: subprocess.Popen[bytes]

    @property
    def failed(self) -> bool:
        return self.child.poll() not in (None, 0)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.child.kill()
        self.child.wait(STOP_SECONDS)

    def stop(self) -> None:
        """Let it finish what it holds."""
        self.child.terminate()
        assert self.child.wait(STOP_SECONDS) == 0, self.told()

    def told(self) -> str:
        """The end of what it wrote."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([f"--- {self.name}, exit code {self.child.poll()}", *lines[-30:]])


@dataclass
class World:
    """The processes of one twin, and what can be seen of it from outside."""

    settings: Settings
    environment: dict[str, str]
    folder: Path
    admin: KafkaAdminClient
    consumer: KafkaConsumer
    database: Connection
    running: list[Running] = field(default_factory=list)
    """Those that are not meant to have ended."""
    ended: list[Running] = field(default_factory=list)

    @property
    def schema(self) -> str:
        return self.settings.database.schema_name

    def start(self, *arguments: str | Path, name: str = "", **settings: str) -> Running:
        """Start a command in the background; `settings` are further variables of its environment."""
        name = name or str(arguments[0])
        log = self.folder / f"{name}-{len(self.running) + len(self.ended)}.log"
        command = [sys.executable, "-m", "cli", *map(str, arguments)]
        environment = {**self.environment, **settings, "PYTHONPATH": str(ROOT)}
        started = Running(name, log, process.start(command, log, signal.SIGKILL, environment=environment))
        self.running.append(started)
        return started

    def kill(self, worker: Running) -> None:
        self.running.remove(worker)
        self.ended.append(worker)
        worker.kill()

    def stop(self, *workers: Running) -> None:
        for worker in workers:
            self.running.remove(worker)
            self.ended.append(worker)
            worker.stop()

    def fleettwin(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return fleettwin(*arguments, environment=self.environment, folder=self.folder)

    def told(self, *arguments: str | Path) -> Any:
        """What a command says as JSON; it must end well."""
        done = self.fleettwin(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return orjson.loads(done.stdout)

    def verified(self, *arguments: str) -> Any:
        """What the oracle says, good or bad."""
        done = self.fleettwin("verify", "--json", *arguments)
        assert done.stdout, done.stderr
        return orjson.loads(done.stdout)

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for a condition, unless a command has failed or too much time has passed."""
        deadline = time.monotonic() + seconds
        while not holds():
            failed = [one.name for one in self.running if one.failed]
            assert not failed, f"{failed} failed while waiting until {what}"
            assert time.monotonic() < deadline, f"{seconds:.0f} s passed, and not yet: {what}"
            time.sleep(LOOK_AGAIN_SECONDS)

    def committed(self, worker: str) -> Positions:
        """How far the group of `twin` or `store` has stored its work."""
        from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError

        group = full_name(self.settings.kafka, worker)
        prefix = self.settings.kafka.topic_prefix
        try:
            offsets = self.admin.list_group_offsets(group)[group]
        except (CoordinatorLoadInProgressError, CoordinatorNotAvailableError):
            return {}  # Kafka makes its topic of groups for the first one
        return {(place.topic.removeprefix(prefix), place.partition): at.offset for place, at in offsets.items()}

    def members(self, worker: str) -> int:
        """How many members of the group have something to read."""
        group = full_name(self.settings.kafka, worker)
        described = self.admin.describe_groups([group])[group]
        return sum(bool(_assigned(member)) for member in described.get("members") or ())

    def ends(self, *topics: str) -> Positions:
        """The offset after the last record of each partition."""
        counts = partition_counts(self.settings, topics)
        named = {
            (full_name(self.settings.kafka, topic), part): (topic, part)
            for topic, count in counts.items()
            for part in range(count)
        }
        return {named[place]: end for place, end in ends_of(self.consumer, named).items()}

    def end(self, topic: str) -> int:
        """How many records a topic has, all partitions together."""
        return sum(self.ends(topic).values())

    def done(self, worker: str, *topics: str) -> bool:
        """Whether the worker has stored what follows from all that these topics hold.

        The commits are looked at first: what they follow from is in the topics by then.
        """
        committed = self.committed(worker)
        return reached(committed, self.ends(*topics))

    def wait_until_all_is_stored(self) -> None:
        """Wait until the twin has folded and the store has written everything; the topics must stand still."""
        self.wait_until(lambda: self.done("twin", *FOLDED), "the twin has folded everything")
        self.wait_until(lambda: self.done("store", *STORED), "the store has written everything")

    def records(self, topic: str) -> list[Record]:
        """All records of a topic, in one order for all of its partitions."""
        with opened_consumer(self.settings) as consumer:
            counts = partition_counts(self.settings, [topic])
            return [record for batch in read_batches(consumer, self.settings.kafka, counts) for record in batch]

    def once(self, topic: str) -> dict[str, Record]:
        """The records of a topic by identity; a repeat must be the same, byte for byte."""
        found: dict[str, Record] = {}
        for record in self.records(topic):
            identity = (record.header("ce_id") or b"").decode()
            assert found.setdefault(identity, record).value == record.value, identity
        return found

    def newest_tick(self) -> Instant | None:
        """The newest tick of the fleet that is written in the database."""
        row = self.database.execute(f'select max(time) from "{self.schema}".fleet_samples').fetchone()
        return None if row is None or row[0] is None else instant_of(row[0])

    def fleet_states(self) -> list[FleetState]:
        return [
            FleetState.model_validate_json(record.value or b"")
            for identity, record in self.once(STATE).items()
            if identity.startswith("fleet/")
        ]


def _assigned(member: Any) -> Any:
    """What a member was given; its shape is that of the protocol's `MemberAssignment`."""
    assignment = member["member_assignment"]
    return assignment and assignment["assigned_partitions"]


@contextmanager
def new_world(
    stack: RunningStack,
    prefix: str,
    database_url: str,
    folder: Path,
    *,
    clock: ClockSource = ClockSource.LOG,
    partitions: int = 4,
    kafka: Mapping[str, str] | None = None,
) -> Iterator[World]:
    """Topics and tables, and no process yet; on leaving, every process ends, and a failure shows what they wrote.

    `kafka` are further settings of Kafka by their names, for the test itself and for all processes.
    """
    further = kafka or {}
    known = {"bootstrap_servers": stack.kafka, "topic_prefix": prefix, "telemetry_partitions": partitions}
    settings = Settings(
        kafka=KafkaSettings.model_validate({**known, **further}),
        database=DatabaseSettings(url=SecretStr(database_url)),
        twin=TwinSettings(clock=clock),
    )
    environment = {
        **outside_environment(),
        "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS": stack.kafka,
        "FLEETTWIN_KAFKA__TOPIC_PREFIX": prefix,
        "FLEETTWIN_KAFKA__TELEMETRY_PARTITIONS": str(partitions),
        "FLEETTWIN_DATABASE__URL": database_url,
        "FLEETTWIN_TWIN__CLOCK": clock.value,
        **{f"FLEETTWIN_KAFKA__{name.upper()}": value for name, value in further.items()},
    }
    create_topics(settings)
    await_coordinator(settings, "twin")
    with (
        connect(database_url, "test") as database,
        opened_admin(settings) as admin,
        opened_consumer(settings) as consumer,
    ):
        migrate(database, settings.database.schema_name, server_name(database_url))
        world = World(settings, environment, folder, admin, consumer, database)
        try:
            yield world
        except BaseException as error:
            for one in (*world.ended, *world.running):
                error.add_note(one.told())
            raise
        finally:
            for one in world.running:
                one.kill()
