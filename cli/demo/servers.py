"""The demo's servers: an embedded stack of its own with fresh data, or the user's, if nothing of ours is on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from cli.demo.console import ConsolePlace, console_place
from cli.demo.grafana import DemoGrafana, demo_grafana
from infra.embedded.instance import Instance
from infra.embedded.stack import EmbeddedStack
from infra.kafka_clients import opened_consumer
from infra.servers import database_address
from infra.settings import ClockSource, Settings
from infra.timescale.connection import connect, server_name
from infra.timescale.migrations import migrate
from infra.topics import create_topics, full_name
from models.errors import ConfigurationError
from models.topics import TELEMETRY

INSTANCE = "demo"


@dataclass(frozen=True, slots=True)
class DemoServers:
    """Where everything is; `settings` has the addresses filled in."""

    settings: Settings
    kafka: str
    database_url: str
    logs: Path
    console: ConsolePlace | None
    """Where the twin worker serves its page; none where it is not to."""
    grafana: DemoGrafana | None = None
    """Where the dashboards are; none where there is no Grafana."""

    @property
    def database(self) -> str:
        """The database's address without the password."""
        known = conninfo_to_dict(self.database_url)
        return (
            f"postgresql://{known.get('user', '')}@{known.get('host', '')}:{known.get('port', 5432)}/{known['dbname']}"
        )

    @property
    def environment(self) -> dict[str, str]:
        """What the workers are told."""
        in_file = self.settings.database.url_file is not None  # they read it themselves, and one of both is enough
        return {
            "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS": self.kafka,
            **({} if in_file else {"FLEETTWIN_DATABASE__URL": self.database_url}),
            "FLEETTWIN_TWIN__CLOCK": self.settings.twin.clock.value,
            **(self.console.environment if self.console else {}),
        }


@contextmanager
def demo_servers(settings: Settings, clock: ClockSource) -> Iterator[DemoServers]:
    """Servers with our topics and tables on them.

    Raises:
        ConfigurationError: only one of the two is named in the settings, or what is named is in use.
        Unavailable: a server or a tool is missing.
    """
    logs = Instance.of(settings.stack, INSTANCE).log("demo").parent
    console_place(settings.console)  # before minutes are spent on servers
    kafka = settings.kafka.bootstrap_servers
    named = settings.database.url is not None or settings.database.url_file is not None
    database = database_address(settings) if named else None
    if (kafka is None) != (database is None):
        missing = "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS" if kafka is None else "FLEETTWIN_DATABASE__URL"
        raise ConfigurationError(missing, None, "an address, since the other server is named; or name neither")
    if kafka is not None and database is not None:
        servers = _located(settings, clock, kafka, database, logs)
        create_topics(servers.settings)
        _refuse_used(servers.settings)
        _bring_up_to_date(servers)
        with _with_grafana(servers) as complete:
            yield complete
        return
    with EmbeddedStack(settings.stack, INSTANCE, fresh=True) as stack:
        servers = _located(settings, clock, stack.kafka, stack.database_url, logs)
        create_topics(servers.settings)
        _bring_up_to_date(servers)
        with _with_grafana(servers) as complete:
            yield complete


@contextmanager
def _with_grafana(servers: DemoServers) -> Iterator[DemoServers]:
    settings = servers.settings
    with demo_grafana(settings.grafana, servers.database_url, settings.database.schema_name, servers.logs) as grafana:
        yield replace(servers, grafana=grafana)


def _located(settings: Settings, clock: ClockSource, kafka: str, database: str, logs: Path) -> DemoServers:
    known = settings.model_copy(
        update={
            "kafka": settings.kafka.model_copy(update={"bootstrap_servers": kafka}),
            "database": settings.database.model_copy(
                update={} if settings.database.url_file else {"url": SecretStr(database)}
            ),
            "twin": settings.twin.model_copy(update={"clock": clock}),
        }
    )
    return DemoServers(known, kafka, database, logs, console_place(known.console))


def _bring_up_to_date(servers: DemoServers) -> None:
    with connect(servers.database_url, "fleettwin demo") as connection:
        migrate(connection, servers.settings.database.schema_name, server_name(servers.database_url))


def _refuse_used(settings: Settings) -> None:
    """The demo checks everything it finds, and must not mix with what is somebody else's."""
    from kafka import TopicPartition  # noqa: PLC0415  # slow to import

    name = full_name(settings.kafka, TELEMETRY)
    with opened_consumer(settings) as consumer:
        places = [TopicPartition(name, number) for number in range(settings.kafka.telemetry_partitions)]
        if any(consumer.end_offsets(places).values()):
            raise ConfigurationError(
                "FLEETTWIN_KAFKA__TOPIC_PREFIX",
                settings.kafka.topic_prefix,
                f"one under which nothing was sent yet, for {name} holds records; "
                "with a FLEETTWIN_DATABASE__SCHEMA_NAME of its own",
            )
