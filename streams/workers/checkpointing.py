"""Checkpoints as records of a compacted topic: a machine's state and the offset up to which it holds.

A state is cut into chunks; a manifest, sent last, says how many there are and what they hash to. There are two slots,
used in turn, so that a checkpoint that was interrupted leaves the one before it whole. Every checkpoint that is whole
is right, since a state is a function of the log alone: the furthest is taken, and one that does not fit its manifest
is passed over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import zstandard
from pydantic import BaseModel, ConfigDict, Field

CHUNK_BYTES = 900_000
LARGEST_STATE = 4 * 2**30

_PIECE_BYTES = 1024 * 1024
_Whole = Annotated[int, Field(ge=0, lt=2**63)]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state, and the offset of the first record that it has not folded."""

    lane: str
    """The input topic whose machine this is; several lanes may share a checkpoint partition."""
    next_offset: int
    state: bytes
    slot: int
    generation: int


class Manifest(BaseModel):
    """What the last record of a checkpoint says of its chunks. Fields that a later version adds are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    next_offset: _Whole
    generation: int
    chunks: _Whole
    sha256: str
    """Of the chunks end to end."""


def records_of(checkpoint: Checkpoint) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values to send, in this order."""
    packed = zstandard.ZstdCompressor(level=1).compress(checkpoint.state)
    count = -(-len(packed) // CHUNK_BYTES)
    for number in range(count):
        yield _key(checkpoint.lane, checkpoint.slot, number), packed[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
    manifest = Manifest(
        next_offset=checkpoint.next_offset,
        generation=checkpoint.generation,
        chunks=count,
        sha256=hashlib.sha256(packed).hexdigest(),
    )
    yield _key(checkpoint.lane, checkpoint.slot, "manifest"), manifest.model_dump_json().encode()


def furthest(lane: str, records: Mapping[bytes, bytes]) -> Checkpoint | None:
    """The lane's furthest checkpoint that is whole, among the last value of each key of one partition."""
    found = [checkpoint for slot in (0, 1) if (checkpoint := _whole(lane, records, slot))]
    return max(found, key=lambda checkpoint: (checkpoint.next_offset, checkpoint.generation), default=None)


def _whole(lane: str, records: Mapping[bytes, bytes], slot: int) -> Checkpoint | None:
    manifest = records.get(_key(lane, slot, "manifest"))
    if manifest is None:
        return None
    try:
        said = Manifest.model_validate_json(manifest)
        packed = b"".join(records[_key(lane, slot, number)] for number in range(said.chunks))
        if hashlib.sha256(packed).hexdigest() != said.sha256:
            return None
        return Checkpoint(lane, said.next_offset, _unpacked(packed), slot, said.generation)
    except (zstandard.ZstdError, KeyError, ValueError):
        return None


def _unpacked(packed: bytes) -> bytes:
    """The state, piece by piece: zstd's own `decompress` believes what the bytes say of their size."""
    pieces, size = [], 0
    reader = zstandard.ZstdDecompressor().stream_reader(packed)
    while piece := reader.read(_PIECE_BYTES):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_STATE:
            raise ValueError(f"a state of more than {LARGEST_STATE} bytes")
    return b"".join(pieces)


def _key(lane: str, slot: int, part: int | str) -> bytes:
    return f"{lane}/{slot}/{part}".encode()
