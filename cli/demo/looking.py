"""The demo's look at the rows: one connection for the whole run, made on first use and again once it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TypeVar

from infra.timescale.connection import Connection, connect, database_errors, server_name
from infra.timescale.inspection import Delays, delays, newest_row, row_counts
from models.errors import Unavailable
from models.instants import Instant

RECENT_MILLISECONDS = 60_000
"""Site samples over which the screen's delay is taken."""

_Found = TypeVar("_Found")


class RowLook:
    """Looks at the tables; a look that finds the connection gone is repeated once on a new one.

    Args:
        address: `postgresql://...` of a user who may read.
        schema: Where the tables are.
    """

    def __init__(self, address: str, schema: str) -> None:
        self._address, self._schema = address, schema
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect; the next look connects again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def recent_delays(self) -> Delays:
        """From a tick to its row, over the last minute by the wall.

        Raises:
            Unavailable: the server does not answer.
        """
        since = Instant(time.time_ns() // 1_000_000 - RECENT_MILLISECONDS)
        return self._look(lambda connection: delays(connection, self._schema, since))

    def all_delays(self) -> Delays:
        """From a tick to its row, over all rows.

        Raises:
            Unavailable: the server does not answer.
        """
        return self._look(lambda connection: delays(connection, self._schema, Instant(0)))

    def newest(self) -> Instant | None:
        """The newest tick of the fleet that is written.

        Raises:
            Unavailable: the server does not answer.
        """
        return self._look(lambda connection: newest_row(connection, self._schema))

    def counts(self) -> Mapping[str, int]:
        """How many rows there are, by table.

        Raises:
            Unavailable: the server does not answer.
        """
        return self._look(lambda connection: row_counts(connection, self._schema))

    def _look(self, look: Callable[[Connection], _Found]) -> _Found:
        if self._connection is not None:
            try:
                return self._asked(self._connection, look)
            except Unavailable:
                self.close()
        self._connection = connect(self._address, "fleettwin demo")
        return self._asked(self._connection, look)

    def _asked(self, connection: Connection, look: Callable[[Connection], _Found]) -> _Found:
        with database_errors(server_name(self._address)):
            return look(connection)
