"""Compression of node samples, where the licence allows it: on the Community edition, never on the Apache one.

We compress by ourselves instead of by a policy: jobs run as the tables' owner, and ours has no login.
"""

from __future__ import annotations

from psycopg import errors, sql

from infra.timescale.connection import Connection
from infra.timescale.editions import Edition
from infra.timescale.roles import act_as
from models.instants import Instant, moment_of

TABLE = "node_samples"


def enable_compression(connection: Connection, schema: str, owner: str) -> str | None:
    """Let node samples be compressed, a node's values side by side; returns the reason where that is refused."""
    alter = "alter table {} set (timescaledb.compress, timescaledb.compress_segmentby = 'site, node'," + (
        " timescaledb.compress_orderby = 'time')"
    )
    try:
        with connection.transaction():
            act_as(connection, owner)
            connection.execute(sql.SQL(alter).format(sql.Identifier(schema, TABLE)))
    except (errors.FeatureNotSupported, errors.UndefinedFunction) as refused:
        return str(refused).partition("\n")[0]
    return None


def compress_older(connection: Connection, schema: str, owner: str, edition: Edition, before: Instant) -> int:
    """Compress the chunks of node samples that lie wholly before; returns how many there are by then."""
    if not edition.community:
        return 0
    extension = edition.extension_schema
    statement = sql.SQL(
        "select {compress}(chunk, if_not_compressed => true)"
        " from {show}(%s::regclass, older_than => %s::timestamptz) chunk"
    ).format(compress=sql.Identifier(extension, "compress_chunk"), show=sql.Identifier(extension, "show_chunks"))
    with connection.transaction():
        act_as(connection, owner)
        relation = sql.Identifier(schema, TABLE).as_string(connection)
        return len(connection.execute(statement, [relation, moment_of(before)]).fetchall())
