"""Drops what is older than the settings say, by whole chunks, and on the Community edition compresses what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from infra.settings import DatabaseSettings
from infra.timescale.compression import compress_older
from infra.timescale.connection import Connection
from infra.timescale.editions import edition_of
from infra.timescale.latest import keep_nodes
from infra.timescale.measures import ROLLUPS
from infra.timescale.roles import act_as, owner_of
from infra.timescale.rollups import roll_up
from infra.timescale.tables import DEAD_LETTERS, NODE_SAMPLES, PIPELINE
from models.instants import Instant, instant_of, moment_of, tick_at_or_before

_HOUR = 3_600_000
_DAY = 24 * _HOUR

COMPRESSED_AFTER = 2 * _HOUR
"""Milliseconds; by then a chunk of node samples is rarely written to."""

RAW = (*(rollup.source for rollup in ROLLUPS), "node_1m")
"""Kept for the raw retention; minutes of nodes are too many to be kept longer."""
ROLLED_UP = tuple(name for rollup in ROLLUPS for name in (f"{rollup.name}_1m", f"{rollup.name}_1h") if name not in RAW)
OWN = tuple(table.name for table in PIPELINE)
"""Kept for the raw retention, but counted back from their own newest row: they have the time of the wall."""
LETTERS = DEAD_LETTERS.name
"""Kept as long as rollups, counted back likewise."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long rows are kept, in milliseconds of event time; shortages are kept for good."""

    raw: int
    rolled_up: int

    @classmethod
    def of(cls, settings: DatabaseSettings) -> Retention:
        """As the settings say."""
        return cls(int(settings.raw_retention_hours * _HOUR), int(settings.rollup_retention_days * _DAY))


def drop_older(connection: Connection, schema: str, now: Instant, retention: Retention) -> Mapping[str, int]:
    """Roll up what is due, then drop the chunks that lie wholly before the retention; returns how many by table.

    Where the line was drawn is recorded: rollups of what has been dropped are never computed again.
    """
    raw = tick_at_or_before(now - retention.raw, _HOUR)
    rolled_up = tick_at_or_before(now - retention.rolled_up, _DAY)
    roll_up(connection, schema, raw)
    edition, owner = edition_of(connection), owner_of(connection, schema)
    if edition is None or owner is None:
        raise LookupError(f"schema {schema} has not been migrated")
    lines = {**dict.fromkeys(RAW, raw), **dict.fromkeys(ROLLED_UP, rolled_up)}
    for table, kept, unit in (*((name, retention.raw, _HOUR) for name in OWN), (LETTERS, retention.rolled_up, _DAY)):
        newest = _newest(connection, schema, table)
        if newest is not None:
            lines[table] = tick_at_or_before(newest - kept, unit)
    dropped = {}
    for table, line in lines.items():
        with connection.transaction():
            act_as(connection, owner)
            connection.execute(
                sql.SQL(
                    'insert into {} as known ("table", time) values (%s, %s)'
                    ' on conflict ("table") do update set time = greatest(known.time, excluded.time)'
                ).format(sql.Identifier(schema, "retained_from")),
                [table, moment_of(line)],
            )
            if table == NODE_SAMPLES.name:
                keep_nodes(connection, schema, line)
            drop = sql.SQL("select {}(%s::regclass, older_than => %s::timestamptz)")
            relation = sql.Identifier(schema, table).as_string(connection)
            chunks = connection.execute(
                drop.format(sql.Identifier(edition.extension_schema, "drop_chunks")), [relation, moment_of(line)]
            )
            dropped[table] = len(chunks.fetchall())
    compress_older(connection, schema, owner, edition, Instant(now - COMPRESSED_AFTER))
    return dropped


def _newest(connection: Connection, schema: str, table: str) -> Instant | None:
    row = connection.execute(sql.SQL("select max(time) from {}").format(sql.Identifier(schema, table))).fetchone()
    return None if row is None or row[0] is None else instant_of(row[0])
