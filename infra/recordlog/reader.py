"""Reads a log as a stream of records, as far as it is sound."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import zstandard
from pydantic import ValidationError

from infra.recordlog.block import MAGIC, PREAMBLE, VERSION, Block, BlockRefused, Kind, LogDamaged, read
from infra.recordlog.header import LogHeader
from infra.recordlog.packing import unpack_records
from infra.recordlog.writer import TOTAL
from models.errors import ConfigurationError
from models.record import Record


class LogReader:
    """A log that is being read, as a context manager; iterate it once for its records.

    Entering reads the header and raises `ConfigurationError` for a file that is no log or of a later version,
    `LogDamaged` if not even the header can be read. Iterating raises `LogDamaged` after the last record that stands
    before the damage; a log whose writer was killed is damaged at its end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header = LogHeader(created_by="")
        """What the log says of itself; read on entering."""
        self._file: BinaryIO | None = None
        self._decompressor = zstandard.ZstdDecompressor()
        self._block = -1
        self._begins = 0

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise ConfigurationError("the log", str(self.path), f"a file that can be read ({error.strerror})") from None
        try:
            self._open(self._file)
        except BaseException:
            self._file.close()
            raise
        return self

    def _open(self, file: BinaryIO) -> None:
        preamble = file.read(PREAMBLE.size)
        if len(preamble) < PREAMBLE.size or not preamble.startswith(MAGIC):
            raise ConfigurationError("the log", str(self.path), "a record log; this is another kind of file")
        version = PREAMBLE.unpack(preamble)[1]
        if version != VERSION:
            raise ConfigurationError("the log's version", version, f"{VERSION}, which this fleettwin reads")
        block = self._next(file)
        if block is None or block.kind is not Kind.HEADER:
            raise self._damaged("the log's header is missing")
        try:
            self.header = LogHeader.model_validate_json(block.raw)
        except ValidationError as invalid:
            raise self._damaged(f"the log's header: {invalid.errors()[0]['msg']}") from None

    def __iter__(self) -> Iterator[Record]:
        if self._file is None:
            raise ValueError("the log is not open: use it as a context manager")
        total = 0
        while (block := self._next(self._file)) is not None and block.kind is Kind.RECORDS:
            try:
                records = list(unpack_records(block.raw))
            except (struct.error, UnicodeDecodeError) as error:
                raise self._damaged(str(error)) from None
            if len(records) != block.records:
                raise self._damaged(f"the block holds {len(records)} records and says {block.records}")
            total += len(records)
            yield from records
        if block is None:
            raise self._damaged("the file ends without the mark that it is whole")
        if block.kind is not Kind.END or block.raw != TOTAL.pack(total):
            raise self._damaged(f"{total} records were read, which is not what the log's end says")
        if self._file.read(1):
            raise self._damaged("bytes follow after the log's end")

    def records(self, since: int | None = None, until: int | None = None) -> Iterator[Record]:
        """The records that were first sent from `since` on and before `until`, in milliseconds, in the log's order."""
        for record in self:
            if (since is None or record.sent_at >= since) and (until is None or record.sent_at < until):
                yield record

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _next(self, file: BinaryIO) -> Block | None:
        self._block += 1
        self._begins = file.tell()
        try:
            return read(file, self._decompressor)
        except BlockRefused as refused:
            raise self._damaged(str(refused)) from None

    def _damaged(self, why: str) -> LogDamaged:
        return LogDamaged(self.path, self._block, self._begins, why)
