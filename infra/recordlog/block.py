"""Blocks: how bytes stand in the file so that damage is found, and found to be where it is.

A block is a head (little endian: kind, records, stored bytes, raw bytes, CRC-32 of the stored bytes; from version 2 on
the earliest and the latest time of its records; CRC-32 of the head so far) and the stored bytes, which are the raw ones
compressed with zstd.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO, NamedTuple

import zstandard

from models.errors import FleettwinError

MAGIC = b"fleetlog"
VERSION = 2
"""What is written."""
PREAMBLE = struct.Struct("<8sI")
"""The magic and the version, at the very beginning."""
MOST_BYTES = 256 * 1024 * 1024
"""Of one block, before it is compressed and after."""

_SUM = struct.Struct("<I")
_HEADS: Mapping[int, struct.Struct] = {1: struct.Struct("<4sIIII"), 2: struct.Struct("<4sIIIIqq")}
VERSIONS = tuple(_HEADS)
"""What is read."""


class Kind(Enum):
    """What a block holds."""

    HEADER = b"HEAD"
    RECORDS = b"RECS"
    INDEX = b"INDX"
    """Where the blocks of records are; `records` of its head is how many it speaks of."""
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


class Span(NamedTuple):
    """The earliest and the latest `sent_at` of a block's records; zeros where it holds none."""

    earliest: int
    latest: int


NO_SPAN = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Head:
    """What a block says of itself."""

    kind: Kind
    records: int
    stored_size: int
    raw_size: int
    checksum: int
    span: Span
    """Zeros in version 1, which does not say it."""
    size: int
    """Of the whole block in the file, head and all."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block that was read."""

    head: Head
    raw: bytes

    @property
    def kind(self) -> Kind:
        """What it holds."""
        return self.head.kind


class BlockRefused(FleettwinError):
    """The bytes here are not a whole, sound block; the reader knows which one it is."""


def head_size(version: int) -> int:
    """How many bytes a block's head takes."""
    return _HEADS[version].size + _SUM.size


def pack(  # what a block is
    kind: Kind,
    records: int,
    raw: bytes,
    compressor: zstandard.ZstdCompressor,
    *,
    version: int = VERSION,
    span: Span = NO_SPAN,
) -> bytes:
    """The bytes of a block."""
    stored = compressor.compress(raw)
    said = () if version == 1 else span
    head = _HEADS[version].pack(kind.value, records, len(stored), len(raw), zlib.crc32(stored), *said)
    return head + _SUM.pack(zlib.crc32(head)) + stored


def read_head(content: bytes, version: int) -> Head:
    """What the first bytes of a block say.

    Raises:
        BlockRefused: they are cut off, or their checksum does not fit.
    """
    form = _HEADS[version]
    if len(content) < form.size + _SUM.size:
        raise BlockRefused(f"the file ends after {len(content)} bytes of the block's head")
    if _SUM.unpack_from(content, form.size)[0] != zlib.crc32(content[: form.size]):
        raise BlockRefused("the checksum of the block's head does not fit")
    mark, records, stored_size, raw_size, checksum, *span = form.unpack_from(content)
    if mark not in {kind.value for kind in Kind} or max(raw_size, stored_size) > MOST_BYTES:
        raise BlockRefused(f"a block of kind {mark!r} with {raw_size} bytes, {stored_size} of them stored, is unknown")
    size = form.size + _SUM.size + stored_size
    return Head(Kind(mark), records, stored_size, raw_size, checksum, Span(*span) if span else NO_SPAN, size)


def read(file: BinaryIO, decompressor: zstandard.ZstdDecompressor, version: int) -> Block | None:
    """The next block, or nothing at the file's end.

    Raises:
        BlockRefused: it is cut off, or a checksum does not fit.
    """
    content = file.read(head_size(version))
    if not content:
        return None
    head = read_head(content, version)
    stored = file.read(head.stored_size)
    if len(stored) < head.stored_size:
        raise BlockRefused(f"the file ends after {len(stored)} of the block's {head.stored_size} bytes")
    if zlib.crc32(stored) != head.checksum:
        raise BlockRefused("the checksum of the block does not fit")
    try:
        # Not `decompress`: it would believe what the compressed bytes say of their own size.
        raw = decompressor.stream_reader(stored).read(head.raw_size + 1)
    except zstandard.ZstdError as error:
        raise BlockRefused(f"the block cannot be decompressed: {error}") from None
    if len(raw) != head.raw_size:
        raise BlockRefused(f"the block holds {len(raw)} bytes where {head.raw_size} were written")
    return Block(head, raw)
