"""Checkpoints: the furthest that is whole is taken, whatever else lies in the topic."""

from __future__ import annotations

import hashlib
import json
from random import Random

import orjson
import pytest
import zstandard

from streams.workers.checkpointing import CHUNK_BYTES, Checkpoint, Manifest, furthest, records_of

LANE = "fleet.telemetry.v1"
BIG = Random(0).randbytes(2 * CHUNK_BYTES + 1)
"""A state that does not get smaller when packed: three chunks."""

OLD = Checkpoint(LANE, 100, b"old" + BIG, 0, 1)
NEW = Checkpoint(LANE, 200, b"new" + BIG, 1, 1)


def stored(*checkpoints: Checkpoint) -> dict[bytes, bytes]:
    """The last value of every key, as a compacted topic has it."""
    return dict(pair for checkpoint in checkpoints for pair in records_of(checkpoint))


def test_the_furthest_is_taken_whichever_slot_it_is_in() -> None:
    assert furthest(LANE, stored(OLD, NEW)) == NEW
    assert furthest(LANE, stored(NEW, OLD)) == NEW


@pytest.mark.parametrize("state", [pytest.param(b"", id="empty"), pytest.param(b"x" * 10**7, id="very-compressible")])
def test_any_state_comes_back(state: bytes) -> None:
    checkpoint = Checkpoint(LANE, 7, state, 0, 3)

    assert furthest(LANE, stored(checkpoint)) == checkpoint


def test_there_is_none_where_nothing_was_stored() -> None:
    assert furthest(LANE, {}) is None


PARTS = [key for key, _ in records_of(NEW)]


def test_a_big_state_is_cut_into_chunks_and_the_manifest_comes_last() -> None:
    assert [f"{LANE}/1/{part}".encode() for part in (0, 1, 2, "manifest")] == PARTS
    assert all(len(value) <= CHUNK_BYTES for _, value in records_of(NEW))


@pytest.mark.parametrize("part", [pytest.param(part, id=part.decode().rpartition("/")[2]) for part in PARTS])
def test_with_any_part_missing_the_other_slot_is_taken(part: bytes) -> None:
    records = stored(OLD, NEW)
    del records[part]

    assert furthest(LANE, records) == OLD


@pytest.mark.parametrize("part", [pytest.param(part, id=part.decode().rpartition("/")[2]) for part in PARTS])
def test_with_any_part_damaged_the_other_slot_is_taken(part: bytes) -> None:
    records = stored(OLD, NEW)
    records[part] = records[part][:-2] + b"??"

    assert furthest(LANE, records) == OLD


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(b"[]", id="a-list"),
        pytest.param(b"null", id="nothing"),
        pytest.param(b'{"chunks":3}', id="without-hash"),
        pytest.param(b'{"chunks":"3","sha256":""}', id="a-count-in-words"),
        pytest.param(b'{"chunks":-1,"sha256":"","next_offset":1,"generation":1}', id="fewer-than-no-chunks"),
    ],
)
def test_a_manifest_that_is_none_is_passed_over(manifest: bytes) -> None:
    assert furthest(LANE, stored(OLD, NEW) | {PARTS[-1]: manifest}) == OLD


@pytest.mark.parametrize("many", range(1, 5))
def test_an_old_owner_who_still_writes_into_the_new_slot_does_no_harm(many: int) -> None:
    """Its chunks make the newer one unusable, or its own is whole: then the furthest that is left is right."""
    zombie = Checkpoint(LANE, 150, b"zombie" + BIG, 1, 0)
    found = furthest(LANE, stored(OLD, NEW) | dict(list(records_of(zombie))[:many]))

    assert found == (zombie if many == 4 else OLD)


def test_of_two_at_the_same_offset_the_later_generation_is_taken() -> None:
    again = Checkpoint(LANE, 100, OLD.state, 1, 2)

    assert furthest(LANE, stored(OLD, again)) == again


def test_lanes_that_share_a_partition_do_not_see_each_other() -> None:
    other = Checkpoint("fleet.sites.v1", 900, b"sites", 1, 1)
    records = stored(OLD, other)

    assert (furthest(LANE, records), furthest("fleet.sites.v1", records)) == (OLD, other)


def test_a_shorter_state_in_the_same_slot_leaves_old_chunks_that_do_not_matter() -> None:
    short = Checkpoint(LANE, 300, b"short", 1, 1)

    assert furthest(LANE, stored(NEW, short)) == short


def test_a_manifest_tells_how_far_it_goes() -> None:
    manifest = orjson.loads(stored(NEW)[PARTS[-1]])

    assert (manifest["next_offset"], manifest["generation"], manifest["chunks"]) == (200, 1, 3)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"next_offset": -1}, id="before-the-first"),
        pytest.param({"next_offset": 1e300}, id="no-whole-number"),
        pytest.param({"next_offset": 2**70}, id="beyond-all"),
        pytest.param({"next_offset": "7"}, id="a-text"),
        pytest.param({"chunks": -1}, id="fewer-chunks-than-none"),
        pytest.param({"chunks": 2**62}, id="more-chunks-than-there-are"),
        pytest.param({"sha256": None}, id="no-sum"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_passed_over(changed: dict[str, object]) -> None:
    records = stored(OLD, NEW)
    key = f"{LANE}/1/manifest".encode()
    whole = orjson.loads(records[key])
    try:
        records[key] = orjson.dumps(whole | changed)
    except TypeError:  # what orjson does not write, others do
        records[key] = json.dumps(whole | changed).encode()

    assert furthest(LANE, records) == OLD


def test_a_state_that_lies_about_its_size_is_passed_over() -> None:
    packed = zstandard.ZstdCompressor().compress(bytes(5_000_000))
    lying = packed[:4] + bytes((packed[4] | 0xC0,)) + packed[5:6] + (2**62).to_bytes(8, "little") + packed[10:]
    records = stored(OLD)
    manifest = Manifest(next_offset=900, generation=1, chunks=1, sha256=hashlib.sha256(lying).hexdigest())
    records[f"{LANE}/1/0".encode()] = lying
    records[f"{LANE}/1/manifest".encode()] = manifest.model_dump_json().encode()

    assert furthest(LANE, records) in (OLD, Checkpoint(LANE, 900, bytes(5_000_000), 1, 1))
