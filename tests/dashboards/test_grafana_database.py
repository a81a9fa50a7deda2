"""Every query of the dashboards on a real TimescaleDB, as Grafana's login would run them."""

from __future__ import annotations

import json
import operator
import re
import secrets
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from cli.main import application
from dashboards.grafana.alerting import WATCHES, Watch
from dashboards.grafana.checking import Outcome, checked, kinds_of, reading, run
from dashboards.grafana.expansion import cases
from dashboards.grafana.queries import Query, Use, all_queries, committed
from infra.timescale.connection import Connection, connect
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
def test_with_all_sites_no_panel_comes_back_empty(outcomes: list[Outcome], length: str) -> None:
    rows: dict[str, int] = defaultdict(int)
    for one in outcomes:
        if one.case.name == f"all sites, {length}":
            rows[one.query.name.partition(", query ")[0]] += one.rows

    assert [name for name, count in rows.items() if not count] == []


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

    ran = CliRunner().invoke(application(), ["dashboards", "check", "--json"])

    report = json.loads(ran.stdout)
    assert (ran.exit_code, report["failed"], report["failures"]) == (0, 0, [])


def test_the_command_counts_dashboards_queries_and_what_failed(seeded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETTWIN_DATABASE__URL", seeded)

    ran = CliRunner().invoke(application(), ["dashboards", "check", "--json"])

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
            ran = CliRunner().invoke(application(), ["dashboards", "check"])
        finally:
            owner.execute("alter view fleettwin.racks_then rename to racks_now")

    assert ran.exit_code == 1
    assert 'fleet-site: Racks (all sites, 1 h): relation "racks_now" does not exist' in ran.stdout


def test_a_database_without_our_tables_is_told_before_anything_is_run(database_url: str) -> None:
    with pytest.raises(Unavailable, match="fleettwin db migrate"), reading(database_url, SCHEMA):
        pass


def alerts(connection: Connection, watch: Watch) -> list[dict[str, Any]]:
    """What a rule fires for: words as labels, and one number that is beyond the threshold."""
    cursor = connection.execute(watch.sql.encode())
    columns = {column.name: column.type_code for column in cursor.description or ()}
    (number,), words = kinds_of(columns)
    assert {number, *words} == set(columns)
    rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    beyond = operator.gt if watch.fires == "gt" else operator.lt
    return [row for row in rows if row[number] is not None and beyond(row[number], watch.threshold)]


def fired(connection: Connection, uid: str) -> list[dict[str, Any]]:
    """What the rule of this uid fires for."""
    return alerts(connection, next(watch for watch in WATCHES if watch.uid == uid))


@contextmanager
def undone(address: str, *changes: LiteralString) -> Iterator[Connection]:
    """A transaction with these changes in our schema, which never happened afterwards."""
    with connect(address, "test") as owner, owner.transaction(force_rollback=True):
        owner.execute("set local search_path to fleettwin, public")
        for change in changes:
            owner.execute(change)
        yield owner


def test_a_critical_shortage_is_an_alert_and_others_are_none(seeded: str) -> None:
    with undone(seeded) as connection:
        assert fired(connection, "fleet-shortage-critical") == [
            {"scope": "site", "name": "memphis", "resource": "power", "shortages": 1.0}
        ]


def test_a_site_with_less_than_a_twentieth_of_its_supply_left_is_an_alert(seeded: str) -> None:
    change: LiteralString = (
        "update site_samples set headroom_watts = supply_watts * case site when 'memphis' then 0.049 else 0.051 end"
    )
    with undone(seeded, change) as connection:
        assert [row["site"] for row in fired(connection, "fleet-headroom-low")] == ["memphis"]


@pytest.mark.parametrize(("seconds", "alerts"), [(110, 0), (130, 1)])
def test_data_older_than_two_minutes_is_an_alert(seeded: str, seconds: int, alerts: int) -> None:
    with undone(seeded, "delete from fleet_samples where time < (select max(time) from fleet_samples)") as connection:
        connection.execute(
            "insert into fleet_samples select (jsonb_populate_record(known, jsonb_build_object("
            "'time', now() - make_interval(secs => %s)))).* from fleet_samples known",
            [seconds],
        )
        connection.execute("delete from fleet_samples where time > now()")
        assert len(fired(connection, "fleet-data-old")) == alerts


def test_rows_that_are_half_a_minute_late_are_an_alert(seeded: str) -> None:
    with undone(seeded, "update pipeline_delays set p95_seconds = 31 where stage = 'node_row'") as connection:
        assert [row["stage"] for row in fired(connection, "fleet-store-behind")] == ["node_row"]


def test_what_is_refused_is_an_alert_by_topic_and_reason(seeded: str) -> None:
    with undone(seeded) as connection:
        refused = {(row["topic"], row["code"]): row["refused"] for row in fired(connection, "fleet-dead-letters")}

    assert refused == {
        ("fleet.telemetry.v1", "unknown_type"): 12.0,
        ("fleet.demand.v1", "undecodable"): 4.0,
        ("fleet.sites.v1", "wrong_site"): 4.0,
    }


def test_no_rule_fails_on_an_empty_database(database_url: str) -> None:
    with connect(database_url, "test") as owner:
        migrate(owner, SCHEMA, "the test's server")

    with reading(database_url, SCHEMA) as connection:
        assert [alerts(connection, watch) for watch in WATCHES] == [[]] * len(WATCHES)
