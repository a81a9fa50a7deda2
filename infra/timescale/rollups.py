"""Minutes and hours, computed from the finer rows and overwritten when these change: repeats and late rows are right.

A writer marks what it touched in `rollup_due`, within its transaction, so that a crash loses nothing. Most minutes of
nodes never come to be computed here: their writer does so itself, see `node_minutes`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import sql

from infra.timescale.connection import Connection
from infra.timescale.measures import NODE_ROLLUP, ROLLUPS, Rollup, hour_columns, minute_columns
from infra.timescale.node_minutes import SiteMinute
from models.instants import Instant, instant_of, moment_of, tick_at_or_before

_MINUTE, _HOUR = 60_000, 3_600_000
_MOST = 5
"""Buckets recomputed in one transaction: their locks keep writers of the same buckets waiting."""

Due = tuple[str, str, datetime]
"""Rollup table, site (empty for the fleet) and the bucket's beginning."""


@dataclass(frozen=True, slots=True)
class _Step:
    """Computes one rollup table from a finer one."""

    rollup: Rollup
    source: str
    target: str
    next: str | None
    length: int

    @property
    def columns(self) -> tuple[tuple[str, sql.SQL | sql.Composed], ...]:
        return minute_columns(self.rollup) if self.next else hour_columns(self.rollup)


_MINUTES = {f"{r.name}_1m": _Step(r, r.source, f"{r.name}_1m", f"{r.name}_1h", _MINUTE) for r in ROLLUPS}
_HOURS = {f"{r.name}_1h": _Step(r, f"{r.name}_1m", f"{r.name}_1h", None, _HOUR) for r in ROLLUPS}
_BY_SOURCE = {step.source: step for step in _MINUTES.values()}
_OF_NODES = [f"{NODE_ROLLUP.name}_1m", f"{NODE_ROLLUP.name}_1h"]


def mark_due(
    connection: Connection,
    schema: str,
    touched: Mapping[str, Set[tuple[str, Instant]]],
    computed: Set[SiteMinute] = frozenset(),
) -> None:
    """Note that the minutes of these (site, tick) have changed in these tables, in the transaction that changes them.

    The mark locks its row until the commit: who recomputes the bucket waits for the rows, and then sees them.

    Args:
        connection: In that transaction.
        schema: Where the tables are.
        touched: By table, what has new rows.
        computed: Minutes of nodes that are right by now: their hours have changed.
    """
    minutes = {
        (_BY_SOURCE[source].target, site, moment_of(tick_at_or_before(tick, _MINUTE)))
        for source, ticks in touched.items()
        for site, tick in ticks
    }
    nodes = _BY_SOURCE[NODE_ROLLUP.source]
    right = {(nodes.target, site, moment_of(begin)) for site, begin in computed}
    _mark(connection, schema, (minutes - right) | _hours_of(nodes, right))


def roll_up(connection: Connection, schema: str, through: Instant | None = None) -> int:
    """Recompute the due buckets that end at `through` or before, or all; returns how many.

    Several workers may do this at the same time.
    """
    done = 0
    while count := roll_up_some(connection, schema, through):
        done += count
    return done


def roll_up_some(connection: Connection, schema: str, through: Instant | None = None, *, patience: int = 0) -> int:
    """Recompute a few of them, in one transaction; returns how many, none where none is due.

    Minutes come first: they mark their hours.

    Args:
        connection: In autocommit mode.
        schema: Where the tables are.
        through: As for `roll_up`.
        patience: Milliseconds of event time for which those of nodes are left to their writer.
    """
    for steps in (_MINUTES, _HOURS):
        count = _recompute(connection, schema, steps, through, patience)
        if count:
            return count
    return 0


def _recompute(
    connection: Connection, schema: str, steps: Mapping[str, _Step], through: Instant | None, patience: int
) -> int:
    length = next(iter(steps.values())).length
    last, last_of_nodes = (None if through is None else moment_of(through - length - later) for later in (0, patience))
    with connection.transaction():
        due = connection.execute(
            sql.SQL(
                "delete from {due} where (rollup, site, bucket) in (select rollup, site, bucket from {due}"
                " where rollup = any(%s)"
                " and bucket <= coalesce(case when rollup = any(%s) then %s else %s end::timestamptz, 'infinity')"
                ' order by bucket, rollup collate "C", site collate "C" limit %s for update)'
                " returning rollup, site, bucket"
            ).format(due=sql.Identifier(schema, "rollup_due")),
            [list(steps), _OF_NODES, last_of_nodes, last, _MOST],
        ).fetchall()
        kept: dict[str, datetime] = dict(
            connection.execute(sql.SQL('select "table", time from {}').format(sql.Identifier(schema, "retained_from")))
        )
        sites: defaultdict[tuple[str, datetime], set[str]] = defaultdict(set)
        for target, site, bucket in due:
            sites[target, bucket].add(site)
        hours: set[Due] = set()
        for (target, bucket), of in sorted(sites.items()):
            step = steps[target]
            if step.source in kept and bucket < kept[step.source]:
                continue
            connection.execute(
                _statement(schema, step),
                {"bucket": bucket, "end": bucket + timedelta(milliseconds=step.length), "sites": sorted(of)},
            )
            hours |= _hours_of(step, {(target, site, bucket) for site in of})
        _mark(connection, schema, hours)
    return len(due)


def _hours_of(step: _Step, minutes: Set[Due]) -> Set[Due]:
    """The hours that the step's minutes are in; none of hours."""
    if step.next is None:
        return set()
    return {(step.next, site, moment_of(tick_at_or_before(instant_of(at), _HOUR))) for _, site, at in minutes}


def _statement(schema: str, step: _Step) -> sql.Composed:
    keys = [sql.Identifier(key) for key in step.rollup.keys]
    columns = [(sql.Identifier(name), expression) for name, expression in step.columns]
    comma = sql.SQL(", ")
    return sql.SQL(
        "insert into {target} ({names}) select {values} from {source}"
        " where time >= %(bucket)s and time < %(end)s {only} {grouped}"
        " on conflict (time{keyed}) do update set {set}"
    ).format(
        target=sql.Identifier(schema, step.target),
        source=sql.Identifier(schema, step.source),
        names=comma.join([sql.Identifier("time"), *keys, *(name for name, _ in columns)]),
        values=comma.join([sql.SQL("%(bucket)s"), *keys, *(value for _, value in columns)]),
        only=sql.SQL("and site = any(%(sites)s)" if "site" in step.rollup.keys else ""),
        grouped=sql.SQL("group by {}").format(comma.join(keys)) if keys else sql.SQL("having count(*) > 0"),
        keyed=sql.SQL("").join(sql.SQL(", {}").format(key) for key in keys),
        set=comma.join(sql.SQL("{0} = excluded.{0}").format(name) for name, _ in columns),
    )


def _mark(connection: Connection, schema: str, due: Set[Due]) -> None:
    if not due:
        return
    ordered = sorted(due, key=lambda mark: (mark[2], mark[0], mark[1]))  # everybody locks in this order
    connection.execute(
        sql.SQL(
            "insert into {} as due (rollup, site, bucket)"
            " select * from unnest(%s::text[], %s::text[], %s::timestamptz[])"
            " on conflict (rollup, site, bucket) do update set marked = due.marked + 1"
        ).format(sql.Identifier(schema, "rollup_due")),
        [[target for target, _, _ in ordered], [site for _, site, _ in ordered], [bucket for _, _, bucket in ordered]],
    )
