"""How clients prove to Kafka who they are, and Kafka to them: what the settings say, as every client takes it."""

from __future__ import annotations

import ssl
from typing import Any

from infra.secret_files import secret_of
from infra.settings import KafkaSettings, SaslMechanism, SecurityProtocol
from models.errors import ConfigurationError

PROTOCOL, CA_FILE, CERTIFICATE_FILE, KEY_FILE, MECHANISM, USER, PASSWORD = (
    f"FLEETTWIN_KAFKA__{name}"
    for name in ("SECURITY_PROTOCOL", "CA_FILE", "CERTIFICATE_FILE", "KEY_FILE", "SASL_MECHANISM", "USER", "PASSWORD")
)


def client_security(kafka: KafkaSettings) -> dict[str, Any]:
    """Arguments for a client, by the names that kafka-python and aiokafka share; files are read now.

    Raises:
        ConfigurationError: a setting is missing, belongs to another protocol, or names a file that is none.
    """
    _refuse_what_would_go_unused(kafka)
    security: dict[str, Any] = {"security_protocol": kafka.security_protocol.value}
    if kafka.security_protocol.encrypted:
        security["ssl_context"] = _tls(kafka)
    if kafka.security_protocol.named:
        security |= _login(kafka)
    return security


def _refuse_what_would_go_unused(kafka: KafkaSettings) -> None:
    """A secret or a certificate that no connection uses is a mistake, most likely of the protocol."""
    protocol = kafka.security_protocol
    for setting, given in ((CA_FILE, kafka.ca_file), (CERTIFICATE_FILE, kafka.certificate_file)):
        if given is not None and not protocol.encrypted:
            raise ConfigurationError(PROTOCOL, protocol.value, f"SSL or SASL_SSL, since {setting} is set")
    for setting, said in ((USER, kafka.user), (PASSWORD, kafka.password), (f"{PASSWORD}_FILE", kafka.password_file)):
        if said is not None and not protocol.named:
            raise ConfigurationError(PROTOCOL, protocol.value, f"SASL_SSL or SASL_PLAINTEXT, since {setting} is set")
    if kafka.key_file is not None and kafka.certificate_file is None:
        raise ConfigurationError(CERTIFICATE_FILE, None, f"the certificate of the key in {KEY_FILE}")


def _tls(kafka: KafkaSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer; the broker's certificate and its name are always checked."""
    context = ssl.create_default_context()
    if kafka.ca_file is not None:
        # By the file alone: whoever names an authority does not mean all the others that this machine knows.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(kafka.ca_file)
        except OSError as error:
            raise ConfigurationError(CA_FILE, str(kafka.ca_file), f"certificates in PEM ({_why(error)})") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if kafka.certificate_file is not None:
        try:
            context.load_cert_chain(kafka.certificate_file, kafka.key_file, _no_password)
        except OSError as error:
            expected = f"a certificate in PEM with its unencrypted key, there or in {KEY_FILE} ({_why(error)})"
            raise ConfigurationError(CERTIFICATE_FILE, str(kafka.certificate_file), expected) from None
    return context


def _no_password() -> str:
    """Keys with passwords are refused: without this, OpenSSL would ask on the terminal."""
    return ""


def _login(kafka: KafkaSettings) -> dict[str, Any]:
    if kafka.user is None:
        raise ConfigurationError(USER, None, f"a user, since {PROTOCOL} is {kafka.security_protocol.value}")
    password = secret_of(PASSWORD, kafka.password, kafka.password_file)
    if password is None:
        raise ConfigurationError(PASSWORD, None, f"the password of {kafka.user!r}, or {PASSWORD}_FILE with its file")
    if kafka.sasl_mechanism is SaslMechanism.PLAIN and kafka.security_protocol is SecurityProtocol.SASL_PLAINTEXT:
        expected = f"a SCRAM one, since {PROTOCOL} is SASL_PLAINTEXT and the password would be read by anybody"
        raise ConfigurationError(MECHANISM, kafka.sasl_mechanism.value, expected)
    return {
        "sasl_mechanism": kafka.sasl_mechanism.value,
        "sasl_plain_username": kafka.user,
        "sasl_plain_password": password,
    }


def _why(error: OSError) -> str:
    """OpenSSL's words, which are errors of the system as well, have no `strerror` that says more."""
    return str(error.reason if isinstance(error, ssl.SSLError) else error.strerror) or "not readable"
