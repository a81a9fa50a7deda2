"""One real Kafka and one real TimescaleDB for a whole test session; tests are kept apart by names, not by servers."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from infra.embedded.stack import EmbeddedStack, RunningStack
from infra.settings import StackSettings

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

CACHE = Path(__file__).parents[1] / ".fleettwin" / "cache"
"""Downloads are shared with the checkout's own stack."""

_TEMPLATE = "fleettwin_template"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Both servers, on free ports, with their data in a temporary folder."""
    settings = StackSettings(home=tmp_path_factory.mktemp("stack"))
    with EmbeddedStack(settings, "test", cache=CACHE, durable=False) as embedded:
        yield embedded.addresses


@pytest.fixture(scope="session")
def kafka_admin(stack: RunningStack) -> Iterator[KafkaAdminClient]:
    """An admin client for the session's Kafka."""
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=stack.kafka)
    yield admin
    admin.close()


@pytest.fixture
def kafka_prefix(kafka_admin: KafkaAdminClient) -> Iterator[str]:
    """A prefix for topics and groups that no other test has; its topics are deleted after the test."""
    prefix = f"t{secrets.token_hex(5)}."
    yield prefix
    leftover = [topic for topic in kafka_admin.list_topics() if topic.startswith(prefix)]
    if leftover:
        kafka_admin.delete_topics(leftover)


@pytest.fixture(scope="session")
def database_template(stack: RunningStack) -> str:
    """The address of the server's maintenance database, once there is a template with the extension in it."""
    server = stack.database_url.rpartition("/")[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
        with psycopg.connect(f"{server}/{_TEMPLATE}", autocommit=True) as inside:
            inside.execute("CREATE EXTENSION timescaledb")
        # TimescaleDB keeps a worker in each database that it may enter, and a template must have no visitors.
        connection.execute(
            sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true").format(sql.Identifier(_TEMPLATE))
        )
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (_TEMPLATE,)
        )
    return f"{server}/postgres"


@pytest.fixture
def database_url(database_template: str) -> Iterator[str]:
    """The address of an empty database with the extension, for this test only."""
    name = f"t_{secrets.token_hex(5)}"
    with psycopg.connect(database_template, autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(_TEMPLATE)))
        yield f"{database_template.rpartition('/')[0]}/{name}"
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
