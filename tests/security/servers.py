"""A Kafka and a TimescaleDB that let nobody in who does not prove who they are: real ones, once a session."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from infra.embedded import downloads, ports, process
from infra.embedded.instance import Instance
from infra.embedded.kafka import Kafka
from infra.embedded.postgres import Postgres
from infra.embedded.servers import RunningServers
from infra.embedded.stack import RunningStack
from infra.kafka_greeting import greet
from infra.kafka_security import client_security
from infra.settings import KafkaSettings, StackSettings
from models.errors import ConfigurationError
from tests.security.certificates import HOST, Certificates, made
from tests.servers import CACHE

PATIENCE_SECONDS = 30.0
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN")
ADMIN, PLAIN_USER = "admin", "plainuser"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


@dataclass(frozen=True, slots=True)
class Listeners:
    """The ports of Kafka's listeners; the embedded one, plaintext, is for its own controller and for making users."""

    login: int = field(default_factory=lambda: ports.choose("", None, None))
    """SASL_SSL with every mechanism."""
    mutual: int = field(default_factory=lambda: ports.choose("", None, None))
    """SSL for clients with a certificate."""
    unencrypted: int = field(default_factory=lambda: ports.choose("", None, None))
    """SASL_PLAINTEXT with SCRAM-SHA-256 alone."""


@dataclass(frozen=True)
class Secured:
    """Where they are, and how to come in."""

    plaintext: str
    listeners: Listeners
    certificates: Certificates
    admin_password: str
    plain_password: str
    database: Postgres
    logs: Path

    @property
    def login(self) -> str:
        return f"{HOST}:{self.listeners.login}"

    @property
    def mutual(self) -> str:
        return f"{HOST}:{self.listeners.mutual}"

    @property
    def unencrypted(self) -> str:
        return f"{HOST}:{self.listeners.unencrypted}"

    def as_user(self, user: str, password: str, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
        """Settings of Kafka, by their names, for somebody who logs in over TLS."""
        return {
            "bootstrap_servers": self.login,
            "security_protocol": "SASL_SSL",
            "ca_file": str(self.certificates.authority),
            "sasl_mechanism": mechanism,
            "user": user,
            "password": password,
        }

    @property
    def as_admin(self) -> dict[str, str]:
        return self.as_user(ADMIN, self.admin_password)

    def add_user(self, password: str | None = None) -> tuple[str, str]:
        """A user of Kafka that may do nothing yet, and the password."""
        user, password = f"user-{secrets.token_hex(4)}", password or secrets.token_urlsafe(12)
        self.make_user(user, password, "SCRAM-SHA-512")
        return user, password

    def make_user(self, user: str, password: str, mechanism: str) -> None:
        """Returns once the broker lets the user in: it hears of users from its controller."""
        from kafka import KafkaAdminClient
        from kafka.admin import UserScramCredentialUpsertion

        admin = KafkaAdminClient(bootstrap_servers=self.plaintext)
        told = admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, mechanism, password)])
        admin.close()
        assert set(told.values()) == {None}
        known = KafkaSettings.model_validate(self.as_user(user, password, mechanism))

        def let_in() -> bool:
            try:
                greet(HOST, self.listeners.login, known, client_security(known), PATIENCE_SECONDS)
            except ConfigurationError:
                return False
            return True

        assert process.await_condition(let_in, PATIENCE_SECONDS)

    def remove_user(self, user: str) -> None:
        """Let the user in no more."""
        from kafka import KafkaAdminClient
        from kafka.admin import ScramMechanism, UserScramCredentialDeletion

        admin = KafkaAdminClient(bootstrap_servers=self.plaintext)
        told = admin.alter_user_scram_credentials([UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)])
        admin.close()
        assert set(told.values()) == {None}

    def await_rights(self, user: str, count: int) -> None:
        """Wait until the broker knows that many rights of a user."""
        from kafka import KafkaAdminClient
        from kafka.admin import (
            ACLFilter,
            ACLOperation,
            ACLPermissionType,
            ACLResourcePatternType,
            ResourcePatternFilter,
            ResourceType,
        )

        anything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
        wanted = ACLFilter(f"User:{user}", None, ACLOperation.ANY, ACLPermissionType.ANY, anything)
        admin = KafkaAdminClient(bootstrap_servers=self.plaintext)
        assert process.await_condition(lambda: len(admin.describe_acls(wanted)[0]) >= count, PATIENCE_SECONDS)
        admin.close()

    def url(self, database: str, user: str = "", password: str = "", **options: str) -> str:
        """The database's address; checked TLS unless the options say otherwise."""
        usual = {"sslmode": "verify-full", "sslrootcert": str(self.certificates.authority)}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in {**usual, **options}.items())
        who = f"{user or 'fleettwin'}:{quote(password or self.database.password, safe='')}"
        return f"postgresql://{who}@{HOST}:{self.database.port}/{database}?{query}"

    @contextmanager
    def new_database(self) -> Iterator[str]:
        """The name of an empty database with the extension."""
        name = sql.Identifier(known := f"t_{secrets.token_hex(5)}")
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(name))
            with psycopg.connect(self.url(known), autocommit=True) as inside:
                inside.execute("create extension timescaledb")
            yield known
            connection.execute(sql.SQL("drop database {} with (force)").format(name))


def variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings of Kafka as variables of the environment."""
    return {f"FLEETTWIN_KAFKA__{name.upper()}": value for name, value in settings.items()}


def addresses(secured: Secured, database: str) -> RunningStack:
    """What a world of `tests.live` wants to know."""
    return RunningStack("secured", os.getpid(), secured.login, secured.url(database))


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Both servers with certificates, logins and access control."""
    settings = StackSettings(home=tmp_path_factory.mktemp("secured"))
    instance = Instance.of(settings, "secured", CACHE)
    files = downloads.files(settings, instance.cache)
    password, plain_password = secrets.token_urlsafe(12), secrets.token_urlsafe(12)
    instance.password()
    for_kafka, for_database = (instance.folder / name for name in ("certificates", "timescaledb/certificates"))
    for_kafka.mkdir()
    for_database.mkdir()
    certificates, listeners = made(for_kafka), Listeners()
    for path in for_kafka.iterdir():
        (for_database / path.name).write_bytes(path.read_bytes())
        (for_database / path.name).chmod(0o600)
    port, controller = (ports.choose("", None, None) for _ in range(2))
    kafka = Kafka(
        files.java,
        files.kafka_libraries,
        instance.kafka,
        instance.log("kafka"),
        port,
        controller,
        _kafka_properties(port, controller, listeners, certificates, plain_password),
        files.kafka_classes,
    )
    rules = instance.folder / "timescaledb" / "pg_hba.conf"
    rules.write_text(f"hostssl all all {HOST}/32 scram-sha-256\n")
    database = Postgres(
        files.database_programs,
        instance.database,
        instance.log("timescaledb"),
        ports.choose("", None, None),
        instance.password(),
        process.unprivileged(),
        durable=False,
        further={
            "ssl": "on",
            "ssl_cert_file": str(for_database / "server.pem"),
            "ssl_key_file": str(for_database / "server.pem"),
            "hba_file": str(rules),
        },
    )
    running = RunningServers((kafka, database), lambda _server, _mark: None)
    running.start()
    try:
        found = Secured(
            kafka.bootstrap_servers,
            listeners,
            certificates,
            password,
            plain_password,
            database,
            instance.log("kafka").parent,
        )
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            found.make_user(ADMIN, password, mechanism)
        yield found
    finally:
        running.end()


def _kafka_properties(
    port: int, controller: int, listeners: Listeners, certificates: Certificates, plain_password: str
) -> dict[str, str]:
    where = {
        "PLAINTEXT": port,
        "CONTROLLER": controller,
        "LOGIN": listeners.login,
        "MUTUAL": listeners.mutual,
        "UNENCRYPTED": listeners.unencrypted,
    }
    listening = ",".join(f"{name}://{HOST}:{number}" for name, number in where.items())
    plain = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{PLAIN_USER}="{plain_password}";'
    return {
        "listeners": listening,
        "advertised.listeners": listening,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_SSL,MUTUAL:SSL,"
        "UNENCRYPTED:SASL_PLAINTEXT",
        "listener.name.login.sasl.enabled.mechanisms": ",".join(MECHANISMS),
        "listener.name.login.scram-sha-256.sasl.jaas.config": SCRAM,
        "listener.name.login.scram-sha-512.sasl.jaas.config": SCRAM,
        "listener.name.login.plain.sasl.jaas.config": plain,
        "listener.name.unencrypted.sasl.enabled.mechanisms": "SCRAM-SHA-256",
        "listener.name.unencrypted.scram-sha-256.sasl.jaas.config": SCRAM,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(certificates.server),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificates.authority),
        "listener.name.mutual.ssl.client.auth": "required",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{ADMIN};User:{PLAIN_USER}",
    }
