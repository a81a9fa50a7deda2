"""Blocks: how bytes stand in the file so that damage is found, and found to be where it is.

A block is a head of 24 bytes (little endian: kind, records, stored bytes, raw bytes, CRC-32 of the stored bytes, CRC-32
of the head so far) and the stored bytes, which are the raw ones compressed with zstd.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

import zstandard

from models.errors import FleettwinError

MAGIC = b"fleetlog"
VERSION = 1
PREAMBLE = struct.Struct("<8sI")
"""The magic and the version, at the very beginning."""
MOST_BYTES = 256 * 1024 * 1024
"""Of one block, before it is compressed."""

_HEAD = struct.Struct("<4sIIII")
_SUM = struct.Struct("<I")


class Kind(Enum):
    """What a block holds."""

    HEADER = b"HEAD"
    RECORDS = b"RECS"
    END = b"DONE"
    """The number of records in the log; only a log that was closed has it."""


class LogDamaged(FleettwinError):
    """A log cannot be read on; what stood before was read.

    Args:
        path: The log.
        block: The number of the block that is damaged; the header's is 0.
        offset: The byte at which that block begins.
        why: What is wrong with it.
    """

    def __init__(self, path: Path, block: int, offset: int, why: str) -> None:
        self.path, self.block, self.offset, self.why = path, block, offset, why
        super().__init__(f"{path}: damaged in block {block}, which begins at byte {offset}: {why}")


@dataclass(frozen=True, slots=True)
class Block:
    """A block that was read."""

    kind: Kind
    records: int
    raw: bytes


class BlockRefused(FleettwinError):
    """The bytes here are not a whole, sound block; the reader knows which one it is."""


def pack(kind: Kind, records: int, raw: bytes, compressor: zstandard.ZstdCompressor) -> bytes:
    """The bytes of a block."""
    stored = compressor.compress(raw)
    head = _HEAD.pack(kind.value, records, len(stored), len(raw), zlib.crc32(stored))
    return head + _SUM.pack(zlib.crc32(head)) + stored


def read(file: BinaryIO, decompressor: zstandard.ZstdDecompressor) -> Block | None:
    """The next block, or nothing at the file's end.

    Raises:
        BlockRefused: it is cut off, or a checksum does not fit.
    """
    head = file.read(_HEAD.size + _SUM.size)
    if not head:
        return None
    if len(head) < _HEAD.size + _SUM.size:
        raise BlockRefused(f"the file ends after {len(head)} bytes of the block's head")
    if _SUM.unpack_from(head, _HEAD.size)[0] != zlib.crc32(head[: _HEAD.size]):
        raise BlockRefused("the checksum of the block's head does not fit")
    mark, records, stored_size, raw_size, checksum = _HEAD.unpack_from(head)
    if mark not in {kind.value for kind in Kind} or raw_size > MOST_BYTES:
        raise BlockRefused(f"a block of kind {mark!r} with {raw_size} bytes is unknown")
    stored = file.read(stored_size)
    if len(stored) < stored_size:
        raise BlockRefused(f"the file ends after {len(stored)} of the block's {stored_size} bytes")
    if zlib.crc32(stored) != checksum:
        raise BlockRefused("the checksum of the block does not fit")
    try:
        # Not `decompress`: it would believe what the compressed bytes say of their own size.
        raw = decompressor.stream_reader(stored).read(raw_size + 1)
    except zstandard.ZstdError as error:
        raise BlockRefused(f"the block cannot be decompressed: {error}") from None
    if len(raw) != raw_size:
        raise BlockRefused(f"the block holds {len(raw)} bytes where {raw_size} were written")
    return Block(Kind(mark), records, raw)
