"""What is newest of each node and of each shortage, brought along in the transaction that adds rows.

The newest row of a node is where it is, in the samples: noted is only which frame is a site's newest. Nodes that are
not in that frame have their newest rows kept apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from datetime import datetime
from typing import Any, LiteralString

from psycopg import sql

from infra.timescale.connection import Connection
from infra.timescale.rosters import Rosters, Written, missing
from infra.timescale.tables import NODE_SAMPLES, SHORTAGE_EVENTS
from models.instants import Instant, instant_of, moment_of

_KNOW: LiteralString = """
insert into {schema}.site_newest_frame (site, time) select unnest(%s::text[]), '-infinity' on conflict do nothing
"""
_LOCK: LiteralString = """
select site, nullif(time, '-infinity'), writer from {schema}.site_newest_frame where site = any(%s)
order by site for update
"""
_MOVE: LiteralString = """
update {schema}.site_newest_frame known
set time = newer.time, writer = case when known.time < newer.time or known.writer = newer.writer then newer.writer end
from unnest(%s::text[], %s::timestamptz[], %s::text[]) newer (site, time, writer)
where known.site = newer.site and known.time <= newer.time
"""
_BACK: LiteralString = """
delete from {schema}.node_absent absent using {schema}.site_newest_frame newest
where absent.site = any(%s) and newest.site = absent.site and (
    select true from {schema}.node_samples sample
    where sample.time = newest.time and sample.site = absent.site and sample.node = absent.node
)
"""
"""The planner makes a join of `exists`, which reads the whole frame for each node that is absent; of this it cannot."""
_GONE: LiteralString = """
select sample.site, sample.node from unnest(%s::text[], %s::timestamptz[]) older (site, time)
join {schema}.node_samples sample on sample.site = older.site and sample.time = older.time
except
select sample.site, sample.node from {schema}.site_newest_frame newest
join {schema}.node_samples sample on sample.site = newest.site and sample.time = newest.time
where newest.site = any(%s)
"""
_KEEP: LiteralString = """
insert into {schema}.node_absent as absent ({columns})
select distinct on (sample.site, sample.node) {sample_columns}
from unnest(%s::text[], %s::timestamptz[]) older (site, time)
join {schema}.node_samples sample on sample.site = older.site and sample.time = older.time
where (sample.site, sample.node) in (select * from unnest(%s::text[], %s::text[]))
order by sample.site, sample.node, sample.time desc
on conflict (site, node) do update set ({columns}) = row({excluded}) where absent.time < excluded.time
"""
_OUTLAST: LiteralString = """
insert into {schema}.node_absent as absent ({columns})
select {sample_columns} from {schema}.site_newest_frame newest
join {schema}.node_samples sample on sample.site = newest.site and sample.time = newest.time
where newest.time < %s
on conflict (site, node) do update set ({columns}) = row({excluded}) where absent.time < excluded.time
"""
_EPISODES: LiteralString = """
insert into {schema}.shortages ({columns}, opened_at)
select distinct on (id) {columns}, min(time) over (partition by id)
from {schema}.shortage_events where id = any(%s)
order by id, sequence desc
on conflict (id) do update set ({columns}, opened_at) = row({excluded}, excluded.opened_at)
"""


def follow_nodes(
    connection: Connection, schema: str, written: Written, rosters: Rosters
) -> Mapping[str, Instant | None]:
    """Note that frames have new rows; two writers of a site wait for one another.

    Returns the tick of each site's newest frame before these; none where it had none.

    Args:
        connection: In the transaction that adds the rows.
        schema: Where the tables are.
        written: Who is in the frames.
        rosters: Of this writer, as they were before.
    """
    sites = sorted(written)
    connection.execute(_nodes(schema, _KNOW), [sites])
    passed, unknown = set[tuple[str, datetime]](), set[tuple[str, datetime]]()
    gone, last = set[tuple[str, str]](), dict[str, datetime]()
    newest_before = dict[str, Instant | None]()
    for site, known, writer in connection.execute(_nodes(schema, _LOCK), [sites]).fetchall():
        newest_before[site] = None if known is None else instant_of(known)
        newest = max(*written[site], -1 if known is None else instant_of(known))
        before = dict(written[site])
        if known is not None:
            ours = rosters.of(site, instant_of(known)) if writer == rosters.writer else None
            before[instant_of(known)] = [] if ours is None else [*ours, *before.get(instant_of(known), [])]
            unknown |= {(site, moment_of(tick)) for tick in before if tick < instant_of(known)}
            if ours is None and newest > instant_of(known):
                unknown.add((site, known))
        if newest in written[site]:
            last[site] = moment_of(newest)
        for tick in before.keys() - {newest}:
            passed.add((site, moment_of(tick)))
            if (site, moment_of(tick)) not in unknown:
                gone |= {(site, node) for node in missing(before[tick], before[newest])}
    if last:
        connection.execute(_nodes(schema, _MOVE), [*_transposed(last.items()), [rosters.writer] * len(last)])
        connection.execute(_nodes(schema, _BACK), [sorted(last)])
    if unknown:
        gone |= set(connection.execute(_nodes(schema, _GONE), [*_transposed(unknown), sites]).fetchall())
    if gone:
        connection.execute(_nodes(schema, _KEEP), [*_transposed(passed), *_transposed(gone)])
    return newest_before


def keep_nodes(connection: Connection, schema: str, line: Instant) -> None:
    """Keep what is newest of nodes whose sites have had no frame since this line: their samples are to be dropped."""
    connection.execute(_nodes(schema, _OUTLAST), [moment_of(line)])


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


def _nodes(schema: str, statement: LiteralString) -> sql.Composed:
    return sql.SQL(statement).format(
        schema=sql.Identifier(schema),
        columns=_names(NODE_SAMPLES.columns),
        sample_columns=_names(NODE_SAMPLES.columns, "sample"),
        excluded=_names(NODE_SAMPLES.columns, "excluded"),
    )


def _transposed(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    """Columns of rows, as PostgreSQL's `unnest` takes them; none where there are no rows."""
    return [list(column) for column in zip(*rows, strict=True)]


def _names(columns: Collection[str], of: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(of, name) if of else sql.Identifier(name) for name in columns)
