"""Writes what the machines put out: each batch in one transaction, each row once however often it comes."""

from __future__ import annotations

from collections.abc import Mapping, Set
from types import TracebackType
from typing import Self

from psycopg import errors

from infra.offsets import Place
from infra.timescale import tables
from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection, connect, database_errors, server_name
from infra.timescale.copying import CopyContent, contents_of, copy_new, copy_straight
from infra.timescale.latest import follow_episodes, follow_nodes
from infra.timescale.migrations import require_current
from infra.timescale.node_minutes import Followed, NodeMinutes, SiteMinute, write_minutes
from infra.timescale.positions import Span, advance, begin_positions, known_positions
from infra.timescale.retention import Retention, drop_older
from infra.timescale.roles import act_as_writer
from infra.timescale.rollups import mark_due, roll_up, roll_up_some
from infra.timescale.rosters import Rosters, rosters_of
from models.instants import Instant, instant_of

Written = Mapping[str, int]
"""By table, how many rows were not there before."""

_FLEET = ""


class TimescaleSink:
    """The store's one connection; it is made on first use and again after it was lost, so callers only wait and repeat.

    Not for several threads at a time.

    Args:
        address: `postgresql://...` of a user with the writer role, or with the owner's for `retain`.
        schema: Where the tables are.
        application: What the server's list of connections calls us.
    """

    def __init__(self, address: str, schema: str, application: str = "fleettwin store") -> None:
        self._address, self._schema, self._application = address, schema, application
        self._connection: Connection | None = None
        self._rosters = Rosters()
        self._minutes = NodeMinutes()

    def open(self) -> None:
        """Connect, check the schema's version and act as the writer role where there is one.

        Raises:
            Unavailable: no server, or its schema is not up to date yet.
            SchemaMismatch: the schema is of a newer program.
            ConfigurationError: the address or the user's rights are wrong.
        """
        self._opened()

    def close(self) -> None:
        """Disconnect; what was being written is undone by the server."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def write(self, batch: RowBatch, spans: Mapping[Place, Span] | None = None) -> Written:
        """Write the batch in one transaction; rows that are there already stay as they are.

        Args:
            batch: The rows.
            spans: Of which records they are.

        Raises:
            Unavailable: nothing is known to be written; the same batch can be written again.
            RowsMissing: the rows of earlier records are not in this database.
        """
        connection = self._opened()
        with database_errors(server_name(self._address)):
            try:
                return self._write(connection, batch, spans or {}, copy_straight)
            except errors.UniqueViolation:
                return self._write(connection, batch, spans or {}, copy_new)

    def positions(self) -> Mapping[Place, int]:
        """Up to which offset the records of each partition are rows.

        Raises:
            Unavailable: as `write`.
        """
        connection = self._opened()
        with database_errors(server_name(self._address)):
            return known_positions(connection, self._schema)

    def begin(self, begins: Mapping[Place, int]) -> None:
        """Note from where on partitions are read, where that is not known, or where what came before is gone.

        Raises:
            Unavailable: as `write`.
        """
        connection = self._opened()
        with database_errors(server_name(self._address)):
            begin_positions(connection, self._schema, begins)

    def roll_up(self, through: Instant | None = None) -> int:
        """Recompute the rollups whose rows changed: buckets that end at `through` or before, or all of them.

        Returns how many buckets, minutes and hours, were recomputed.

        Raises:
            Unavailable: buckets that are still due are recomputed next time.
        """
        connection = self._opened()
        with database_errors(server_name(self._address)):
            return roll_up(connection, self._schema, through)

    def roll_up_some(self, through: Instant, patience: int) -> int:
        """Recompute a few of those that are due, so that rows need not wait long; returns how many, or 0 if none is.

        Args:
            through: As for `roll_up`.
            patience: Milliseconds of event time for which those of nodes are left to their writer.

        Raises:
            Unavailable: as `roll_up`.
        """
        connection = self._opened()
        with database_errors(server_name(self._address)):
            return roll_up_some(connection, self._schema, through, patience=patience)

    def retain(self, now: Instant, retention: Retention) -> Mapping[str, int]:
        """Drop what is older than the retention, counted back from `now`; returns dropped chunks by table.

        Raises:
            ConfigurationError: the user may not act as the schema's owner.
            Unavailable: try again later.
        """
        connection = self._opened()
        with database_errors(server_name(self._address)):
            return drop_older(connection, self._schema, now, retention)

    def _opened(self) -> Connection:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        server = server_name(self._address)
        connection = connect(self._address, self._application)
        try:
            with database_errors(server):
                connection.execute("set lock_timeout = '60s'")
                # A reader's login would say that the server takes no writes, and we would wait: it lacks the right.
                connection.execute("set default_transaction_read_only = off")
                require_current(connection, self._schema, server)
                act_as_writer(connection, self._schema)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _write(
        self, connection: Connection, batch: RowBatch, spans: Mapping[Place, Span], copy: CopyContent
    ) -> Written:
        names = rosters_of(batch.nodes)
        followed = Followed({}, ())
        computed: Set[SiteMinute] = frozenset()
        with connection.transaction():
            if spans:
                advance(connection, self._schema, spans)
            written = {content.table.name: copy(connection, self._schema, content) for content in contents_of(batch)}
            follow_episodes(connection, self._schema, {event.id for event in batch.shortages})
            if written.get(tables.NODE_SAMPLES.name):
                newest = follow_nodes(connection, self._schema, names, self._rosters)
                if copy is copy_straight:
                    followed = self._minutes.followed(batch.nodes, newest)
                    computed = write_minutes(connection, self._schema, followed.ended)
            mark_due(connection, self._schema, _touched(batch, written), computed)
        if written.get(tables.NODE_SAMPLES.name):
            self._rosters.remember(names)
        if copy is copy_straight:
            self._minutes.keep(followed)
        else:
            self._minutes.forget(names)
        return written


def _touched(batch: RowBatch, written: Written) -> Mapping[str, Set[tuple[str, Instant]]]:
    """By table that has new rows, the (site, tick) that they are of."""
    sites = {(state.site, instant_of(state.tick)) for state in batch.sites}
    fleet = {(_FLEET, instant_of(state.tick)) for state in batch.fleet}
    touched = {
        tables.SITE_SAMPLES.name: sites,
        tables.SITE_POOLS.name: sites,
        tables.FLEET_SAMPLES.name: fleet,
        tables.FLEET_POOLS.name: fleet,
        tables.TENANT_SAMPLES.name: fleet,
        tables.NODE_SAMPLES.name: {(frame.site, Instant(frame.tick)) for frame in batch.nodes},
    }
    return {name: ticks for name, ticks in touched.items() if written.get(name)}
