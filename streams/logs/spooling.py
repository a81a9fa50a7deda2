"""The records of a log sorted by partition in a temporary file, so that each partition can be read by itself."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

import zstandard

from infra.recordlog.packing import pack_record, unpack_records
from models.record import Record
from streams.logs.merging import Place

PIECE_BYTES = 256 * 1024
"""So much of a partition waits for being written, and is in memory again while it is read."""
MOST_WAITING_BYTES = 32 * 1024 * 1024
"""Of all partitions together."""


class Spool:
    """Takes the records of one log in, and gives them out by partition; a context manager.

    Args:
        folder: Where the file is made, which has no name and is gone at the end.
    """

    def __init__(self, folder: Path) -> None:
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115  # closed on leaving
        self._pieces: dict[Place, list[tuple[int, int]]] = defaultdict(list)
        self._waiting: dict[Place, list[bytes]] = defaultdict(list)
        self._sizes: dict[Place, int] = defaultdict(int)
        self._digest = hashlib.sha256()
        self._compressor = zstandard.ZstdCompressor(level=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def digest(self) -> bytes:
        """The same for the same records in the same order, and for no others."""
        return self._digest.digest()

    @property
    def places(self) -> frozenset[Place]:
        """The partitions that have records."""
        return frozenset(self._pieces)

    def fill(self, records: Iterable[Record]) -> None:
        """Take all records in."""
        total = 0
        for record in records:
            place, packed = (record.topic, record.partition), pack_record(record)
            self._digest.update(packed)
            self._waiting[place].append(packed)
            self._sizes[place] += len(packed)
            total += len(packed)
            if self._sizes[place] >= PIECE_BYTES:
                total -= self._sizes[place]
                self._write(place)
            elif total >= MOST_WAITING_BYTES:
                self._write_all()
                total = 0
        self._write_all()
        self._file.flush()

    def records(self, place: Place) -> Iterator[Record]:
        """The records of one partition, in the order in which they came."""
        decompressor = zstandard.ZstdDecompressor()
        for at, size in self._pieces[place]:
            yield from unpack_records(decompressor.decompress(os.pread(self._file.fileno(), size, at)))

    def _write_all(self) -> None:
        for place in list(self._waiting):
            self._write(place)

    def _write(self, place: Place) -> None:
        content = self._compressor.compress(b"".join(self._waiting.pop(place)))
        self._pieces[place].append((self._file.tell(), len(content)))
        self._file.write(content)
        del self._sizes[place]
