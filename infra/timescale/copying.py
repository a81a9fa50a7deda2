"""Rows into tables by binary COPY: straight where all are new, by way of a temporary table where some may be there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql
from psycopg.types.json import Jsonb

from infra.timescale import rows
from infra.timescale.batch import RowBatch
from infra.timescale.binary_copy import SIGNATURE, TRAILER, encode_nodes
from infra.timescale.connection import Connection
from models.node_frame import NodeFrame
from models.shortage import Shortage


@dataclass(frozen=True, slots=True)
class Content:
    """What one table gets: rows, or node frames."""

    table: rows.Table
    rows: Sequence[rows.Row] = ()
    frames: Sequence[NodeFrame] = ()


CopyContent = Callable[[Connection, str, Content], int]
"""Connection, schema, content; returns how many rows were not there before."""


def contents_of(batch: RowBatch) -> list[Content]:
    """The batch by table; tables that get nothing are left out."""
    contents = (
        Content(rows.SITE_SAMPLES, [rows.site_row(state) for state in batch.sites]),
        Content(rows.SITE_POOLS, [row for state in batch.sites for row in rows.site_pool_rows(state)]),
        Content(rows.FLEET_SAMPLES, [rows.fleet_row(state) for state in batch.fleet]),
        Content(rows.FLEET_POOLS, [row for state in batch.fleet for row in rows.fleet_pool_rows(state)]),
        Content(rows.SHORTAGE_EVENTS, [rows.shortage_row(event) for event in batch.shortages]),
        Content(rows.NODE_SAMPLES, frames=batch.nodes),
    )
    return [content for content in contents if content.rows or content.frames]


def copy_straight(connection: Connection, schema: str, content: Content) -> int:
    """Into the table itself.

    Raises:
        psycopg.errors.UniqueViolation: a row is there already; the transaction is lost.
    """
    return _copy(connection, sql.Identifier(schema, content.table.name), content)


def copy_new(connection: Connection, schema: str, content: Content) -> int:
    """By way of a temporary table that lasts until the commit, leaving out the rows that are there already."""
    name = content.table.name
    stage, target = sql.Identifier("pg_temp", name), sql.Identifier(schema, name)
    columns = _names(content.table)
    connection.execute(
        sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
            sql.Identifier(name), columns, target
        )
    )
    _copy(connection, stage, content)
    insert = sql.SQL("insert into {} ({}) select {} from {} on conflict do nothing")
    return connection.execute(insert.format(target, columns, columns, stage)).rowcount


def _copy(connection: Connection, target: sql.Identifier, content: Content) -> int:
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(target, _names(content.table))
    kinds = list(content.table.columns.values())
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            if content.frames:
                for piece in _pieces(content.frames):
                    copy.write(piece)
            else:
                copy.set_types(kinds)
                for row in content.rows:
                    copy.write_row([_sent(value) for value in row])
        return cursor.rowcount


def _pieces(frames: Iterable[NodeFrame]) -> Iterable[bytes | memoryview]:
    yield SIGNATURE
    yield from map(encode_nodes, frames)
    yield TRAILER


def _names(table: rows.Table) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, table.columns))


def _sent(value: object) -> object:
    if isinstance(value, Shortage):
        return Jsonb(value.model_dump(mode="json"))
    return list(value) if isinstance(value, tuple) else value
