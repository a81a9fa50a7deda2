"""What stands behind the last block of records: the index, the number of records, and the way to the index."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from infra.recordlog.block import Block, Kind
from infra.recordlog.cursor import Cursor
from infra.recordlog.index import ENTRY_BYTES, MOST_ENTRIES, TOTAL, Entry, read_entries, trailer


@dataclass(slots=True)
class Tally:
    """What an index comes to: kept instead of the index, which may be long."""

    records: int = 0
    checksum: int = 0

    def add(self, entry: Entry) -> None:
        """Count one block of records."""
        self.records += entry.records
        self.checksum = zlib.crc32(entry.pack(), self.checksum)


def entries_in(cursor: Cursor, block: Block) -> Iterator[Entry]:
    """What a block of the index says; it is the one that the cursor has read last.

    Raises:
        LogDamaged: it is no index.
    """
    if len(block.raw) != block.head.records * ENTRY_BYTES or block.head.records > MOST_ENTRIES:
        raise cursor.last_damaged(f"{len(block.raw)} bytes of an index that says {block.head.records} blocks")
    return read_entries(block.raw)


def check_ending(cursor: Cursor, block: Block | None, read: Tally | None) -> None:
    """See that the log ends as it should.

    Args:
        cursor: Behind `block`.
        block: The first that holds no records; none where the file ends.
        read: What the blocks of records come to; none where they were not read, and the index is believed.

    Raises:
        LogDamaged: it does not.
    """
    if block is None:
        raise cursor.damaged("the file ends without the mark that it is whole")
    indexed = cursor.version > 1
    begins, told = cursor.begins, Tally()
    misfit = cursor.last_damaged("the index says otherwise of the blocks of records than they are")
    while indexed and block.kind is Kind.INDEX:
        for entry in entries_in(cursor, block):
            told.add(entry)
        following = cursor.next()
        if following is None:
            raise cursor.damaged("the file ends without the mark that it is whole")
        block = following
    if indexed and read is not None and told != read:
        raise misfit
    records = (read or told).records
    if block.kind is not Kind.END or block.raw != TOTAL.pack(records):
        raise cursor.last_damaged(f"{records} records stand before it, which is not what the log's end says")
    if indexed:
        here, expected = cursor.damaged("the log's last bytes do not lead to its index"), trailer(begins)
        if cursor.take(len(expected)) != expected:
            raise here
    if cursor.take(1):
        raise cursor.damaged("bytes follow after the log's end")
