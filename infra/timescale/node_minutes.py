"""Minutes of nodes, computed by the writer from the frames that it writes: nobody need read all their samples again.

A minute that is not this writer's alone, from its first frame to its last, is left to `rollups`; whoever computes it,
the rows are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import LiteralString

from psycopg import sql

from infra.timescale.binary_copy import whole
from infra.timescale.connection import Connection
from infra.timescale.node_sums import FIELDS, MOST_FRAMES, NodeSums
from models.instants import Instant, instant_of, moment_of, tick_at_or_before
from models.node_frame import NodeFrame

_TABLE = "node_1m"
_MINUTE = 60_000
_MOST_OTHERS = 15
"""How often the nodes of a site may change within a minute, until it is left to `rollups`: each time takes memory."""

_CLAIM: LiteralString = """
delete from {due} where (rollup, site, bucket) in (
    select due.rollup, due.site, due.bucket
    from unnest(%s::text[], %s::timestamptz[], %s::int8[]) ours (site, bucket, marked)
    join {due} due on due.rollup = %s and due.site = ours.site and due.bucket = ours.bucket
        and due.marked = ours.marked
    order by due.bucket, due.rollup collate "C", due.site collate "C" for update of due
) returning site, bucket
"""

SiteMinute = tuple[str, Instant]
"""A site, and the beginning of a minute."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What was written of a site's minute so far."""

    site: str
    begin: Instant
    marks: int
    """How often this writer has marked it as due: who finds more marks knows of another writer."""
    parts: Mapping[int, NodeSums] | None
    """By part of the frames; none where it is left to `rollups`."""
    others: tuple[NodeSums, ...] = ()
    """Of frames from before a part's nodes changed."""

    def with_frame(self, frame: NodeFrame) -> Minute:
        """Together with one frame more."""
        if self.parts is None:
            return self
        sums, known, others = NodeSums.of(frame), self.parts.get(frame.part), self.others
        if sums is None or len(others) > _MOST_OTHERS or (known is not None and known.frames == MOST_FRAMES):
            return replace(self, parts=None, others=())
        if known is not None:
            together = known.with_later(sums)
            sums, others = (sums, (*others, known)) if together is None else (together, others)
        return replace(self, parts={**self.parts, frame.part: sums}, others=others)

    def rows(self) -> Iterator[memoryview]:
        """Its rows for binary COPY; none where it is left to `rollups`."""
        parts = list((self.parts or {}).values())
        # Where a part's nodes have changed, one may have been in several parts.
        for sums in [NodeSums.united([*self.others, *parts])] if self.others else parts:
            yield sums.rows(self.begin, self.site)


@dataclass(frozen=True, slots=True)
class Followed:
    """Where a batch leaves the minutes of its sites."""

    open: Mapping[str, Minute]
    """The newest of each site that has more frames now."""
    ended: Sequence[Minute]
    """Those after which the batch has a later one."""


@dataclass
class NodeMinutes:
    """The open minutes of one writer."""

    _open: dict[str, Minute] = field(default_factory=dict)

    def followed(self, frames: Iterable[NodeFrame], before: Mapping[str, Instant | None]) -> Followed:
        """What these frames make of them; nothing is changed until `keep`.

        Args:
            frames: Of one batch, each new to the database.
            before: The tick of each site's newest frame in the database without this batch; none where it has none.
        """
        opened, ended = dict[str, Minute](), list[Minute]()
        ordered = sorted(frames, key=lambda frame: (frame.site, frame.tick, frame.part))
        for site, own in groupby(ordered, key=lambda frame: frame.site):
            minute = self._open.get(site)
            for frame in own:
                begin = tick_at_or_before(frame.tick, _MINUTE)
                if minute is None or begin > minute.begin:
                    if minute is not None:
                        ended.append(minute)
                    newest = before[site]
                    minute = Minute(site, begin, 0, {} if newest is None or newest < begin else None)
                if begin == minute.begin:
                    opened[site] = minute = minute.with_frame(frame)
            if site in opened:
                opened[site] = replace(opened[site], marks=opened[site].marks + 1)
        return Followed(opened, ended)

    def keep(self, followed: Followed) -> None:
        """The batch is safely written."""
        self._open |= followed.open

    def forget(self, sites: Iterable[str]) -> None:
        """What these sites have in the database is not known any more: leave their open minutes to `rollups`."""
        for site in sites:
            self._open.pop(site, None)


def write_minutes(connection: Connection, schema: str, ended: Sequence[Minute]) -> Set[SiteMinute]:
    """Write those that are wholly known, in the transaction that has a later frame; tells which these are.

    Raises:
        psycopg.errors.UniqueViolation: somebody else has computed one; the transaction is lost.
    """
    known = {(minute.site, minute.begin): minute for minute in ended if minute.parts is not None}
    # A minute that nobody has marked yet began and ended in this batch: whoever adds to it comes after our lock.
    ours = {key for key, minute in known.items() if not minute.marks}
    marked = [minute for minute in known.values() if minute.marks]
    if marked:
        claim = sql.SQL(_CLAIM).format(due=sql.Identifier(schema, "rollup_due"))
        sites, begins = [minute.site for minute in marked], [moment_of(minute.begin) for minute in marked]
        found = connection.execute(claim, [sites, begins, [minute.marks for minute in marked], _TABLE]).fetchall()
        ours |= {(site, instant_of(bucket)) for site, bucket in found}
    if ours:
        columns = sql.SQL(", ").join(map(sql.Identifier, ("time", "site", "node", *FIELDS)))
        target = sql.SQL("copy {} ({}) from stdin (format binary)").format(sql.Identifier(schema, _TABLE), columns)
        with connection.cursor() as cursor, cursor.copy(target) as copy:
            for piece in whole(rows for key in sorted(ours) for rows in known[key].rows()):
                copy.write(piece)
    return ours
