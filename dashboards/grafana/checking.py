"""Runs every query of the dashboards on the database as Grafana would, and looks at what comes back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import psycopg
from psycopg import errors, sql

from dashboards.grafana.expansion import Case, cases
from dashboards.grafana.macros import MacroError
from dashboards.grafana.queries import Query, Use
from infra.timescale.connection import Connection, connect, database_errors, server_name
from infra.timescale.migrations import require_current
from infra.timescale.roles import Role

MOST_ROWS = 100_000
"""More than this no panel can show, and a query that gives more is missing a bound."""
_PATIENCE_SECONDS = 30

_NUMBERS = frozenset((20, 21, 23, 700, 701, 1700))
_WORDS = frozenset((25, 1042, 1043))
_TIME = 1184


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a query in a case.

    Args:
        query: Which.
        case: Looked at how.
        rows: How many came.
        milliseconds: From sending it to having all of them.
        problem: What is wrong with it; empty where nothing is.
    """

    query: Query
    case: Case
    rows: int
    milliseconds: float
    problem: str = ""


@contextmanager
def reading(address: str, schema: str, application: str = "fleettwin dashboards") -> Iterator[Connection]:
    """A connection that may what Grafana's login may: as the reader where we may act as it, and read-only anyway.

    Raises:
        Unavailable: no server, or its schema is not up to date.
    """
    server = server_name(address)
    with connect(address, application) as connection, database_errors(server):
        require_current(connection, schema, server)
        with suppress(errors.InsufficientPrivilege, errors.UndefinedObject, errors.InvalidParameterValue):
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(Role.READER.named(schema))))
        connection.execute(sql.SQL("set search_path to {}").format(sql.Identifier(schema)))
        connection.execute(sql.SQL("set statement_timeout to {}").format(sql.Literal(f"{_PATIENCE_SECONDS}s")))
        connection.execute("set default_transaction_read_only to on")
        yield connection


def checked(connection: Connection, queries: Iterable[Query]) -> Iterator[Outcome]:
    """Each query in each case, as they are run."""
    looked_at = list(_cases_of(connection))
    for query in queries:
        for case in looked_at:
            yield run(connection, query, case)


def run(connection: Connection, query: Query, case: Case) -> Outcome:
    """One query in one case."""
    began = time.perf_counter()
    try:
        cursor = connection.execute(case.sql(query).encode())
        rows = cursor.fetchall()
    except (psycopg.Error, MacroError) as error:
        if connection.closed:
            raise
        return Outcome(query, case, 0, _since(began), str(error).splitlines()[0])
    took = _since(began)
    columns = {column.name: column.type_code for column in cursor.description or ()}
    problem = _wrong_columns(query.use, columns) or _wrong_rows(query.use, list(columns), rows)
    return Outcome(query, case, len(rows), took, problem)


def kinds_of(columns: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Names of the columns that are numbers and of those that are words; others are neither."""
    numbers = [name for name, kind in columns.items() if kind in _NUMBERS]
    return numbers, [name for name, kind in columns.items() if kind in _WORDS]


def _cases_of(connection: Connection) -> Iterator[Case]:
    """Cases with names that there are."""
    found = connection.execute("select site, min(node) from nodes_now group by site order by site").fetchall()
    sites = [row[0] for row in connection.execute("select site from sites_now order by site").fetchall()]
    newest = connection.execute("select time from fleet_now").fetchone()
    return cases(sites, dict(found), datetime.now(UTC) if newest is None else newest[0])


def _wrong_columns(use: Use, columns: Mapping[str, int]) -> str:
    """What Grafana would not take; columns that are neither numbers nor words become labels where nobody means it."""
    if use is Use.SERIES:
        if columns.get("time") != _TIME:
            return "a time series without a column `time` of times"
        others = {name: kind for name, kind in columns.items() if name != "time"}
        strange = [name for name, kind in others.items() if kind not in _NUMBERS | _WORDS]
        if strange:
            return f"neither a number nor a word: {', '.join(strange)}"
        if not any(kind in _NUMBERS for kind in others.values()):
            return "a time series without a number"
    if use is Use.ANNOTATION and (
        (columns.get("time"), columns.get("timeend")) != (_TIME, _TIME) or {"text", "tags"} - columns.keys()
    ):
        return "an annotation needs time, timeend, text and tags"
    if use is Use.VARIABLE and not (len(columns) == 1 and set(columns.values()) <= _WORDS):
        return "a variable is one column of words"
    return ""


def _wrong_rows(use: Use, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> str:
    if len(rows) > MOST_ROWS:
        return f"{len(rows):,} rows: it has no bound"
    if use is Use.SERIES:
        times = [row[columns.index("time")] for row in rows]
        if any(earlier > later for earlier, later in pairwise(times)):
            return "not ordered by time"
    return ""


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
