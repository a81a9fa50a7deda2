"""Writes a log, block by block; what was flushed can be read even if the writer dies."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import zstandard

from infra.recordlog.block import MAGIC, MOST_BYTES, NO_SPAN, PREAMBLE, VERSION, Kind, Span, pack
from infra.recordlog.header import LogHeader
from infra.recordlog.index import MOST_ENTRIES, TOTAL, entry_of, trailer
from infra.recordlog.packing import pack_record
from models.errors import ConfigurationError
from models.record import Record

BLOCK_BYTES = 1024 * 1024
"""A block is written once it holds as much."""


class LogWriter:
    """A log that is being written, as a context manager; on leaving, also by an error, the log is closed as whole.

    It is written from its beginning to its end, so the file may be a pipe. What is held in memory is one block, and for
    the index 44 bytes a block.

    Args:
        path: The file to make; it must not be there yet.
        header: What the log says of itself.
        block_bytes: How much a block holds; small ones lose less in a crash and compress worse.
    """

    def __init__(self, path: Path, header: LogHeader, block_bytes: int = BLOCK_BYTES) -> None:
        self.path, self.header, self.block_bytes = path, header, block_bytes
        self.records = 0
        """How many were appended."""
        self._file: BinaryIO | None = None
        self._at = 0
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._times: list[int] = []
        self._index: list[bytes] = []
        self._compressor = zstandard.ZstdCompressor(level=3)

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("xb")
        except FileExistsError:
            raise ConfigurationError("the log", str(self.path), "a file that is not there yet") from None
        except OSError as error:
            raise ConfigurationError("the log", str(self.path), f"a file that can be made ({error.strerror})") from None
        self._write(PREAMBLE.pack(MAGIC, VERSION))
        self._write_block(Kind.HEADER, 0, self.header.model_dump_json().encode())
        return self

    def append(self, record: Record) -> None:
        """Take a record in; it is in the file after the next `flush`, at the latest at the end.

        Raises:
            ConfigurationError: it alone is larger than a block may be.
        """
        packed = pack_record(record)
        if len(packed) > MOST_BYTES:
            raise ConfigurationError("a record's size", len(packed), f"at most {MOST_BYTES} bytes")
        if self._waiting_bytes + len(packed) > MOST_BYTES:
            self._write_waiting()
        self._waiting.append(packed)
        self._waiting_bytes += len(packed)
        self._times.append(record.sent_at)
        self.records += 1
        if self._waiting_bytes >= self.block_bytes:
            self._write_waiting()

    def flush(self) -> None:
        """Hand everything so far to the operating system."""
        self._write_waiting()
        if self._file is not None:
            self._file.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        with self._file as file:
            self._write_waiting()
            self._write_index()
            file.flush()
            os.fsync(file.fileno())
        self._file = None

    def _write_waiting(self) -> None:
        if self._waiting:
            entry = entry_of(self._at, self._times)
            self._write_block(Kind.RECORDS, entry.records, b"".join(self._waiting), entry.span)
            self._index.append(entry.pack())
            self._waiting.clear()
            self._times.clear()
            self._waiting_bytes = 0

    def _write_index(self) -> None:
        begins = self._at
        for start in range(0, len(self._index), MOST_ENTRIES):
            entries = self._index[start : start + MOST_ENTRIES]
            self._write_block(Kind.INDEX, len(entries), b"".join(entries))
        self._write_block(Kind.END, 0, TOTAL.pack(self.records))
        self._write(trailer(begins))

    def _write_block(self, kind: Kind, records: int, raw: bytes, span: Span = NO_SPAN) -> None:
        self._write(pack(kind, records, raw, self._compressor, span=span))

    def _write(self, content: bytes) -> None:
        if self._file is None:
            raise ValueError("the log is not open: use it as a context manager")
        self._file.write(content)
        self._at += len(content)
