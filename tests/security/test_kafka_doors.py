"""Who comes in to Kafka, and what those are told who do not: the setting, its value, the way out, and no secret."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from infra.kafka_clients import opened_admin, opened_consumer, opened_producer
from infra.settings import KafkaSettings, Settings
from models.errors import ConfigurationError, FleettwinError
from tests.live.world import fleettwin, outside_environment
from tests.security.certificates import Certificates
from tests.security.servers import MECHANISMS, PLAIN_USER, Secured, variables

pytestmark = pytest.mark.servers

PROMPTLY_SECONDS = 5.0


def settings(**kafka: str) -> Settings:
    return Settings(kafka=KafkaSettings.model_validate(kafka))


def refusal(**kafka: str) -> ConfigurationError:
    """What somebody with these settings is told to change, and told at once."""
    refused = turned_away(**kafka)
    assert isinstance(refused, ConfigurationError), refused
    return refused


def turned_away(**kafka: str) -> FleettwinError:
    begun = time.monotonic()
    with pytest.raises(FleettwinError) as refused, opened_admin(settings(**kafka)):
        pass
    assert time.monotonic() - begun < PROMPTLY_SECONDS
    if "password" in kafka:
        assert kafka["password"] not in str(refused.value)
    return refused.value


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_client_comes_in_by_every_mechanism(secured: Secured, mechanism: str) -> None:
    known = settings(**secured.as_admin) if mechanism != "PLAIN" else None
    user = secured.as_user(PLAIN_USER, secured.plain_password, mechanism)
    chosen = known or settings(**user)
    if mechanism == "SCRAM-SHA-256":
        chosen = settings(**{**secured.as_admin, "sasl_mechanism": mechanism})
    with opened_admin(chosen) as admin, opened_consumer(chosen) as consumer, opened_producer(chosen) as producer:
        admin.create_topics({f"door.{mechanism}": {"num_partitions": 1, "replication_factor": 1}})
        admin.wait_for_topics([f"door.{mechanism}"])
        producer.send(f"door.{mechanism}", b"hello").get(timeout=10)

        assert f"door.{mechanism}" in consumer.topics()


def test_a_certificate_is_enough_where_the_listener_asks_for_one(secured: Secured) -> None:
    known = settings(**mutual(secured, secured.certificates.client))
    with opened_admin(known) as admin:
        assert admin.describe_cluster()["brokers"]


def test_a_login_may_go_unencrypted_where_the_password_does_not(secured: Secured) -> None:
    known = {"bootstrap_servers": secured.unencrypted, "user": "admin", "password": secured.admin_password}
    known |= {"security_protocol": "SASL_PLAINTEXT"}
    with opened_admin(settings(**known, sasl_mechanism="SCRAM-SHA-256")) as admin:
        assert admin.describe_cluster()["brokers"]

    refused = refusal(**known, sasl_mechanism="PLAIN")

    assert (refused.setting, refused.value) == ("FLEETTWIN_KAFKA__SASL_MECHANISM", "PLAIN")


def test_a_password_may_stand_in_a_file(secured: Secured, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(secured.admin_password + "\n")
    known = secured.as_admin
    del known["password"]
    with opened_admin(settings(**known, password_file=str(file))) as admin:
        assert admin.describe_cluster()["brokers"]


def test_a_wrong_password_is_told_as_one(secured: Secured) -> None:
    for mechanism in MECHANISMS:
        refused = refusal(**secured.as_user("admin", "not-the-password", mechanism))

        assert (refused.setting, refused.value) == ("FLEETTWIN_KAFKA__PASSWORD", "(hidden)")
        assert "'admin'" in refused.expected
        assert mechanism in refused.expected


def test_a_broker_of_another_authority_is_not_trusted(secured: Secured) -> None:
    refused = refusal(**secured.as_admin | {"ca_file": str(secured.certificates.stranger)})

    assert (refused.setting, refused.value) == ("FLEETTWIN_KAFKA__CA_FILE", str(secured.certificates.stranger))
    assert "certificate" in refused.expected


def test_a_broker_under_another_name_is_not_trusted(secured: Secured) -> None:
    refused = refusal(**secured.as_admin | {"bootstrap_servers": f"localhost:{secured.listeners.login}"})

    assert refused.setting == "FLEETTWIN_KAFKA__CA_FILE"
    assert "'localhost'" in refused.expected


def test_without_an_authority_the_system_s_count(secured: Secured) -> None:
    known = secured.as_admin
    del known["ca_file"]
    refused = refusal(**known)

    assert refused.setting == "FLEETTWIN_KAFKA__CA_FILE"
    assert refused.value is None


@pytest.mark.parametrize(
    ("listener", "protocol", "expected"),
    [
        pytest.param("login", "PLAINTEXT", "speaks TLS", id="plaintext-at-tls"),
        pytest.param("login", "SASL_PLAINTEXT", "speaks TLS", id="login-in-the-clear-at-tls"),
        pytest.param("login", "SSL", "SASL_SSL", id="no-login-where-one-is-asked-for"),
        pytest.param("plaintext", "SASL_SSL", "may speak another one", id="tls-at-plaintext"),
        pytest.param("plaintext", "SASL_PLAINTEXT", "takes no logins", id="login-at-plaintext"),
        pytest.param("unencrypted", "PLAINTEXT", "SASL_PLAINTEXT", id="plaintext-at-login"),
    ],
)
def test_another_protocol_than_the_listener_s_is_named(
    secured: Secured, listener: str, protocol: str, expected: str
) -> None:
    known = {"bootstrap_servers": getattr(secured, listener), "security_protocol": protocol}
    if protocol.startswith("SASL"):
        known |= {"user": "admin", "password": secured.admin_password}
    if protocol.endswith("SSL"):
        known |= {"ca_file": str(secured.certificates.authority)}
    refused = str(turned_away(**known))

    assert f"FLEETTWIN_KAFKA__SECURITY_PROTOCOL is {protocol!r}" in refused
    assert expected in refused
    assert known["bootstrap_servers"] in refused


def test_a_mechanism_that_the_listener_has_not_is_answered_with_those_it_has(secured: Secured) -> None:
    known = {"security_protocol": "SASL_PLAINTEXT", "user": "admin", "password": secured.admin_password}
    refused = refusal(bootstrap_servers=secured.unencrypted, **known, sasl_mechanism="SCRAM-SHA-512")

    assert (refused.setting, refused.value) == ("FLEETTWIN_KAFKA__SASL_MECHANISM", "SCRAM-SHA-512")
    assert "SCRAM-SHA-256" in refused.expected


def mutual(secured: Secured, certificate: Path | None) -> dict[str, str]:
    known = {"bootstrap_servers": secured.mutual, "security_protocol": "SSL"}
    known |= {"ca_file": str(secured.certificates.authority)}
    return known if certificate is None else {**known, "certificate_file": str(certificate)}


def test_a_client_without_a_certificate_or_with_a_stranger_s_is_told_of_it(secured: Secured) -> None:
    for certificate in (None, secured.certificates.strange_client):
        refused = refusal(**mutual(secured, certificate))

        assert refused.setting == "FLEETTWIN_KAFKA__CERTIFICATE_FILE"
        assert refused.value == (None if certificate is None else str(certificate))


def certificate_settings(certificates: Certificates, folder: Path) -> list[tuple[dict[str, str], str]]:
    (folder / "nothing.pem").write_text("no certificate")
    tls = {"security_protocol": "SSL"}
    return [
        ({"user": "a"}, "SECURITY_PROTOCOL"),
        ({"password": "a"}, "SECURITY_PROTOCOL"),
        ({"ca_file": str(certificates.authority)}, "SECURITY_PROTOCOL"),
        ({"certificate_file": str(certificates.client)}, "SECURITY_PROTOCOL"),
        ({**tls, "ca_file": str(folder / "none.pem")}, "CA_FILE"),
        ({**tls, "ca_file": str(folder / "nothing.pem")}, "CA_FILE"),
        ({**tls, "certificate_file": str(folder / "nothing.pem")}, "CERTIFICATE_FILE"),
        ({**tls, "certificate_file": str(certificates.locked_client)}, "CERTIFICATE_FILE"),
        ({**tls, "key_file": str(certificates.client)}, "CERTIFICATE_FILE"),
        ({"security_protocol": "SASL_SSL"}, "USER"),
        ({"security_protocol": "SASL_SSL", "user": "a"}, "PASSWORD"),
        ({"security_protocol": "SASL_SSL", "user": "a", "password_file": str(folder / "none")}, "PASSWORD_FILE"),
        ({"security_protocol": "SASL_SSL", "user": "a", "password": "b", "password_file": "c"}, "PASSWORD_FILE"),
    ]


def test_settings_that_contradict_each_other_or_name_no_file_are_refused(secured: Secured, tmp_path: Path) -> None:
    for known, setting in certificate_settings(secured.certificates, tmp_path):
        refused = refusal(bootstrap_servers=secured.login, **known)

        assert refused.setting == f"FLEETTWIN_KAFKA__{setting}", known


@pytest.mark.parametrize(
    "command",
    [
        ("topics", "list"),
        ("twin",),
        ("store",),
        ("simulate", "--seconds", "1"),
        ("alerts", "--group", "g"),
        ("verify", "--no-database"),
    ],
    ids=" ".join,
)
def test_commands_and_workers_end_at_once_with_a_wrong_password(
    secured: Secured, tmp_path: Path, command: tuple[str, ...]
) -> None:
    environment = outside_environment() | variables(secured.as_user("admin", "wr0ng-secret"))
    environment |= {"FLEETTWIN_DATABASE__URL": secured.url("fleettwin")}
    done = fleettwin(*command, environment=environment, folder=tmp_path, seconds=20)

    assert done.returncode == 2, done.stderr
    assert "FLEETTWIN_KAFKA__PASSWORD is '(hidden)'; expected the password of user 'admin'" in done.stderr
    assert "wr0ng-secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
