"""The rows in the database and the rows that should be there, in the same form and order: for the oracle's check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from psycopg import sql

from infra.timescale import rows
from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection
from infra.timescale.rows import Row, Table
from models.shortage import Shortage

_FETCHED = 2000


def stored_rows(connection: Connection, schema: str, table: Table) -> Iterator[Row]:
    """The table's rows ordered by its key, texts by code point; read piece by piece within one transaction."""
    kinds = list(table.columns.values())
    order = sql.SQL(", ").join(
        sql.SQL('{} collate "C"' if table.columns[name] == "text" else "{}").format(sql.Identifier(name))
        for name in table.key
    )
    statement = sql.SQL("select {} from {} order by {}").format(
        sql.SQL(", ").join(map(sql.Identifier, table.columns)), sql.Identifier(schema, table.name), order
    )
    with connection.transaction(), connection.cursor("stored_rows") as cursor:
        cursor.itersize = _FETCHED
        for row in cursor.execute(statement, binary=True):
            yield tuple(_read(value, kind) for value, kind in zip(row, kinds, strict=True))


def expected_rows(batch: RowBatch, table: Table) -> list[Row]:
    """What `stored_rows` gives once the batch, and nothing else, has been written: each key once, in its order."""
    places = [list(table.columns).index(name) for name in table.key]
    return [row for _, row in sorted({tuple(row[p] for p in places): row for row in _rows(batch, table)}.items())]


def _rows(batch: RowBatch, table: Table) -> Iterable[Row]:
    match table.name:
        case rows.SITE_SAMPLES.name:
            return map(rows.site_row, batch.sites)
        case rows.SITE_POOLS.name:
            return (row for state in batch.sites for row in rows.site_pool_rows(state))
        case rows.FLEET_SAMPLES.name:
            return map(rows.fleet_row, batch.fleet)
        case rows.FLEET_POOLS.name:
            return (row for state in batch.fleet for row in rows.fleet_pool_rows(state))
        case rows.SHORTAGE_EVENTS.name:
            return map(rows.shortage_row, batch.shortages)
        case rows.NODE_SAMPLES.name:
            return (row for frame in batch.nodes for row in rows.node_rows(frame))
        case name:
            raise KeyError(name)


def _read(value: object, kind: str) -> object:
    if kind == "jsonb":
        return Shortage.model_validate(value)
    return tuple(value) if isinstance(value, list) else value
