"""Where one named instance of the stack lies on disk, and what it remembers between commands."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from infra.embedded.process import ProcessMark
from infra.settings import StackSettings
from models.errors import ConfigurationError


class Ports(BaseModel):
    """The loopback ports of an instance."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kafka: int
    controller: int
    database: int


class State(BaseModel):
    """What `state.json` holds; processes in it may long be gone, so ask their marks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ports: Ports | None = None
    supervisor: ProcessMark | None = None
    kafka: ProcessMark | None = None
    database: ProcessMark | None = None
    ready: bool = False
    """True once both servers have answered."""

    @property
    def supervised(self) -> bool:
        """True while the supervisor lives."""
        return self.supervisor is not None and self.supervisor.alive

    @property
    def servers(self) -> tuple[ProcessMark, ...]:
        """The servers that still live."""
        return tuple(process for process in (self.kafka, self.database) if process is not None and process.alive)


@dataclass(frozen=True, slots=True)
class Instance:
    """The folders and files of one instance."""

    name: str
    folder: Path
    cache: Path

    @classmethod
    def of(cls, settings: StackSettings, name: str, cache: Path | None = None) -> Self:
        """The instance of that name.

        Args:
            settings: Holds the home of all instances.
            name: Lower-case letters, digits and dashes.
            cache: The folder of downloads, if not the one in the home.

        Raises:
            ConfigurationError: if the name is not one.
        """
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
            raise ConfigurationError("--name", name, "a letter, then up to 30 lower-case letters, digits or dashes")
        home = settings.home.absolute()
        return cls(name, home / "instances" / name, (cache or home / "cache").absolute())

    @property
    def kafka(self) -> Path:
        """Kafka's settings and data."""
        return self.folder / "kafka"

    @property
    def database(self) -> Path:
        """The database cluster and its password."""
        return self.folder / "timescaledb"

    def log(self, server: str) -> Path:
        """The log of `kafka`, `timescaledb` or `supervisor`."""
        return self.folder / "logs" / f"{server}.log"

    def read(self) -> State:
        """What is remembered; nothing if there is no state or it was cut off while written."""
        try:
            return State.model_validate_json((self.folder / "state.json").read_bytes())
        except (OSError, ValidationError):
            return State()

    def write(self, state: State) -> None:
        """Remember the state, whole or not at all."""
        unfinished = self.folder / "state.json.new"
        unfinished.write_text(state.model_dump_json(indent=2), encoding="utf-8")
        unfinished.replace(self.folder / "state.json")

    def try_lock(self) -> int | None:
        """Take the instance until the descriptor is closed or this process ends; None if it is taken."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def wipe(self) -> None:
        """Delete the data of both servers; ports and logs stay."""
        for folder in (self.kafka, self.database):
            if folder.exists():
                shutil.rmtree(folder)

    def password(self) -> str:
        """The database's password, made up on first use and readable by this user only."""
        self.database.mkdir(parents=True, exist_ok=True)
        path = self.database / "password"
        if path.is_file() and (known := path.read_text(encoding="ascii").strip()):
            return known
        password = secrets.token_urlsafe(24)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(password + "\n")
        return password
