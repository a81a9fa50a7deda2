"""Tables with the newest row of each node and of each shortage, brought along in the transaction that adds rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Set
from typing import LiteralString

from psycopg import sql

from infra.timescale.connection import Connection
from infra.timescale.tables import NODE_SAMPLES, SHORTAGE_EVENTS
from models.instants import moment_of

_NEWEST: LiteralString = """
insert into {schema}.node_latest as latest ({columns})
select {columns} from {schema}.node_samples where site = %s and time = any(%s)
on conflict (site, node) do update set ({columns}) = row({excluded}) where latest.time < excluded.time
"""
_OLDER: LiteralString = """
insert into {schema}.node_latest as latest ({columns})
select distinct on (sample.node) {sample_columns}
from {schema}.node_samples sample
left join {schema}.node_latest known on known.site = sample.site and known.node = sample.node
where sample.site = %s and sample.time = any(%s) and (known.time is null or known.time < sample.time)
order by sample.node, sample.time desc
on conflict (site, node) do update set ({columns}) = row({excluded}) where latest.time < excluded.time
"""
_EPISODES: LiteralString = """
insert into {schema}.shortages ({columns}, opened_at)
select distinct on (id) {columns}, min(time) over (partition by id)
from {schema}.shortage_events where id = any(%s)
order by id, sequence desc
on conflict (id) do update set ({columns}, opened_at) = row({excluded}, excluded.opened_at)
"""


def follow_nodes(connection: Connection, schema: str, frames: Collection[tuple[str, int]]) -> None:
    """Take over newer rows of these (site, tick in milliseconds) from the samples.

    Each site's newest tick goes first: of the older ones then only nodes remain that are no longer in it.
    """
    ticks: defaultdict[str, set[int]] = defaultdict(set)
    for site, tick in frames:
        ticks[site].add(tick)
    newest, older = (
        sql.SQL(statement).format(
            schema=sql.Identifier(schema),
            columns=_names(NODE_SAMPLES.columns),
            sample_columns=_names(NODE_SAMPLES.columns, "sample"),
            excluded=_names(NODE_SAMPLES.columns, "excluded"),
        )
        for statement in (_NEWEST, _OLDER)
    )
    for site in sorted(ticks):
        *others, last = map(moment_of, sorted(ticks[site]))
        connection.execute(newest, [site, [last]])
        if others:
            connection.execute(older, [site, others])


def follow_episodes(connection: Connection, schema: str, ids: Set[str]) -> None:
    """Bring the episodes to their newest event, after all other writers of the same ones: their events count too."""
    if not ids:
        return
    lock: LiteralString = "select pg_advisory_xact_lock(hashtextextended(id, 0)) from unnest(%s::text[]) id"
    connection.execute(lock, [sorted(ids)])
    statement = sql.SQL(_EPISODES).format(
        schema=sql.Identifier(schema),
        columns=_names(SHORTAGE_EVENTS.columns),
        excluded=_names(SHORTAGE_EVENTS.columns, "excluded"),
    )
    connection.execute(statement, [sorted(ids)])


def _names(columns: Collection[str], of: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(of, name) if of else sql.Identifier(name) for name in columns)
