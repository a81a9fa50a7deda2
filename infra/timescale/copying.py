"""Rows into tables by binary COPY: straight where all are new, by way of a temporary table where some may be there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic_core import to_jsonable_python

from infra.timescale import tables
from infra.timescale.batch import RowBatch
from infra.timescale.binary_copy import encode_nodes, whole
from infra.timescale.connection import Connection
from infra.timescale.rows import Row, rows_of
from models.node_frame import NodeFrame


@dataclass(frozen=True, slots=True)
class Content:
    """What one table gets: rows, or node frames."""

    table: tables.Table
    rows: Sequence[Row] = ()
    frames: Sequence[NodeFrame] = ()


CopyContent = Callable[[Connection, str, Content], int]
"""Connection, schema, content; returns how many rows were not there before."""


def contents_of(batch: RowBatch) -> list[Content]:
    """The batch by table; tables that get nothing are left out."""
    others = (table for table in tables.TABLES if table is not tables.NODE_SAMPLES)
    contents = (
        *(Content(table, rows_of(batch, table)) for table in others),
        Content(tables.NODE_SAMPLES, frames=batch.nodes),
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
                for piece in whole(map(encode_nodes, content.frames)):
                    copy.write(piece)
            else:
                copy.set_types(kinds)
                for row in content.rows:
                    copy.write_row([_sent(value, kind) for value, kind in zip(row, kinds, strict=True)])
        return cursor.rowcount


def _names(table: tables.Table) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, table.columns))


def _sent(value: object, kind: str) -> object:
    if kind == "jsonb":
        return Jsonb(to_jsonable_python(value))
    return list(value) if isinstance(value, tuple) else value
