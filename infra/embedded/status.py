"""What `fleettwin stack status` tells, as values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from infra.embedded import ports, postgres
from infra.embedded.instance import Instance
from infra.embedded.stack import database_url, running
from infra.settings import StackSettings


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaStatus(_Part):
    """The broker."""

    bootstrap_servers: str | None
    """None before the first start."""
    running: bool


class DatabaseStatus(_Part):
    """The database server."""

    url: str | None
    """With the password; None before the first start."""
    running: bool
    edition: str | None
    """`apache` or `community`; None unless it answers."""
    version: str | None


class Status(_Part):
    """One instance as it is now."""

    running: bool
    """True if both servers run."""
    name: str
    kafka: KafkaStatus
    database: DatabaseStatus

    @classmethod
    def of(cls, instance: Instance) -> Self:
        """Look at an instance; the database is asked for its edition."""
        state = instance.read()
        has_database = state.ports is not None and (instance.database / "password").is_file()
        url = database_url(instance, state.ports) if state.ports and has_database else None
        lives = state.database is not None and state.database.alive
        known = postgres.edition(url) if lives and url else None
        return cls(
            running=running(instance) is not None,
            name=instance.name,
            kafka=KafkaStatus(
                bootstrap_servers=f"{ports.HOST}:{state.ports.kafka}" if state.ports else None,
                running=state.kafka is not None and state.kafka.alive,
            ),
            database=DatabaseStatus(url=url, running=lives, edition=known and known[0], version=known and known[1]),
        )


def status(settings: StackSettings, names: Sequence[str] = ("main", "demo"), cache: Path | None = None) -> Status:
    """The first of these instances that runs, else the first as it lies there."""
    instances = [Instance.of(settings, name, cache) for name in names]
    return Status.of(next((one for one in instances if running(one)), instances[0]))
