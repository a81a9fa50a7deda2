"""Writes a log, block by block; what was flushed can be read even if the writer dies."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import zstandard

from infra.recordlog.block import MAGIC, PREAMBLE, VERSION, Kind, pack
from infra.recordlog.header import LogHeader
from infra.recordlog.packing import pack_record
from models.errors import ConfigurationError
from models.record import Record

BLOCK_BYTES = 1024 * 1024
"""A block is written once it holds as much."""

TOTAL = struct.Struct("<Q")
"""What the last block says: how many records there are."""


class LogWriter:
    """A log that is being written, as a context manager; on leaving, also by an error, the log is closed as whole.

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
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._compressor = zstandard.ZstdCompressor(level=3)

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("xb")
        except FileExistsError:
            raise ConfigurationError("the log", str(self.path), "a file that is not there yet") from None
        except OSError as error:
            raise ConfigurationError("the log", str(self.path), f"a file that can be made ({error.strerror})") from None
        self._file.write(PREAMBLE.pack(MAGIC, VERSION))
        self._write(Kind.HEADER, 0, self.header.model_dump_json().encode())
        return self

    def append(self, record: Record) -> None:
        """Take a record in; it is in the file after the next `flush`, at the latest at the end."""
        packed = pack_record(record)
        self._waiting.append(packed)
        self._waiting_bytes += len(packed)
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
            self.flush()
            self._write(Kind.END, 0, TOTAL.pack(self.records))
            file.flush()
            os.fsync(file.fileno())
        self._file = None

    def _write_waiting(self) -> None:
        if self._waiting:
            self._write(Kind.RECORDS, len(self._waiting), b"".join(self._waiting))
            self._waiting.clear()
            self._waiting_bytes = 0

    def _write(self, kind: Kind, records: int, raw: bytes) -> None:
        if self._file is None:
            raise ValueError("the log is not open: use it as a context manager")
        self._file.write(pack(kind, records, raw, self._compressor))
