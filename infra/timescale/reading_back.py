"""The rows in the database and the rows that should be there, in the same form and order: for the oracle's check."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection
from infra.timescale.rows import Row, rows_of
from infra.timescale.tables import Table
from models.shortage import Binding, Shortage

_FETCHED = 2000
_IN_JSON: TypeAdapter[Shortage | tuple[Binding, ...]] = TypeAdapter(Shortage | tuple[Binding, ...])


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
    return [row for _, row in sorted({tuple(row[p] for p in places): row for row in rows_of(batch, table)}.items())]


def _read(value: object, kind: str) -> object:
    if kind == "jsonb":
        return _told(value)
    return tuple(value) if isinstance(value, list) else value


def _told(value: object) -> object:
    """A shortage, or what else binds in one; what is neither stays text, which no expected row has."""
    try:
        return _IN_JSON.validate_json(to_json(value), strict=True, extra="forbid")
    except ValidationError:
        return str(value)
