"""What a greeting makes of a listener that is none of Kafka's, or goes away: something that passes, not a setting."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from infra.kafka_clients import opened_admin
from infra.settings import KafkaSettings, Settings
from models.errors import ConfigurationError, Unavailable


@contextmanager
def listener(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of one that does this to whoever comes, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                answer(connection)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


def says(what: bytes) -> Callable[[socket.socket], None]:
    """Hear the question, and say this."""

    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(what)

    return answer


@pytest.mark.parametrize(
    ("protocol", "answer"),
    [
        pytest.param("PLAINTEXT", lambda _: None, id="nothing-heard"),
        pytest.param("PLAINTEXT", says(b""), id="nothing-said"),
        pytest.param("PLAINTEXT", says(b"\0\0\0\x0a\0\0"), id="half-said"),
        pytest.param("SSL", lambda _: None, id="nothing-heard-of-tls"),
        pytest.param("SSL", says(b""), id="nothing-said-of-tls"),
    ],
)
def test_a_listener_that_hangs_up_may_come_back(protocol: str, answer: Callable[[socket.socket], None]) -> None:
    with listener(answer) as address:
        known = KafkaSettings.model_validate({"bootstrap_servers": address, "security_protocol": protocol})
        with pytest.raises(Unavailable) as away, opened_admin(Settings(kafka=known)):
            pass

    assert f"FLEETTWIN_KAFKA__SECURITY_PROTOCOL is '{protocol}'" in away.value.why


def test_a_listener_that_is_no_kafka_is_told_as_away() -> None:
    with listener(says(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as address:
        known = KafkaSettings(bootstrap_servers=address)
        with pytest.raises(Unavailable, match=address), opened_admin(Settings(kafka=known)):
            pass


def test_where_one_broker_hangs_up_the_next_one_is_asked() -> None:
    alert = says(b"\x15\x03\x03\0\x02\x02\x28")
    with listener(says(b"")) as down, listener(alert) as other:
        known = KafkaSettings(bootstrap_servers=f"{down},{other}")
        with pytest.raises(ConfigurationError) as wrong, opened_admin(Settings(kafka=known)):
            pass

    assert f"the listener at {other}, which speaks TLS" in wrong.value.expected
