"""Greets Kafka before a client does, to say at once why it would be turned away: clients retry, and tell little.

One connection that goes as far as a login: is there a listener, does it speak TLS, is its certificate the right one,
does it ask for a login, by this mechanism, and does it take this password?
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.kafka_security import CA_FILE, CERTIFICATE_FILE, MECHANISM, PASSWORD, PROTOCOL
from infra.settings import KafkaSettings
from models.errors import ConfigurationError

_SASL_HANDSHAKE, _SASL_AUTHENTICATE = 17, 36
"""Requests of Kafka's protocol; both are sent in version 1."""

_UNSUPPORTED_MECHANISM, _ILLEGAL_STATE, _LOGIN_FAILED = 33, 34, 58
_LONGEST_ANSWER = 1 << 20
_ALERT = b"\x15\x03"
"""How TLS begins to say that something is wrong."""


class _Alert(Exception):
    """The other side speaks TLS, and we do not."""


def greet(host: str, port: int, kafka: KafkaSettings, security: Mapping[str, Any], seconds: float) -> None:
    """Connect as a client would, log in, and leave.

    Args:
        host: Of one broker.
        port: Of its listener.
        kafka: The settings, for naming them.
        security: What `client_security` makes of them.
        seconds: How long the broker may take to answer.

    Raises:
        ConfigurationError: the listener turns us away, or we do not trust it, and which setting is the reason.
        OSError: there is no connection, or no answer; or it ended, and there is no telling why.
    """
    with socket.create_connection((host, port), seconds) as connection:
        visit = _Visit(kafka, security, host, f"{host}:{port}")
        if "ssl_context" not in security:
            visit.introduce(connection)
            return
        with visit.encrypted(connection) as channel:
            visit.introduce(channel)


@dataclass(frozen=True, slots=True)
class _Visit:
    kafka: KafkaSettings
    security: Mapping[str, Any]
    host: str
    where: str

    def encrypted(self, connection: socket.socket) -> ssl.SSLSocket:
        context: ssl.SSLContext = self.security["ssl_context"]
        try:
            return context.wrap_socket(connection, server_hostname=self.host)
        except ssl.SSLCertVerificationError as refused:
            expected = f"the authority of the certificate of Kafka at {self.where}, made out to {self.host!r}"
            file = self.kafka.ca_file
            why = refused.verify_message
            raise ConfigurationError(CA_FILE, file and str(file), f"{expected} ({why})") from None
        except (ssl.SSLEOFError, ConnectionError):
            raise self._ended() from None
        except ssl.SSLError as refused:
            raise self._other_protocol(f"does not speak TLS as we do ({_reason(refused)})") from None

    def introduce(self, channel: socket.socket) -> None:
        """Name a mechanism: a listener that takes logins says which it has, another one that it takes none."""
        mechanism: str | None = self.security.get("sasl_mechanism")
        try:
            error, offered = _handshake(channel, mechanism or "NONE")
        except (ssl.SSLEOFError, ConnectionError):
            raise self._ended() from None
        except ssl.SSLError as refused:
            file = self.kafka.certificate_file
            expected = f"a client's certificate, with its key, that Kafka at {self.where} takes ({_reason(refused)})"
            raise ConfigurationError(CERTIFICATE_FILE, file and str(file), expected) from None
        except _Alert:
            raise self._other_protocol("speaks TLS") from None
        if mechanism is None:
            if error != _ILLEGAL_STATE:
                raise self._other_protocol("asks for a login: SASL_SSL or SASL_PLAINTEXT")
        elif error == _ILLEGAL_STATE:
            raise self._other_protocol("takes no logins: SSL or PLAINTEXT")
        elif error == _UNSUPPORTED_MECHANISM:
            expected = f"one that Kafka at {self.where} has: {', '.join(offered)}"
            raise ConfigurationError(MECHANISM, mechanism, expected)
        else:
            self._log_in(channel, mechanism)

    def _log_in(self, channel: socket.socket, mechanism: str) -> None:
        from kafka.net.sasl import get_sasl_mechanism  # noqa: PLC0415  # slow to import

        login = get_sasl_mechanism(mechanism)(**self.security)
        while not login.is_done():
            token = login.auth_bytes()
            answer = _asked(channel, _SASL_AUTHENTICATE, struct.pack(">i", len(token)) + token)
            error, length = struct.unpack_from(">hh", answer)
            if error == _LOGIN_FAILED:
                expected = f"the password of user {self.kafka.user!r}, which Kafka at {self.where} does not take"
                raise ConfigurationError(PASSWORD, "(hidden)", f"{expected} by {mechanism}")
            if error:
                raise ConnectionError(f"a login at {self.where} is answered with error {error}")
            (size,) = struct.unpack_from(">i", answer, at := 4 + max(length, 0))
            login.receive(answer[at + 4 : at + 4 + size])

    def _ended(self) -> ConnectionError:
        """What a listener of another protocol does, and a broker that goes down, too."""
        protocol = self.kafka.security_protocol.value
        return ConnectionError(f"it ended the connection; {PROTOCOL} is {protocol!r}, and it may speak another one")

    def _other_protocol(self, why: str) -> ConfigurationError:
        expected = f"that of the listener at {self.where}, which {why}"
        return ConfigurationError(PROTOCOL, self.kafka.security_protocol.value, expected)


def _handshake(channel: socket.socket, mechanism: str) -> tuple[int, list[str]]:
    """The number of the error, and the mechanisms that there are."""
    answer = _asked(channel, _SASL_HANDSHAKE, _text(mechanism))
    error, count = struct.unpack_from(">hi", answer)
    offered, at = [], 6
    for _ in range(count):
        (length,) = struct.unpack_from(">h", answer, at)
        offered.append(answer[at + 2 : at + 2 + length].decode())
        at += 2 + length
    return error, offered


def _asked(channel: socket.socket, request: int, body: bytes) -> bytes:
    """What is answered, without its length and number."""
    said = struct.pack(">hhi", request, 1, 0) + _text("fleettwin") + body
    channel.sendall(struct.pack(">i", len(said)) + said)
    beginning = _received(channel, 4)
    (length,) = struct.unpack(">i", beginning)
    if beginning.startswith(_ALERT):
        raise _Alert
    if not 4 <= length <= _LONGEST_ANSWER:
        raise ConnectionError("what answers is no Kafka")
    return _received(channel, length)[4:]


def _received(channel: socket.socket, count: int) -> bytes:
    some = b""
    while len(some) < count:
        more = channel.recv(count - len(some))
        if not more:
            raise ConnectionError("the connection ended")
        some += more
    return some


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _reason(refused: ssl.SSLError) -> str:
    """OpenSSL's word for it."""
    return str(refused.reason).lower().replace("_", " ")
