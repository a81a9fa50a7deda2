"""Logins on a real TimescaleDB: what they find without saying where, and what they may not do."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo, errors, sql
from typer.testing import CliRunner

from cli.db import PASSWORD_VARIABLE, app
from infra.settings import DatabaseSettings
from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection, connect
from infra.timescale.logins import create_login
from infra.timescale.migrations import migrate
from infra.timescale.roles import Role
from infra.timescale.sink import TimescaleSink
from models.errors import ConfigurationError
from tests.infra.timescale_builders import minute_of_everything, opened

pytestmark = pytest.mark.servers


@pytest.fixture
def screen(database_url: str) -> str:
    """The address of a reader's login, in a schema of another name."""
    with opened(database_url, "odd_name") as (sink, look):
        sink.write(minute_of_everything(seconds=5))
        create_login(look, "odd_name", Role.READER, "odd_screen", "s")
    return conninfo.make_conninfo(database_url, user="odd_screen", password="s")


def test_a_reader_needs_no_schema_before_names(screen: str) -> None:
    with connect(screen, "test") as connection:
        rows = connection.execute(
            "select time, it_watts from fleet_series('2027-01-15 08:00Z', '2027-01-15 08:00:05Z', '1s')"
        ).fetchall()
        sites = connection.execute("select site from sites_now order by 1").fetchall()

    assert len(rows) == 5
    assert sites == [("abilene",), ("memphis",)]


def test_a_readers_questions_cannot_write_and_cannot_last(screen: str) -> None:
    with connect(screen, "test") as connection:
        with pytest.raises(errors.ReadOnlySqlTransaction):
            connection.execute("create temporary table mine (a integer)")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("begin read write; delete from site_samples")
        connection.rollback()

        assert connection.execute("show statement_timeout").fetchone() == ("30s",)


def test_functions_are_for_the_schemas_roles_alone(database_url: str, screen: str) -> None:
    with connect(database_url, "test") as owner:
        owner.execute("create role odd_stranger login password 'x'")
        owner.execute("grant usage on schema odd_name to odd_stranger")
    stranger = conninfo.make_conninfo(database_url, user="odd_stranger", password="x")

    with connect(stranger, "test") as connection, pytest.raises(errors.InsufficientPrivilege, match="fleet_series"):
        connection.execute("select odd_name.fleet_series(now(), now(), '1s')")
    with connect(screen, "test") as connection:
        assert connection.execute("select count(*) from fleet_series(now(), now(), '1s')").fetchone() == (0,)


def test_a_writer_may_write_however_it_was_made(database_url: str) -> None:
    with connect(database_url, "test") as owner:
        migrate(owner, "other", "here")
        create_login(owner, "other", Role.READER, "odd_writer", "w")
        create_login(owner, "other", Role.WRITER, "odd_writer", "w")
    with TimescaleSink(conninfo.make_conninfo(database_url, user="odd_writer", password="w"), "other") as sink:
        assert sink.write(RowBatch(sites=minute_of_everything(seconds=1).sites)) == {"site_samples": 2, "site_pools": 2}


@pytest.mark.parametrize("name", ["fleettwin", "fleettwin_owner"])
def test_a_name_that_stands_for_more_is_refused(database_url: str, name: str) -> None:
    with opened(database_url) as (_, look), pytest.raises(ConfigurationError, match="the login's name"):
        create_login(look, "fleettwin", Role.READER, name, "s")


def test_before_the_migrations_there_is_no_role_to_give(database_url: str) -> None:
    with connect(database_url, "test") as look, pytest.raises(ConfigurationError, match="fleettwin db migrate"):
        create_login(look, "never_migrated", Role.READER, "nobody", "s")


def test_the_command_takes_the_password_from_a_file_or_the_environment(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEETTWIN_DATABASE__URL", database_url)
    with connect(database_url, "test") as owner:
        migrate(owner, DatabaseSettings().schema_name, "here")
        file = tmp_path / "password"
        file.write_text("of the file\n", encoding="utf-8")
        monkeypatch.setenv(PASSWORD_VARIABLE, "of the environment")
        command = ["login", "--name", "odd_person"]

        assert CliRunner().invoke(app, [*command, "--password-file", str(file)]).exit_code == 0
        assert log_in(database_url, "of the file")
        assert CliRunner().invoke(app, command).exit_code == 0
        assert log_in(database_url, "of the environment")

        monkeypatch.delenv(PASSWORD_VARIABLE)
        refused = CliRunner().invoke(app, command)
        assert isinstance(refused.exception, ConfigurationError)
        assert "--password-file" in str(refused.exception)
        forget(owner, "odd_person")


def log_in(address: str, password: str) -> bool:
    with psycopg.connect(address, user="odd_person", password=password) as connection:
        return connection.execute("select pg_has_role('fleettwin_reader', 'member')").fetchone() == (True,)


def forget(owner: Connection, name: str) -> None:
    owner.execute(sql.SQL("drop owned by {}").format(sql.Identifier(name)))
    owner.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
