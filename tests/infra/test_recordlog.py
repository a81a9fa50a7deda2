"""The record log: what goes in comes out, and damage takes nothing that stands before it."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.recordlog import LogDamaged, LogHeader, LogReader, LogWriter
from infra.recordlog.block import MAGIC, PREAMBLE, VERSION, Kind, pack
from models.errors import ConfigurationError
from models.record import Record
from tests.log_builders import records

HEADER = LogHeader(created_by="test", partitions={"fleet.telemetry.v1": 12}, rules={"tick_milliseconds": 1000})

in_any_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def some(count: int) -> list[Record]:
    return [
        Record("fleet.telemetry.v1", n % 3, n, 1000 * n, b"memphis", b"%d" % n * 9, (("ce_id", b"x"),))
        for n in range(count)
    ]


def write(path: Path, items: list[Record], block_bytes: int = 64) -> bytes:
    path.unlink(missing_ok=True)
    with LogWriter(path, HEADER, block_bytes) as log:
        for item in items:
            log.append(item)
    return path.read_bytes()


def read(path: Path) -> tuple[list[Record], LogDamaged | ConfigurationError | None]:
    found: list[Record] = []
    try:
        with LogReader(path) as log:
            found.extend(log)
    except (LogDamaged, ConfigurationError) as error:
        return found, error
    return found, None


@given(items=st.lists(records, max_size=30), block_bytes=st.sampled_from([1, 200, 1_000_000]))
@in_any_folder
def test_records_come_back_as_they_went_in(tmp_path: Path, items: list[Record], block_bytes: int) -> None:
    path = tmp_path / "log"
    write(path, items, block_bytes)

    with LogReader(path) as log:
        assert log.header == HEADER
        assert list(log) == items


def test_the_same_records_make_the_same_bytes(tmp_path: Path) -> None:
    assert write(tmp_path / "a", some(20)) == write(tmp_path / "b", some(20))


def damages(whole: bytes) -> list[tuple[int, bytes]]:
    flipped = [(at, whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :]) for at in range(len(whole))]
    cut = [(at, whole[:at]) for at in range(len(whole))]
    return flipped + cut


def test_damage_at_any_byte_leaves_the_records_before_it_and_says_where_it_is(tmp_path: Path) -> None:
    path, items = tmp_path / "log", some(12)
    whole = write(path, items)

    for at, damaged in damages(whole):
        path.write_bytes(damaged)
        found, error = read(path)
        assert found == items[: len(found)]
        assert error is not None
        if isinstance(error, LogDamaged):
            assert str(path) in str(error)
            assert error.offset <= at
            assert f"block {error.block}" in str(error)
            assert f"byte {error.offset}" in str(error)
        else:
            assert at < PREAMBLE.size


def test_all_blocks_before_the_damaged_one_are_read(tmp_path: Path) -> None:
    path, items = tmp_path / "log", some(12)
    whole = write(path, items, block_bytes=1)
    path.write_bytes(whole[: len(whole) // 2])

    found, error = read(path)

    assert isinstance(error, LogDamaged)
    assert 2 < len(found) == error.block - 1 < len(items)


def test_a_log_whose_writer_was_killed_holds_what_was_flushed(tmp_path: Path) -> None:
    path, items = tmp_path / "log", some(5)
    log = LogWriter(path, HEADER)
    log.__enter__()
    for item in items:
        log.append(item)
    log.flush()

    found, error = read(path)
    log.__exit__(None, None, None)

    assert found == items
    assert isinstance(error, LogDamaged)
    assert "whole" in error.why


def test_bytes_after_the_end_are_damage(tmp_path: Path) -> None:
    path, items = tmp_path / "log", some(3)
    path.write_bytes(write(path, items) + b"x")

    found, error = read(path)

    assert found == items
    assert isinstance(error, LogDamaged)


def test_an_error_while_recording_still_closes_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log"

    def record_until_interrupted() -> None:
        with LogWriter(path, HEADER) as log:
            log.append(some(1)[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_until_interrupted()
    assert read(path) == (some(1), None)


def test_a_log_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(path, some(1))

    with pytest.raises(ConfigurationError, match="not there yet"), LogWriter(path, HEADER):
        pass

    assert read(path) == (some(1), None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "another kind", id="empty"),
        pytest.param(b"PK\x03\x04" * 20, "another kind", id="a-zip-file"),
        pytest.param(PREAMBLE.pack(b"fleetlog", 3), "which this fleettwin reads", id="a-later-version"),
    ],
)
def test_what_is_not_a_log_of_ours_is_named_so(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=said), LogReader(path):
        pass


def test_a_log_that_is_not_there_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can be read"), LogReader(tmp_path / "none"):
        pass


def with_block(raw: bytes, stored: bytes) -> bytes:
    """A log of one block of records, whose checksums are right whatever is in it."""
    compressor = zstandard.ZstdCompressor()
    head = pack(Kind.HEADER, 0, HEADER.model_dump_json().encode(), compressor)
    fixed = struct.pack("<4sIIIIqq", Kind.RECORDS.value, 1, len(stored), len(raw), zlib.crc32(stored), 0, 0)
    return PREAMBLE.pack(MAGIC, VERSION) + head + fixed + struct.pack("<I", zlib.crc32(fixed)) + stored


FIXED = struct.Struct("<HiqqiiH")


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        pytest.param((0, 0, 0, 0, -FIXED.size - 1, 0, 0), "a key of", id="a-key-that-leads-back"),
        pytest.param((0, 0, 0, 0, 0, -FIXED.size, 0), "a value of", id="a-value-that-leads-back"),
        pytest.param((0, -2, 0, 0, 0, 0, 0), "partition -2", id="a-partition-below-none"),
        pytest.param((9, 0, 0, 0, 9, 9, 9), "", id="sizes-beyond-the-end"),
    ],
)
def test_a_record_whose_sizes_lead_nowhere_is_damage(tmp_path: Path, sizes: tuple[int, ...], says: str) -> None:
    raw = FIXED.pack(*sizes)
    path = tmp_path / "log"
    path.write_bytes(with_block(raw, zstandard.ZstdCompressor().compress(raw)))
    found, damaged = read(path)

    assert (found, isinstance(damaged, LogDamaged), says in str(damaged)) == ([], True, True)


def test_a_block_that_is_larger_than_it_says_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(with_block(bytes(10), zstandard.ZstdCompressor().compress(bytes(300_000_000))))
    _, damaged = read(path)

    assert "holds 11 bytes where 10 were written" in str(damaged)


def test_a_block_that_lies_about_its_size_asks_for_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(with_block(bytes(10), lying()))
    _, damaged = read(path)

    assert isinstance(damaged, LogDamaged)


def lying() -> bytes:
    """What zstd wrote, but for a size that nobody has."""
    packed = zstandard.ZstdCompressor(write_checksum=False).compress(bytes(5_000_000))
    assert packed[4] & 0xE0 == 0x80, "a size of four bytes, and a window"
    return packed[:4] + bytes((packed[4] | 0xC0,)) + packed[5:6] + (2**62).to_bytes(8, "little") + packed[10:]
