"""Every query of the dashboards on a real TimescaleDB, as Grafana's login would run them."""

from __future__ import annotations

import json
import re
import secrets
from collections import defaultdict
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from cli.main import app
from dashboards.grafana.checking import Outcome, checked, reading, run
from dashboards.grafana.expansion import cases
from dashboards.grafana.queries import Query, Use, all_queries, committed
from infra.timescale.connection import connect
from infra.timescale.migrations import migrate
from models.errors import Unavailable
from models.instants import moment_of
from tests.dashboards.grafana_seed import END, SCHEMA, SEED_SITES, seed

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def seeded(database_template: str) -> Iterator[str]:
    """The address of a database with a few minutes of everything, for this module."""
    name = f"t_{secrets.token_hex(5)}"
    with psycopg.connect(database_template, autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE fleettwin_template")
        connection.execute(create.format(sql.Identifier(name)))
        address = f"{database_template.rpartition('/')[0]}/{name}"
        seed(address)
        yield address
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def outcomes(seeded: str) -> list[Outcome]:
    with reading(seeded, SCHEMA) as connection:
        return list(checked(connection, all_queries(committed())))


def test_every_query_runs_in_every_case(outcomes: list[Outcome]) -> None:
    failed = [f"{one.query.name} ({one.case.name}): {one.problem}" for one in outcomes if one.problem]

    assert failed == []


def test_every_query_is_tried_for_all_one_odd_and_no_sites_and_for_short_and_long_ranges(
    outcomes: list[Outcome],
) -> None:
    tried = defaultdict(set)
    for one in outcomes:
        tried[one.query].add(one.case.name)

    choices = ("all sites", "one site", "an odd name", "nothing to choose")
    expected = {f"{chosen}, {length}" for chosen in choices for length in ("1 h", "30 d")}
    assert set(tried) == set(all_queries(committed()))
    assert all(names == expected for names in tried.values())


@pytest.mark.parametrize("length", ["1 h", "30 d"])
def test_with_all_sites_no_query_comes_back_empty(outcomes: list[Outcome], length: str) -> None:
    empty = [one.query.name for one in outcomes if one.case.name == f"all sites, {length}" and not one.rows]

    assert empty == []


def test_the_odd_named_site_is_found_by_its_name(outcomes: list[Outcome]) -> None:
    by_case = {one.case.name: one.rows for one in outcomes if one.query.name == "fleet-overview: Sites"}

    assert (by_case["all sites, 1 h"], by_case["an odd name, 1 h"], by_case["nothing to choose, 1 h"]) == (3, 1, 0)


@pytest.mark.parametrize(
    ("use", "text", "said"),
    [
        pytest.param(Use.SERIES, "select 1 as value", "without a column `time`", id="no-time"),
        pytest.param(Use.SERIES, "select 5 as time, 1 as value", "without a column `time`", id="time-is-a-number"),
        pytest.param(Use.SERIES, "select now() as time, 'x' as what", "without a number", id="no-number"),
        pytest.param(Use.SERIES, "select now() as time, array[1] as x", "neither a number nor a word", id="array"),
        pytest.param(
            Use.SERIES,
            "select now() - make_interval(secs => i) as time, i from generate_series(1, 2) i",
            "not ordered by time",
            id="disorder",
        ),
        pytest.param(Use.ANNOTATION, "select now() as time, 'x' as text", "needs time, timeend", id="annotation"),
        pytest.param(Use.VARIABLE, "select 1 as site", "one column of words", id="variable"),
        pytest.param(Use.TABLE, "select i from generate_series(1, 100001) i", "no bound", id="endless"),
        pytest.param(Use.TABLE, "select nonsense", "nonsense", id="wrong"),
        pytest.param(Use.TABLE, "select 1 from sites_now where $__nothing(x)", "unknown macro", id="unknown-macro"),
        pytest.param(Use.TABLE, "delete from dead_letters", "permission denied|read-only", id="writes"),
    ],
)
def test_what_a_panel_could_not_show_is_told(seeded: str, use: Use, text: str, said: str) -> None:
    case = next(iter(cases(SEED_SITES, {}, moment_of(END))))

    with reading(seeded, SCHEMA) as connection:
        outcome = run(connection, Query("p", "w", use, text), case)

    assert re.search(said, outcome.problem)


def test_an_empty_database_fails_no_query(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(database_url, "test") as owner:
        migrate(owner, SCHEMA, "the test's server")
    monkeypatch.setenv("FLEETTWIN_DATABASE__URL", database_url)

    ran = CliRunner().invoke(app, ["dashboards", "check", "--json"])

    report = json.loads(ran.stdout)
    assert (ran.exit_code, report["failed"], report["failures"]) == (0, 0, [])


def test_the_command_counts_dashboards_queries_and_what_failed(seeded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETTWIN_DATABASE__URL", seeded)

    ran = CliRunner().invoke(app, ["dashboards", "check", "--json"])

    report = json.loads(ran.stdout)
    assert ran.exit_code == 0
    assert report["dashboards"] == len(committed())
    assert report["queries"] == 8 * len(all_queries(committed()))
    assert report["failed"] == 0
    assert report["slowest_ms"] > 0


def test_a_query_that_fails_ends_the_command_with_1_and_is_named(seeded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETTWIN_DATABASE__URL", seeded)
    with connect(seeded, "test") as owner:
        owner.execute("alter view fleettwin.racks_now rename to racks_then")
        try:
            ran = CliRunner().invoke(app, ["dashboards", "check"])
        finally:
            owner.execute("alter view fleettwin.racks_then rename to racks_now")

    assert ran.exit_code == 1
    assert 'fleet-site: Racks (all sites, 1 h): relation "racks_now" does not exist' in ran.stdout


def test_a_database_without_our_tables_is_told_before_anything_is_run(database_url: str) -> None:
    with pytest.raises(Unavailable, match="fleettwin db migrate"), reading(database_url, SCHEMA):
        pass
