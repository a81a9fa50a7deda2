"""One PostgreSQL with TimescaleDB on loopback, as a user that is not root, initialised on first use."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

import psycopg
from psycopg import sql

from infra.embedded import ports, process, tools

USER: Final = "fleettwin"
DATABASE: Final = "fleettwin"
_NOBODY: Final = 65534
_HIDDEN: Final = frozenset({"LD_LIBRARY_PATH", "LD_PRELOAD"})
"""The host's libraries do not fit the server's own C library."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """How to run one database server.

    Args:
        programs: The folder with `postgres` and `initdb`.
        folder: Where its data lies.
        log: Where its words go.
        port: Where clients reach it.
        password: Of the superuser `fleettwin`.
        identity: As whom it runs.
        durable: False gives up safety after a power cut for speed: for tests.
        further: Settings beside the usual ones, or instead of them.
    """

    title: ClassVar[str] = "TimescaleDB"
    end_steps: ClassVar[process.EndSteps] = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))

    programs: Path
    folder: Path
    log: Path
    port: int
    password: str
    identity: process.Identity
    durable: bool = True
    further: Mapping[str, str] = field(default_factory=dict, hash=False)

    def url(self, database: str = DATABASE) -> str:
        """The address of a database, password included."""
        return f"postgresql://{USER}:{self.password}@{ports.HOST}:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster unless that has been done to the end before."""
        if self._cluster.is_dir():
            self._give_away()
            return
        unfinished = self.folder / "cluster.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        self._give_away()
        command = [str(self.programs / "initdb"), "--pgdata", str(unfinished), "--username", USER]
        command += ["--pwfile", str(self.folder / "password"), "--auth", "scram-sha-256", "--encoding", "UTF8"]
        command += ["--locale-provider", "builtin", "--locale", "C.UTF-8", "--no-sync"]
        log = self.log.with_name("timescaledb-initdb.log")
        log.unlink(missing_ok=True)
        tied = process.tied(command, signal.SIGKILL, self.identity)
        tools.run_logged(tied, log, "making the database cluster", environment=_environment())
        unfinished.rename(self._cluster)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server; after a sudden end of this process it shuts down by itself."""
        command = [str(self.programs / "postgres"), "-D", str(self._cluster)]
        for name, value in {**self._configuration(), **self.further}.items():
            command += ["-c", f"{name}={value}"]
        return process.start(command, self.log, signal.SIGINT, self.identity, _environment())

    def answers(self) -> bool:
        """True once a query is answered."""
        if not ports.answers(self.port):
            return False
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=5) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def settle(self) -> None:
        """Make our database on first use, and bring its extension up to the server's after an upgrade."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        with psycopg.connect(self.url(), autocommit=True) as connection:
            try:
                connection.execute("ALTER EXTENSION timescaledb UPDATE")  # must be a session's first statement
            except psycopg.errors.UndefinedObject:
                connection.execute("CREATE EXTENSION timescaledb")

    def end_leftover(self) -> None:
        """End a server of an earlier supervisor, and remove a stale lock whose process id somebody else has now."""
        lock = self._cluster / "postmaster.pid"
        try:
            pid = int(lock.read_text(encoding="utf-8").split("\n", 1)[0])
        except (OSError, ValueError):
            lock.unlink(missing_ok=True)
            return
        server = process.mark(pid)
        if server is not None and self._is_ours(pid) and not process.end(server, self.end_steps):
            return
        lock.unlink(missing_ok=True)

    @property
    def _cluster(self) -> Path:
        return self.folder / "cluster"

    def _is_ours(self, pid: int) -> bool:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(self._cluster) in command

    def _give_away(self) -> None:
        """Make the files those of the user that the server runs as."""
        if self.identity is process.Identity.NOBODY:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, _NOBODY, _NOBODY, follow_symlinks=False)

    def _configuration(self) -> dict[str, str | int]:
        durable = "on" if self.durable else "off"
        return {
            "listen_addresses": ports.HOST,
            "port": self.port,
            "unix_socket_directories": "",  # a socket's path may not be longer than 107 characters; nobody needs one
            "shared_preload_libraries": "timescaledb",
            "timescaledb.telemetry_level": "off",
            "timescaledb.max_background_workers": 8,
            "max_worker_processes": 20,
            "max_connections": 60,
            "max_wal_size": "2GB",
            "jit": "off",
            "timezone": _utc(),
            "log_timezone": _utc(),
            "log_checkpoints": "off",
            "fsync": durable,
            "synchronous_commit": durable,
            "full_page_writes": durable,
        }


def edition(url: str) -> tuple[str, str] | None:
    """Edition (`apache` or `community`) and version of TimescaleDB, or None if the server does not answer."""
    query = """
        SELECT current_setting('timescaledb.license', true), extversion FROM pg_extension WHERE extname = 'timescaledb'
    """
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            row = connection.execute(query).fetchone()
    except psycopg.OperationalError:
        return None
    if row is None:
        return None
    return ("apache" if row[0] == "apache" else "community"), str(row[1])


def _utc() -> str:
    """UTC by the name that this host's time zone files know; GMT needs no file."""
    return "UTC" if Path("/usr/share/zoneinfo/UTC").exists() else "GMT"


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _HIDDEN and not name.startswith("PG")} | {
        "LC_ALL": "C"
    }
