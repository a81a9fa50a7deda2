"""Who comes in to a database that takes none but encrypted connections, and what those are told who do not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from infra.embedded.stack import RunningStack
from infra.servers import database_address
from infra.settings import DatabaseSettings, KafkaSettings, Settings
from infra.timescale.connection import connect
from infra.topics import create_topics
from models.errors import ConfigurationError
from tests.live.world import fleettwin, outside_environment
from tests.security.servers import Secured, variables

pytestmark = pytest.mark.servers

PROMPTLY_SECONDS = 5.0


def test_whoever_knows_the_authority_and_the_password_comes_in_encrypted(secured: Secured) -> None:
    with connect(secured.url("fleettwin"), "test") as connection:
        encrypted = connection.execute("select ssl, version from pg_stat_ssl where pid = pg_backend_pid()").fetchone()

    assert encrypted == (True, "TLSv1.3")


def test_the_address_may_stand_in_a_file(secured: Secured, tmp_path: Path) -> None:
    file = tmp_path / "address"
    file.write_text(secured.url("fleettwin") + "\n")

    assert database_address(Settings(database=DatabaseSettings(url_file=file))) == secured.url("fleettwin")


def refusals(secured: Secured) -> dict[str, tuple[str, str]]:
    """What is wrong, the address, and what the message says of it."""
    url, port = secured.url, secured.database.port
    return {
        "password": (url("fleettwin", password="not-the-password"), "password authentication failed"),
        "user": (url("fleettwin", "nobody", "not-the-password"), "password authentication failed"),
        "unencrypted": (url("fleettwin", sslmode="disable"), "no pg_hba.conf entry"),
        "authority": (url("fleettwin", sslrootcert=str(secured.certificates.stranger)), "sslrootcert"),
        "no-authority": (url("fleettwin", sslrootcert="none.pem"), "sslrootcert"),
        "name": (url("fleettwin").replace(f"127.0.0.1:{port}", f"localhost:{port}"), "sslrootcert"),
    }


CASES = ("password", "user", "unencrypted", "authority", "no-authority", "name")


@pytest.mark.parametrize("case", CASES)
def test_whoever_does_not_is_told_at_once_and_why(secured: Secured, case: str) -> None:
    address, said = refusals(secured)[case]
    begun = time.monotonic()
    with pytest.raises(ConfigurationError) as refused:
        connect(address, "test")

    assert time.monotonic() - begun < PROMPTLY_SECONDS
    assert refused.value.setting == "FLEETTWIN_DATABASE__URL"
    assert str(refused.value.value).startswith("PostgreSQL ")
    assert said in refused.value.expected
    assert "not-the-password" not in str(refused.value)
    assert secured.database.password not in str(refused.value)


def test_a_server_without_tls_is_not_spoken_to_where_tls_is_asked_for(stack: RunningStack) -> None:
    with pytest.raises(ConfigurationError, match="a server that speaks TLS"):
        connect(f"{stack.database_url}?sslmode=require", "test")


@pytest.mark.parametrize("case", ["password", "authority"])
def test_the_store_and_the_commands_end_at_once(secured: Secured, tmp_path: Path, case: str) -> None:
    address, said = refusals(secured)[case]
    kafka = secured.as_admin | {"topic_prefix": "doors."}
    create_topics(Settings(kafka=KafkaSettings.model_validate(kafka)))
    environment = outside_environment() | variables(kafka) | {"FLEETTWIN_DATABASE__URL": address}
    for command in (("store",), ("db", "status")):
        done = fleettwin(*command, environment=environment, folder=tmp_path, seconds=20)

        assert done.returncode == 2, done.stderr
        assert "FLEETTWIN_DATABASE__URL is 'PostgreSQL 127.0.0.1:" in done.stderr
        assert said in done.stderr
        assert "not-the-password" not in done.stderr
