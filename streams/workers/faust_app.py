"""How our Faust apps are set up: what they have in common, and why each setting is what it is."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import faust
from faust.tables import TableManager
from faust.types import TP

from infra.kafka_security import client_security
from infra.settings import KafkaSettings
from infra.topics import full_name
from streams.workers.bursts import BurstStream, BurstTransport
from streams.workers.identity import client_name
from streams.workers.welcome import stay_welcome

LARGEST_REQUEST = 8 * 1024 * 1024


class NoTables(TableManager):  # type: ignore[misc]  # Faust ships no types
    """Of an app that has no tables: Faust would wait a second before it joins, in case one is still to come."""

    async def on_start(self) -> None:
        """Begin what tells of rebalances; it is the tables' own."""
        await self._update_channels()
        await self.recovery.start()


def new_app(name: str, kafka: KafkaSettings, address: str) -> Any:
    """A Faust app whose consumer group is `name`, without web server, tables or topics of its own.

    Offsets are committed by our checkpoints alone, so its agents are made by `follow`, without acks. Records take the
    short way of `streams.workers.bursts`.
    """
    security = client_security(kafka)
    app = faust.App(
        f"{kafka.topic_prefix}{name}",
        broker=[f"kafka://{server}" for server in address.split(",")],
        broker_credentials=_credentials(security),
        store="memory://",
        datadir=tempfile.gettempdir(),
        web_enabled=False,
        topic_allow_declare=False,  # topics are made by `fleettwin topics create`, with settings of their own
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=LARGEST_REQUEST,
        producer_max_request_size=LARGEST_REQUEST,
        producer_request_timeout=30.0,  # its default of 20 minutes hides a broker that is gone
        producer_linger=0.01,
        producer_compression_type="zstd",  # aiokafka runs lz4 at its slowest level: ten times the time for more bytes
        broker_client_id=client_name(name),
        broker_session_timeout=10.0,  # who was killed on another machine is missed after it, see `dismiss`
        broker_heartbeat_interval=1.0,
        broker_commit_interval=1.0,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        stream_publish_on_commit=False,
        worker_redirect_stdouts=False,
        Stream=BurstStream,
        TableManager=NoTables,
    )
    app.transport = BurstTransport(app.conf.broker_consumer, app)
    stay_welcome(app, kafka, address, security)
    return app


def _credentials(security: Mapping[str, Any]) -> faust.types.auth.CredentialsT | None:
    """The same as Faust has it; none where anybody may come, and unencrypted."""
    context = security.get("ssl_context")
    if "sasl_mechanism" in security:
        return faust.SASLCredentials(
            username=security["sasl_plain_username"],
            password=security["sasl_plain_password"],
            mechanism=security["sasl_mechanism"],
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)


def follow(app: Any, kafka: KafkaSettings, agents: Mapping[str, str], accept: Callable[[Any], Awaitable[None]]) -> None:
    """Give the app an agent for each of these topics, by its name, that hands every message to `accept`.

    One at a time in each, and never acked by Faust: its acks come in a `finally`, so a failing record would be skipped.
    """

    async def hand_over(stream: Any) -> None:
        async for event in stream.events():
            await accept(event.message)

    for name, topic in agents.items():
        raw = app.topic(
            full_name(kafka, topic),
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            acks=False,
            allow_empty=True,
        )
        app.agent(raw, name=name, concurrency=1)(hand_over)


async def commit(consumer: Any, positions: Mapping[TP, int]) -> bool:
    """Commit where reading goes on, of partitions that are still ours; false where none is, or Kafka has moved them.

    Faust crashes over a commit of nothing at all, which is what is left where a rebalance took everything.
    """
    ours = consumer.assignment()
    kept = {place: offset for place, offset in positions.items() if place in ours}
    # Private, and the only way: Faust's public commit follows acks, which are off.
    return bool(kept) and bool(await consumer._commit(kept))


def assigned_places(consumer: Any, kafka: KafkaSettings) -> list[tuple[str, int]]:
    """Topic, without our prefix, and partition of all that a consumer was given to read."""
    return [(place.topic.removeprefix(kafka.topic_prefix), place.partition) for place in consumer.assignment()]
