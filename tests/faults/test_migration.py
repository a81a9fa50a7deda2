"""A migration that is killed half-way: the next one finishes it."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from infra.timescale.connection import connect, server_name
from infra.timescale.migrations import migrate
from tests.live.world import ROOT, outside_environment

COLUMNS = """
    select table_name, column_name, data_type from information_schema.columns
    where table_schema = 'fleettwin' order by 1, 2
"""
KILLS = 8


@pytest.mark.servers
def test_a_migration_that_is_killed_is_finished_by_the_next(database_url: str, tmp_path: Path) -> None:
    choice, killed = random.Random(5), 0
    environment = {**outside_environment(), "FLEETTWIN_DATABASE__URL": database_url, "PYTHONPATH": str(ROOT)}
    with psycopg.connect(database_url, autocommit=True) as look:
        for _ in range(KILLS):
            child = subprocess.Popen(
                [sys.executable, "-m", "cli", "db", "migrate"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL
            )
            while child.poll() is None and not _works(look):
                time.sleep(0.002)
            time.sleep(choice.uniform(0, 0.15))
            killed += child.poll() is None
            child.kill()
            child.wait()
        with connect(database_url, "test") as connection:
            migrate(connection, "fleettwin", server_name(database_url))
        found = look.execute(COLUMNS).fetchall()
        look.execute("drop schema fleettwin cascade")
        with connect(database_url, "test") as connection:
            migrate(connection, "fleettwin", server_name(database_url))

        assert killed > 0
        assert found == look.execute(COLUMNS).fetchall()


def _works(look: psycopg.Connection[tuple[object, ...]]) -> bool:
    """Whether somebody else is in the middle of a transaction here."""
    return bool(
        look.execute(
            "select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            " and backend_type = 'client backend' and xact_start is not null"
        ).fetchall()
    )
