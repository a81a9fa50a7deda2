"""Connections to Kafka through kafka-python, as context managers; what goes wrong with Kafka is `Unavailable`.

kafka-python takes a fifth of a second to import, which a command that needs no Kafka should not wait for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from infra.kafka_greeting import greet
from infra.kafka_security import USER, client_security
from infra.servers import kafka_address
from infra.settings import KafkaSettings, Settings
from models.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer


MOST_MESSAGE_BYTES = 4 * 1024 * 1024 + 512 * 1024
"""A frame at its largest with key and headers, and the same as a dead letter with the reason in more headers."""

CONNECT_MILLISECONDS = 8_000
"""How long to look for a broker."""

RECONNECT_MILLISECONDS = 1_000
"""The longest pause between two tries while a broker is away; kafka-python would pause for up to half a minute."""

_METADATA_MILLISECONDS = 5_000
"""How old a consumer's knowledge of topics may become.

A wish for it is lost in kafka-python when an answer to an earlier one is on its way: a member of a group then has no
partitions until the next, by default for five minutes.
"""

_SESSION_MILLISECONDS = 10_000
"""A member of a group that was killed is missed after so long."""

_HEARTBEAT_MILLISECONDS = 1_000
_WAY_OUT = "Start it, or name another one in FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS"
_LINGER_MILLISECONDS = 20
_BATCH_BYTES = 256 * 1024

logging.getLogger("kafka").addHandler(logging.NullHandler())  # its errors come to the caller; stderr need not have them
logging.getLogger("kafka.admin._groups").setLevel(logging.ERROR)  # it cannot read what Faust's members say, nor need we


@contextmanager
def opened_admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    """An admin client."""
    from kafka import KafkaAdminClient  # noqa: PLC0415  # slow to import

    with (
        _connection(settings) as connect,
        KafkaAdminClient(**connect, request_timeout_ms=CONNECT_MILLISECONDS) as client,
    ):
        yield client


@contextmanager
def opened_consumer(settings: Settings, group: str | None = None) -> Iterator[KafkaConsumer]:
    """A consumer to be given its partitions, or one of a group; it commits nothing by itself."""
    from kafka import KafkaConsumer  # noqa: PLC0415  # slow to import

    with _connection(settings) as connect:
        consumer = KafkaConsumer(
            **connect,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            max_partition_fetch_bytes=MOST_MESSAGE_BYTES,
            metadata_max_age_ms=_METADATA_MILLISECONDS,
            session_timeout_ms=_SESSION_MILLISECONDS,
            heartbeat_interval_ms=_HEARTBEAT_MILLISECONDS,
            metrics_enabled=False,
        )
        try:
            yield consumer
        finally:
            consumer.close(autocommit=False, timeout_ms=CONNECT_MILLISECONDS)


@contextmanager
def opened_producer(settings: Settings) -> Iterator[KafkaProducer]:
    """A producer that keeps the order within each partition and sends nothing twice; leaving it sends what waits."""
    from kafka import KafkaProducer  # noqa: PLC0415  # slow to import

    with _connection(settings) as connect:
        producer = KafkaProducer(
            **connect,
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            linger_ms=_LINGER_MILLISECONDS,
            batch_size=_BATCH_BYTES,
            max_request_size=MOST_MESSAGE_BYTES,
            allow_auto_create_topics=False,
            max_block_ms=CONNECT_MILLISECONDS,
            delivery_timeout_ms=settings.kafka.patience_seconds * 1000,
            metrics_enabled=False,
        )
        try:
            yield producer
            producer.flush()
        finally:
            producer.close(timeout=CONNECT_MILLISECONDS / 1000)


@contextmanager
def _connection(settings: Settings) -> Iterator[dict[str, Any]]:
    """What every client needs to connect, and one clear error for whatever Kafka does not do."""
    from kafka.errors import AuthorizationError, KafkaError  # noqa: PLC0415  # slow to import

    address, security = kafka_address(settings), client_security(settings.kafka)
    greet_any(address, settings.kafka, security)
    try:
        yield {
            "bootstrap_servers": address.split(","),
            "client_id": "fleettwin",
            "bootstrap_timeout_ms": CONNECT_MILLISECONDS,
            "reconnect_backoff_max_ms": RECONNECT_MILLISECONDS,
            **security,
        }
    except KafkaError as error:
        # of a producer that may write nothing at all, kafka-python tells in words alone
        if isinstance(error, AuthorizationError) or "AuthorizationFailed" in str(error):
            raise not_allowed(settings.kafka, str(error)) from error
        raise Unavailable(f"Kafka at {address}", str(error), _WAY_OUT) from error


def not_allowed(kafka: KafkaSettings, what: str) -> ConfigurationError:
    """What it means that Kafka knows who we are and refuses all the same."""
    expected = f"a user that may do this; `fleettwin topics acls` shows which rights there are ({what})"
    return ConfigurationError(USER, kafka.user, expected)


def greet_any(address: str, kafka: KafkaSettings, security: Mapping[str, Any]) -> None:
    """Return once one of the servers lets us in: kafka-python would try for long, and leak what it tried.

    Args:
        address: `host:port[,host:port]`.
        kafka: The settings.
        security: What `client_security` makes of them.

    Raises:
        ConfigurationError: one turns us away; the others have the same settings.
        Unavailable: none answers.
    """
    why = "no address"
    for server in address.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdecimal():
            raise ConfigurationError("FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS", address, "host:port[,host:port]")
        try:
            greet(host.strip("[]"), int(port), kafka, security, CONNECT_MILLISECONDS / 1000)
        except (OSError, OverflowError) as error:
            why = str(error)
        else:
            return
    raise Unavailable(f"Kafka at {address}", why, _WAY_OUT)
