"""How far each topic has become rows, in the database itself: what the store has committed on Kafka says nothing of it.

A database may be made anew, or be restored from a backup, while Kafka keeps what the store has read.
"""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from infra.offsets import Place
from infra.timescale.connection import Connection
from models.errors import FleettwinError

Span = tuple[int, int]
"""The offset that reading went on from, and the one after the last record read."""


class RowsMissing(FleettwinError):
    """What a batch follows on is not in this database: it must be read again first."""


def known_positions(connection: Connection, schema: str) -> Mapping[Place, int]:
    """Up to which offset the records of each partition are rows."""
    known = sql.SQL("select topic, partition, next_offset from {}").format(_table(schema))
    return {(topic, partition): at for topic, partition, at in connection.execute(known).fetchall()}


def begin_positions(connection: Connection, schema: str, begins: Mapping[Place, int]) -> None:
    """Note that these partitions are read from these offsets on, as no earlier records are left or none were read."""
    statement = sql.SQL(
        "insert into {} as known (topic, partition, next_offset)"
        " select * from unnest(%s::text[], %s::int[], %s::int8[])"
        " on conflict (topic, partition) do update set next_offset = excluded.next_offset"
        " where known.next_offset < excluded.next_offset"
    ).format(_table(schema))
    connection.execute(statement, _columns(begins))


def advance(connection: Connection, schema: str, spans: Mapping[Place, Span]) -> None:
    """Note, in the transaction that writes their rows, that these spans of records are rows.

    Raises:
        RowsMissing: the database has not got to where a span begins.
    """
    places = sorted(spans)
    locked = sql.SQL(
        "select topic, partition, next_offset from {}"
        " where (topic, partition) in (select * from unnest(%s::text[], %s::int[]))"
        " order by topic, partition for update"
    ).format(_table(schema))
    topics, partitions = [topic for topic, _ in places], [partition for _, partition in places]
    found = connection.execute(locked, [topics, partitions]).fetchall()
    known = {(topic, partition): at for topic, partition, at in found}
    for place, (begin, _) in spans.items():
        if place not in known or known[place] < begin:
            raise RowsMissing(
                f"partition {place[1]} of {place[0]}: rows up to {known.get(place)}, read from {begin} on"
            )
    begin_positions(connection, schema, {place: end for place, (_, end) in spans.items()})


def _columns(positions: Mapping[Place, int]) -> list[list[str] | list[int]]:
    places = sorted(positions)  # everybody locks in this order
    return [[topic for topic, _ in places], [number for _, number in places], [positions[place] for place in places]]


def _table(schema: str) -> sql.Identifier:
    return sql.Identifier(schema, "store_positions")
