"""A Kafka and a TimescaleDB that can be killed, put to sleep and started again where they were."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from infra.embedded import downloads, ports, process
from infra.embedded.instance import Instance
from infra.embedded.kafka import Kafka
from infra.embedded.postgres import Postgres
from infra.embedded.servers import Server
from infra.settings import StackSettings

START_SECONDS = 120.0


@dataclass
class Breakable:
    """One server with its data, running or not."""

    server: Server
    child: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def start(self) -> None:
        """Start it on what it left behind, and wait until it answers."""
        self.server.end_leftover()
        self.child = child = self.server.start()
        answered = process.await_condition(lambda: child.poll() is not None or self.server.answers(), START_SECONDS)
        assert answered, process.last_lines(self.server.log)
        assert child.poll() is None, process.last_lines(self.server.log)

    def kill(self) -> None:
        """End it as a power cut would, with all of its processes."""
        assert self.child is not None
        for pid in self._processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.child.wait()

    def sleep(self) -> None:
        """Stop all of its processes where they are."""
        for pid in self._processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def wake(self) -> None:
        """Let them go on."""
        for pid in self._processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _processes(self) -> list[int]:
        """The session that `process.start` made for it."""
        assert self.child is not None
        return [pid for pid in psutil.pids() if _session(pid) == self.child.pid]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


@dataclass(frozen=True)
class Servers:
    """Both, with the addresses that they keep."""

    kafka: Breakable
    database: Breakable
    bootstrap_servers: str
    database_url: str
    both: tuple[Breakable, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "both", (self.kafka, self.database))


@contextmanager
def breakable_kafka(folder: Path, cache: Path) -> Iterator[Breakable]:
    """Kafka alone; on leaving it is gone."""
    settings = StackSettings(home=folder)
    instance = Instance.of(settings, "faults", cache)
    port = ports.choose("", None, None)
    files = downloads.files(settings, cache)
    kafka = Breakable(_kafka(files, instance, port, ports.choose("", None, None, {port})))
    try:
        kafka.server.prepare()
        kafka.start()
        kafka.server.settle()
        yield kafka
    finally:
        if kafka.runs:
            kafka.wake()
            kafka.kill()


def _kafka(files: downloads.Files, instance: Instance, port: int, controller: int) -> Kafka:
    return Kafka(
        java=files.java,
        libraries=files.kafka_libraries,
        classes=files.kafka_classes,
        folder=instance.kafka,
        log=instance.log("kafka"),
        port=port,
        controller_port=controller,
    )


@contextmanager
def breakable_servers(folder: Path, cache: Path) -> Iterator[Servers]:
    """Both servers on free ports, with data of their own below `folder`, and safe on disk as a user's are."""
    settings = StackSettings(home=folder)
    instance = Instance.of(settings, "faults", cache)
    files = downloads.files(settings, cache)
    port = ports.choose("", None, None)
    controller = ports.choose("", None, None, {port})
    kafka = _kafka(files, instance, port, controller)
    database = Postgres(
        programs=files.database_programs,
        folder=instance.database,
        log=instance.log("timescaledb"),
        port=ports.choose("", None, None, {port, controller}),
        password=instance.password(),
        identity=process.unprivileged(),
    )
    servers = Servers(Breakable(kafka), Breakable(database), kafka.bootstrap_servers, database.url())
    try:
        for one in servers.both:
            one.server.prepare()
            one.start()
            one.server.settle()
        yield servers
    finally:
        for one in servers.both:
            if one.runs:
                one.wake()
                one.kill()
