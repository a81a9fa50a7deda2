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

import orjson
import zstandard

CHUNK_BYTES = 900_000
LARGEST_STATE = 4 * 2**30


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state, and the offset of the first record that it has not folded."""

    lane: str
    """The input topic whose machine this is; several lanes may share a checkpoint partition."""
    next_offset: int
    state: bytes
    slot: int
    generation: int


def records_of(checkpoint: Checkpoint) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values to send, in this order."""
    packed = zstandard.ZstdCompressor(level=1).compress(checkpoint.state)
    count = -(-len(packed) // CHUNK_BYTES)
    for number in range(count):
        yield _key(checkpoint.lane, checkpoint.slot, number), packed[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
    manifest = {
        "next_offset": checkpoint.next_offset,
        "generation": checkpoint.generation,
        "chunks": count,
        "sha256": hashlib.sha256(packed).hexdigest(),
    }
    yield _key(checkpoint.lane, checkpoint.slot, "manifest"), orjson.dumps(manifest)


def furthest(lane: str, records: Mapping[bytes, bytes]) -> Checkpoint | None:
    """The lane's furthest checkpoint that is whole, among the last value of each key of one partition."""
    found = [checkpoint for slot in (0, 1) if (checkpoint := _whole(lane, records, slot))]
    return max(found, key=lambda checkpoint: (checkpoint.next_offset, checkpoint.generation), default=None)


def _whole(lane: str, records: Mapping[bytes, bytes], slot: int) -> Checkpoint | None:
    manifest = records.get(_key(lane, slot, "manifest"))
    if manifest is None:
        return None
    try:
        said = orjson.loads(manifest)
        packed = b"".join(records[_key(lane, slot, number)] for number in range(said["chunks"]))
        if hashlib.sha256(packed).hexdigest() != said["sha256"]:
            return None
        state = zstandard.ZstdDecompressor().decompress(packed, max_output_size=LARGEST_STATE)
        return Checkpoint(lane, int(said["next_offset"]), state, slot, int(said["generation"]))
    except (orjson.JSONDecodeError, zstandard.ZstdError, KeyError, TypeError, ValueError):
        return None


def _key(lane: str, slot: int, part: int | str) -> bytes:
    return f"{lane}/{slot}/{part}".encode()
