"""A place in a log's file from which its blocks are read one after the other, and which knows where a damage is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import zstandard

from infra.recordlog.block import Block, BlockRefused, Head, LogDamaged, head_size, read, read_head


class Cursor:
    """Reads blocks from a byte on; several may stand in one file that can be sought in, and one in a pipe.

    Args:
        path: For what is told.
        file: The log, which stands at `at` if it cannot be sought in.
        version: Of the log.
        at: The byte at which the next block begins.
        number: The number of the next block; the header's is 0.
    """

    def __init__(self, path: Path, file: BinaryIO, version: int, at: int, number: int) -> None:
        self.path, self.version, self.at = path, version, at
        self.begins = at
        """The byte at which the block begins that was read last."""
        self._file, self._number = file, number
        self._seeks = file.seekable()
        self._decompressor = zstandard.ZstdDecompressor()

    def next(self) -> Block | None:
        """The next block, or nothing at the file's end.

        Raises:
            LogDamaged: it cannot be read; the cursor stays.
        """
        if self._seeks:
            self._file.seek(self.at)
        try:
            found = read(self._file, self._decompressor, self.version)
        except BlockRefused as refused:
            raise self.damaged(str(refused)) from None
        if found is not None:
            self.pass_over(found.head)
        return found

    def head(self) -> Head:
        """The head of the next block and nothing else of it, where the file can be sought in; the cursor stays.

        Raises:
            LogDamaged: it cannot be read.
        """
        try:
            return read_head(os.pread(self._file.fileno(), head_size(self.version), self.at), self.version)
        except BlockRefused as refused:
            raise self.damaged(str(refused)) from None

    def pass_over(self, head: Head) -> None:
        """Stand behind the next block, whose head this is."""
        self.begins = self.at
        self.at += head.size
        self._number += 1

    def take(self, size: int) -> bytes:
        """So many bytes that are no block, or as many as there are."""
        if self._seeks:
            self._file.seek(self.at)
        taken = self._file.read(size)
        self.at += len(taken)
        return taken

    def damaged(self, why: str) -> LogDamaged:
        """The damage of the next block."""
        return LogDamaged(self.path, self._number, self.at, why)

    def last_damaged(self, why: str) -> LogDamaged:
        """The damage of the block that was read last."""
        return LogDamaged(self.path, self._number - 1, self.begins, why)
