"""Servers for one measurement: a Kafka and a TimescaleDB of its own, with our topics and tables on them, made anew."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from benchmarks.processes import Tree
from benchmarks.schemas import remove_schema
from infra.embedded.instance import Instance
from infra.embedded.stack import EmbeddedStack
from infra.settings import ClockSource, Settings, read_settings
from infra.timescale.connection import connect, server_name
from infra.timescale.migrations import migrate
from infra.topics import create_topics, delete_topics

INSTANCE = "benchmark"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a measurement takes place; `settings` has all addresses."""

    settings: Settings
    database_url: str
    kafka: Tree
    database: Tree
    logs: Path

    @property
    def address(self) -> str:
        """Bootstrap servers."""
        return str(self.settings.kafka.bootstrap_servers)

    @property
    def environment(self) -> Mapping[str, str]:
        """What our commands are told."""
        return {
            "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS": self.address,
            "FLEETTWIN_KAFKA__TOPIC_PREFIX": self.settings.kafka.topic_prefix,
            "FLEETTWIN_KAFKA__TELEMETRY_PARTITIONS": str(self.settings.kafka.telemetry_partitions),
            "FLEETTWIN_DATABASE__URL": self.database_url,
            "FLEETTWIN_DATABASE__SCHEMA_NAME": self.settings.database.schema_name,
            "FLEETTWIN_TWIN__CLOCK": self.settings.twin.clock.value,
        }


@contextmanager
def servers() -> Iterator[Stage]:
    """Fresh embedded servers; nothing of ours is on them yet, see `set_up`."""
    settings = read_settings()
    with EmbeddedStack(settings.stack, INSTANCE, fresh=True) as stack:
        instance = Instance.of(settings.stack, INSTANCE)
        state = instance.read()
        assert state.kafka is not None
        assert state.database is not None
        kafka = settings.kafka.model_copy(update={"bootstrap_servers": stack.kafka})
        database = settings.database.model_copy(update={"url": SecretStr(stack.database_url)})
        yield Stage(
            settings.model_copy(update={"kafka": kafka, "database": database}),
            stack.database_url,
            Tree("kafka", state.kafka.pid),
            Tree("timescaledb", state.database.pid),
            instance.log("benchmark").parent,
        )


@contextmanager
def set_up(stage: Stage, clock: ClockSource = ClockSource.WALL, partitions: int | None = None) -> Iterator[Stage]:
    """The stage with topics and tables of their own names, which are deleted in the end."""
    token = secrets.token_hex(4)
    kafka = stage.settings.kafka.model_copy(
        update={
            "topic_prefix": f"benchmark-{token}.",
            "telemetry_partitions": partitions or stage.settings.kafka.telemetry_partitions,
        }
    )
    settings = stage.settings.model_copy(
        update={
            "kafka": kafka,
            "database": stage.settings.database.model_copy(update={"schema_name": f"benchmark_{token}"}),
            "twin": stage.settings.twin.model_copy(update={"clock": clock}),
        }
    )
    create_topics(settings)
    with connect(stage.database_url, "benchmark") as owner:
        migrate(owner, settings.database.schema_name, server_name(stage.database_url))
    try:
        yield Stage(settings, stage.database_url, stage.kafka, stage.database, stage.logs)
    finally:
        delete_topics(settings)
        with connect(stage.database_url, "benchmark") as owner:
            remove_schema(owner, settings.database.schema_name)
