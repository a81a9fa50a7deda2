"""Asks the database what a panel of a committed dashboard asks it, as Grafana would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from dashboards.grafana.expansion import Case
from dashboards.grafana.interpolation import Chosen
from dashboards.grafana.queries import committed, queries_of
from infra.timescale.connection import Connection, connect
from infra.timescale.migrations import migrate
from models.instants import Instant, moment_of

SCHEMA = "fleettwin"


@contextmanager
def migrated(server: str, name: str) -> Iterator[str]:
    """The address of a database of this name with our schema, for as long as the block runs."""
    with psycopg.connect(server, autocommit=True) as owner:
        owner.execute(sql.SQL("create database {} template fleettwin_template").format(sql.Identifier(name)))
        address = f"{server.rpartition('/')[0]}/{name}"
        with connect(address, "test") as look:
            migrate(look, SCHEMA, "the test's server")
        yield address
        owner.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@contextmanager
def looked_at(address: str) -> Iterator[Connection]:
    """A connection on which our names need no schema."""
    with connect(address, "test") as look:
        look.execute(sql.SQL("set search_path to {}, public").format(sql.Identifier(SCHEMA)))
        yield look


def asked(
    look: Connection,
    where: str,
    since: int,
    until: int,
    *,
    sites: Sequence[str] = ("memphis",),
    node: str = "n1",
) -> list[dict[str, Any]]:
    """The rows of `fleet-node: Power, query A` and the like, over a range of event time in milliseconds."""
    page = where.partition(":")[0]
    query = next(query for query in queries_of(committed()[page]) if query.name == where)
    chosen = {"site": Chosen(sites, several=True), "node": Chosen([node], several=False)}
    begins, ends = moment_of(Instant(since)), moment_of(Instant(until))
    text = Case("test", chosen, ends - begins, ends).sql(query)
    with look.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(text.encode()).fetchall()


def by_name(rows: Sequence[dict[str, Any]], label: str, value: str) -> dict[str, dict[datetime, Any]]:
    """Series by their label, each a value by time."""
    series: dict[str, dict[datetime, Any]] = {}
    for row in rows:
        series.setdefault(row[label], {})[row["time"]] = row[value]
    return series
