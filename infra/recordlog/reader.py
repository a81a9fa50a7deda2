"""Reads a log as a stream of records, as far as it is sound, or a part of it by its index."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from infra.recordlog.block import Block, Kind, LogDamaged
from infra.recordlog.cursor import Cursor
from infra.recordlog.ending import Tally, check_ending, entries_in
from infra.recordlog.header import LogHeader
from infra.recordlog.index import TRAILER_BYTES, Entry, entry_of, index_begin
from infra.recordlog.opening import STANDARD_INPUT, opened, read_beginning
from infra.recordlog.packing import unpack_records
from infra.recordlog.span import Wanted
from models.record import Record


class LogReader:
    """A log that is being read, as a context manager, a block at a time: of a pipe once, of a file as often as wanted.

    Entering reads the header and raises `ConfigurationError` for a file that is no log or of a later version,
    `LogDamaged` if not even the header can be read. Reading raises `LogDamaged` after the last record that stands
    before the damage; a log whose writer was killed is damaged at its end.

    Args:
        path: The log; `-` is standard input.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header = LogHeader(created_by="")
        """What the log says of itself; read on entering."""
        self.blocks = 0
        """How many blocks of records were read so far."""
        self.stored_bytes = 0
        """What these take in the file."""
        self.raw_bytes = 0
        """What these hold."""
        self._file: BinaryIO | None = None
        self._cursor: Cursor | None = None
        self._start = 0
        self._ahead: Block | None = None

    def __enter__(self) -> Self:
        self._file = opened(self.path)
        try:
            self.header, self._cursor = read_beginning(self.path, self._file)
        except BaseException:
            self._close()
            raise
        self._start = self._cursor.at
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def __iter__(self) -> Iterator[Record]:
        return self.records()

    @property
    def version(self) -> int:
        """Of the log's format."""
        return self._opened.version

    @property
    def position(self) -> int:
        """The byte up to which the file was read."""
        return self._opened.at

    def begins(self) -> int | None:
        """The `sent_at` of the first record, none where there is none; of a pipe to be asked before its records.

        Raises:
            LogDamaged: there it is damaged.
        """
        cursor = self._at_start()
        if self._ahead is None:
            self._ahead = self._next(cursor)
        if self._ahead is None or self._ahead.kind is not Kind.RECORDS:
            return None
        return self._unpacked(cursor, self._ahead)[1][0]

    def records(self, since: int | None = None, until: int | None = None) -> Iterator[Record]:
        """The records in the order of the log; a span of time is looked up in the index, where there is one.

        What is looked up is what reading all would find. Blocks that hold nothing of the span are not read but for
        their heads, which must say what the index says; so damage within them is found only by reading all.

        Args:
            since: The first `sent_at` wanted, in milliseconds; none means from the beginning.
            until: The first not wanted any more; none means to the end.

        Raises:
            LogDamaged: after all that stands before the damage.
        """
        wanted = Wanted(since, until)
        index = None if wanted.everything else self._sound_index()
        return self._scanned(wanted) if index is None else self._looked_up(index, wanted)

    def _scanned(self, wanted: Wanted) -> Iterator[Record]:
        """All blocks in their order, held against the log's end."""
        cursor, read = self._at_start(), Tally()
        block, self._ahead = self._ahead or self._next(cursor), None
        while block is not None and block.kind is Kind.RECORDS:
            records, times = self._unpacked(cursor, block)
            read.add(entry_of(cursor.begins, times))
            yield from wanted.among(records, times)
            block = self._next(cursor)
        check_ending(cursor, block, read)

    def _looked_up(self, index: int, wanted: Wanted) -> Iterator[Record]:
        """The blocks that may hold what is wanted, by the index that begins there."""
        cursor = self._cursor_at(self._start, 1)
        for entry in self._entries(index):
            head = cursor.head()
            if not entry.fits(cursor.at, head):
                raise cursor.damaged("the index says otherwise of this block than its head")
            if not wanted.touches(entry.span):
                cursor.pass_over(head)
            elif (block := self._next(cursor)) is not None:
                records, times = self._unpacked(cursor, block)
                if entry != entry_of(cursor.begins, times):
                    raise cursor.last_damaged("the index says otherwise of this block than it holds")
                yield from wanted.among(records, times)
        if cursor.at != index:
            raise cursor.damaged("the index does not know this block")

    def _sound_index(self) -> int | None:
        """The byte at which the index begins; none where there is none, or none that could be relied upon."""
        file = self._file
        if file is None or self.version == 1 or not file.seekable():
            return None
        file.seek(max(0, file.seek(0, os.SEEK_END) - TRAILER_BYTES))
        begins = index_begin(file.read())
        if begins is None:
            return None
        cursor = self._cursor_at(begins, 0)
        try:
            check_ending(cursor, cursor.next(), None)
        except LogDamaged:
            return None
        return begins

    def _entries(self, index: int) -> Iterator[Entry]:
        cursor = self._cursor_at(index, 0)
        while (block := cursor.next()) is not None and block.kind is Kind.INDEX:
            yield from entries_in(cursor, block)

    def _next(self, cursor: Cursor) -> Block | None:
        block = cursor.next()
        if block is not None and block.kind is Kind.RECORDS:
            self.blocks += 1
            self.stored_bytes += block.head.size
            self.raw_bytes += block.head.raw_size
        return block

    def _unpacked(self, cursor: Cursor, block: Block) -> tuple[list[Record], list[int]]:
        """The records of the block that the cursor has read last, and when they were sent."""
        try:
            records = list(unpack_records(block.raw))
        except (struct.error, UnicodeDecodeError) as error:
            raise cursor.last_damaged(str(error)) from None
        if len(records) != block.head.records or not records:
            raise cursor.last_damaged(f"the block holds {len(records)} records and says {block.head.records}")
        times = [record.sent_at for record in records]
        if self.version > 1 and block.head.span != (min(times), max(times)):
            raise cursor.last_damaged("the block's records are of another time than its head says")
        return records, times

    @property
    def _opened(self) -> Cursor:
        if self._cursor is None:
            raise ValueError("the log is not open: use it as a context manager")
        return self._cursor

    def _at_start(self) -> Cursor:
        """The cursor at the first block of records, or behind it where it was read ahead."""
        if self._ahead is None and self._opened.at != self._start:
            self._cursor = self._cursor_at(self._start, 1)
        return self._opened

    def _cursor_at(self, offset: int, number: int) -> Cursor:
        if self._file is None:
            raise ValueError("the log is not open: use it as a context manager")
        return Cursor(self.path, self._file, self.version, offset, number)

    def _close(self) -> None:
        if self._file is not None and self.path != STANDARD_INPUT:
            self._file.close()
        self._file = self._cursor = None
