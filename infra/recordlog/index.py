"""The index at a log's end: where each block of records begins and from when its records are, and how it is found."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.recordlog.block import Head, Kind, Span

MOST_ENTRIES = 4096
"""Of one block of the index; a longer index is several blocks, so that no reader holds all of it."""

TOTAL = struct.Struct("<Q")
"""What the block of kind `Kind.END` says: how many records there are."""

_ENTRY = struct.Struct("<QIqqqq")
"""The byte at which the block begins, its records, and of their `sent_at` the first, last, earliest and latest."""
ENTRY_BYTES = _ENTRY.size
_PLACE = struct.Struct("<Q")
_TRAILER = struct.Struct("<QI8s")
"""The byte at which the index begins, the CRC-32 of these eight bytes, and a magic."""
_TRAILER_MAGIC = b"fleetidx"
TRAILER_BYTES = _TRAILER.size


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index says of one block of records; times are `sent_at` in milliseconds."""

    offset: int
    records: int
    first: int
    last: int
    span: Span

    def pack(self) -> bytes:
        """Its bytes."""
        return _ENTRY.pack(self.offset, self.records, self.first, self.last, *self.span)

    def fits(self, offset: int, head: Head) -> bool:
        """Whether the block that begins here says the same of itself."""
        said = (Kind.RECORDS, self.records, self.span)
        return self.offset == offset and (head.kind, head.records, head.span) == said


def entry_of(offset: int, times: Sequence[int]) -> Entry:
    """The entry of a block whose records, one at least, were sent at these times."""
    return Entry(offset, len(times), times[0], times[-1], Span(min(times), max(times)))


def read_entries(raw: bytes) -> Iterator[Entry]:
    """The entries of one block of the index, which are whole."""
    for offset, records, first, last, earliest, latest in _ENTRY.iter_unpack(raw):
        yield Entry(offset, records, first, last, Span(earliest, latest))


def trailer(index_begins: int) -> bytes:
    """The last bytes of a log."""
    place = _PLACE.pack(index_begins)
    return _TRAILER.pack(index_begins, zlib.crc32(place), _TRAILER_MAGIC)


def index_begin(content: bytes) -> int | None:
    """The byte at which the index begins, by the last bytes of a log; none where they do not say it."""
    if len(content) != TRAILER_BYTES:
        return None
    begins: int = _TRAILER.unpack(content)[0]
    return begins if content == trailer(begins) else None
