"""The embedded stack: one Kafka and one TimescaleDB under a name, started in this process or found running."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from infra.embedded import downloads, ports, postgres, process
from infra.embedded.instance import Instance, Ports, State
from infra.embedded.kafka import Kafka
from infra.embedded.postgres import Postgres
from infra.embedded.servers import RunningServers, Server
from infra.settings import StackSettings
from models.errors import Unavailable

_START_SECONDS: Final = 120.0
"""How long somebody else's start may take before we stop waiting for it."""


@dataclass(frozen=True, slots=True)
class RunningStack:
    """The addresses of a stack whose servers both answered when it was started."""

    name: str
    supervisor: int
    """Process id of whoever ends the servers."""
    kafka: str
    """Bootstrap servers."""
    database_url: str
    """With the password in it."""


def running_stack(
    settings: StackSettings, names: Iterable[str] = ("main", "demo"), cache: Path | None = None
) -> RunningStack | None:
    """The first of these instances that runs, or None."""
    for name in names:
        found = running(Instance.of(settings, name, cache))
        if found is not None:
            return found
    return None


def running(instance: Instance) -> RunningStack | None:
    """The addresses of an instance, or None unless its supervisor and both servers live and have answered."""
    state = instance.read()
    if not (state.supervised and state.supervisor and state.ready and state.ports and len(state.servers) == 2):
        return None
    return RunningStack(
        name=instance.name,
        supervisor=state.supervisor.pid,
        kafka=f"{ports.HOST}:{state.ports.kafka}",
        database_url=database_url(instance, state.ports),
    )


def database_url(instance: Instance, known: Ports) -> str:
    """The address of the instance's database, password included."""
    return f"postgresql://{postgres.USER}:{instance.password()}@{ports.HOST}:{known.database}/{postgres.DATABASE}"


class EmbeddedStack:
    """Both servers as children of this process, for as long as the block runs; or those of a stack that runs already.

    The thread that enters must outlive the block: the kernel ends the servers with it.

    Args:
        settings: Where everything lies, and fixed ports.
        name: The instance's name.
        fresh: Delete the instance's data first.
        cache: The folder of downloads, if not the one in `settings.home`.
        durable: False gives up safety after a power cut for speed: for tests.
    """

    def __init__(
        self,
        settings: StackSettings,
        name: str = "main",
        *,
        fresh: bool = False,
        cache: Path | None = None,
        durable: bool = True,
    ) -> None:
        self._settings, self._fresh, self._durable = settings, fresh, durable
        self._instance = Instance.of(settings, name, cache)
        self._state = State()
        self._servers: RunningServers | None = None
        self._lock: int | None = None
        self._addresses: RunningStack | None = None

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return self.addresses.kafka

    @property
    def database_url(self) -> str:
        """The database's address with the password in it."""
        return self.addresses.database_url

    @property
    def addresses(self) -> RunningStack:
        """Where the servers are."""
        if self._addresses is None:
            raise Unavailable(
                "the embedded servers", "they have not been started", "Enter the stack with `with` first."
            )
        return self._addresses

    @property
    def attached(self) -> bool:
        """True if the servers belong to another process and stay when the block ends."""
        return self._servers is None

    def __enter__(self) -> Self:
        """Start the servers, or find them running.

        Raises:
            ConfigurationError: if a fixed port is taken, or there is no Debian mirror.
            Unavailable: if a tool is missing, a download or a start failed, or fresh ones are wanted while others run.
        """
        if self._attach():
            return self
        files = downloads.files(self._settings, self._instance.cache)
        self._lock = self._instance.try_lock()
        if self._lock is None:
            if process.await_condition(self._attach, _START_SECONDS):
                return self
            raise self._in_use("it neither became ready nor ended")
        try:
            self._start(files)
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the servers, if they are ours."""
        if self._servers is not None:
            self._servers.end()
            self._servers = None
            self._release()

    def wait_for_failure(self, seconds: float | None = None) -> str | None:
        """Wait until a server ends by itself, at most so long; None means that all still run, or are not ours."""
        return None if self._servers is None else self._servers.wait_for_failure(seconds)

    def _attach(self) -> bool:
        found = running(self._instance)
        if found is None:
            return False
        if self._fresh:
            raise self._in_use("it is running")
        self._addresses = found
        return True

    def _in_use(self, why: str) -> Unavailable:
        supervisor = self._instance.read().supervisor
        by = f" under process {supervisor.pid}" if supervisor else ""
        way_out = f"`fleettwin stack down --name {self._instance.name}` ends it."
        return Unavailable(f"the stack {self._instance.name!r}", why + by, way_out)

    def _start(self, files: downloads.Files) -> None:
        instance, earlier = self._instance, self._instance.read()
        for server, steps in ((earlier.kafka, Kafka.end_steps), (earlier.database, Postgres.end_steps)):
            if server is not None:
                process.end(server, steps)
        if self._fresh:
            instance.wipe()
        chosen = self._choose_ports(earlier.ports)
        self._state = State(ports=chosen, supervisor=process.mark(os.getpid()))
        instance.write(self._state)
        kafka = Kafka(
            java=files.java,
            libraries=files.kafka_libraries,
            classes=files.kafka_classes,
            folder=instance.kafka,
            log=instance.log("kafka"),
            port=chosen.kafka,
            controller_port=chosen.controller,
        )
        database = Postgres(
            programs=files.database_programs,
            folder=instance.database,
            log=instance.log("timescaledb"),
            port=chosen.database,
            password=instance.password(),
            identity=process.unprivileged(),
            durable=self._durable,
        )

        def started(server: Server, mark: process.ProcessMark) -> None:
            field = "kafka" if server is kafka else "database"
            self._state = self._state.model_copy(update={field: mark})
            instance.write(self._state)

        self._servers = RunningServers((kafka, database), started)
        try:
            self._servers.start()
        except BaseException:
            self._servers = None
            raise
        self._state = self._state.model_copy(update={"ready": True})
        instance.write(self._state)
        self._addresses = RunningStack(instance.name, os.getpid(), kafka.bootstrap_servers, database.url())

    def _choose_ports(self, earlier: Ports | None) -> Ports:
        """Fixed ports first, then those of last time, then free ones."""
        settings = self._settings
        kafka = ports.choose("FLEETTWIN_STACK__KAFKA_PORT", settings.kafka_port, earlier.kafka if earlier else None)
        database = ports.choose(
            "FLEETTWIN_STACK__DATABASE_PORT", settings.database_port, earlier.database if earlier else None, {kafka}
        )
        controller = ports.choose("", None, earlier.controller if earlier else None, {kafka, database})
        return Ports(kafka=kafka, controller=controller, database=database)

    def _release(self) -> None:
        """Forget the processes, keep the ports, and let others have the instance."""
        if self._lock is not None:
            if self._state.ports is not None:
                self._instance.write(State(ports=self._state.ports))
            os.close(self._lock)
            self._lock = None
