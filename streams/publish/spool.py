"""Where records wait for Kafka: a bounded file, in the order in which they were written, over restarts too.

Every record goes through it, so that none is lost with the process; it is deleted once Kafka has it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Condition

import orjson

from models.errors import Unavailable
from models.record import Headers
from streams.publish.parcels import Parcel

_RECORD_BYTES = 64
"""About what SQLite itself needs for a record beside its bytes."""

_TABLES = """
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, headers BLOB NOT NULL,
    readings INTEGER NOT NULL, size INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""

_CONDITIONS = "conditions"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record of the spool; numbers grow in the order of writing."""

    number: int
    parcel: Parcel
    size: int


@dataclass(frozen=True, slots=True)
class Fill:
    """How full it is."""

    records: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """What had to go."""

    records: int = 0
    readings: int = 0


class Spool:
    """Written by one thread and emptied by another.

    Args:
        connection: To its database.
        most_bytes: That may wait; then the oldest go.
    """

    def __init__(self, connection: sqlite3.Connection, most_bytes: int) -> None:
        self._database, self._most = connection, most_bytes
        self._changed = Condition()
        self._closed = False
        self._lent = 0
        with connection:
            connection.executescript(_TABLES)
        records, size = connection.execute("SELECT count(*), coalesce(sum(size), 0) FROM records").fetchone()
        self._fill = Fill(records, size)

    @property
    def fill(self) -> Fill:
        """How full it is now."""
        return self._fill

    def write(self, parcels: Collection[Parcel], conditions: bytes) -> Dropped:
        """Add records and what is the matter with nodes after them: both, or neither.

        Tells what had to go for them: the oldest, but for those that are on their way to Kafka already.

        Raises:
            sqlite3.Error: the file cannot be written; nothing has changed.
        """
        rows = [(one.topic, one.key, one.value, _dumped(one.headers), one.readings, _size_of(one)) for one in parcels]
        with self._changed, self._database:
            self._database.executemany(
                "INSERT INTO records (topic, key, value, headers, readings, size) VALUES (?, ?, ?, ?, ?, ?)", rows
            )
            self._database.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (_CONDITIONS, conditions))
            filled = Fill(self._fill.records + len(rows), self._fill.bytes + sum(row[-1] for row in rows))
            gone, readings, size = self._drop_oldest(filled.bytes - self._most)
            self._fill = Fill(filled.records - gone, filled.bytes - size)
            self._changed.notify_all()
        return Dropped(gone, readings)

    def conditions(self) -> bytes | None:
        """What was the matter with nodes after the newest record."""
        row = self._database.execute("SELECT value FROM kept WHERE name = ?", (_CONDITIONS,)).fetchone()
        return None if row is None else bytes(row[0])

    def lend(self, most_bytes: int, without: Sequence[str] = ()) -> Sequence[Waiting]:
        """The oldest records, up to so many bytes and at least one; they are not dropped until they are returned.

        Args:
            most_bytes: Of all of them.
            without: Topics that are passed over.
        """
        some: list[Waiting] = []
        size = 0
        with self._changed:
            rows = self._database.execute(
                "SELECT number, topic, key, value, headers, readings, size FROM records"
                " WHERE topic NOT IN (SELECT value FROM json_each(?)) ORDER BY number",
                (orjson.dumps(without).decode(),),
            )
            for number, topic, key, value, named, readings, bytes_ in rows:
                size += bytes_
                if some and size > most_bytes:
                    break
                some.append(Waiting(number, Parcel(topic, key, value, _headers(named), readings), bytes_))
            rows.close()
            self._lent = some[-1].number if some else 0
        return some

    def returned(self, done: Collection[Waiting]) -> None:
        """Take back all that was lent, and delete of it what Kafka has, or will never take."""
        with self._changed, self._database:
            self._database.executemany("DELETE FROM records WHERE number = ?", [(one.number,) for one in done])
            self._fill = Fill(self._fill.records - len(done), self._fill.bytes - sum(one.size for one in done))
            self._lent = 0

    def await_records(self, seconds: float) -> None:
        """Wait until there is a record, or somebody closes, or so much time has passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._fill.records > 0, seconds)

    def close(self) -> None:
        """Wake whoever waits for records; what is here can still be sent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _drop_oldest(self, too_many: int) -> tuple[int, int, int]:
        """Delete the oldest that make up so many bytes; tells records, readings and bytes."""
        gone = readings = size = last = 0
        if too_many > 0:
            for number, its_readings, its_size in self._database.execute(
                "SELECT number, readings, size FROM records WHERE number > ? ORDER BY number", (self._lent,)
            ):
                if size >= too_many:
                    break
                gone, readings, size, last = gone + 1, readings + its_readings, size + its_size, number
            self._database.execute("DELETE FROM records WHERE number > ? AND number <= ?", (self._lent, last))
        return gone, readings, size


@contextmanager
def opened_spool(path: Path, most_bytes: int) -> Iterator[Spool]:
    """The spool in this file, with all that waits there.

    Raises:
        Unavailable: the file is there and is none.
    """
    way_out = "Move the file away; what it holds has not reached Kafka"
    try:
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level="IMMEDIATE")
        try:
            # Written and not forced to disk: a process that is killed loses nothing, a machine its last seconds.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            spool = Spool(connection, most_bytes)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise Unavailable(f"spool {path}", str(error), way_out) from None
    try:
        yield spool
    finally:
        connection.close()


def _size_of(parcel: Parcel) -> int:
    named = sum(len(name) + len(value) for name, value in parcel.headers)
    return len(parcel.key) + len(parcel.value) + named + _RECORD_BYTES


def _dumped(named: Headers) -> bytes:
    return orjson.dumps([(name, value.decode()) for name, value in named])


def _headers(dumped: bytes) -> Headers:
    return tuple((name, value.encode()) for name, value in orjson.loads(dumped))
