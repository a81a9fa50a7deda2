"""The index of a record log: what is looked up in it is what reading all finds, and what it hides is found out."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.recordlog import LogDamaged, LogHeader, LogReader, LogWriter
from infra.recordlog.block import PREAMBLE, Block, Kind, Span, pack, read
from infra.recordlog.index import MOST_ENTRIES, TRAILER_BYTES, trailer
from models.record import SENT_AT, Record
from tests.golden_logs import BLOCK_BYTES, HEADER, RECORDS, VERSION_1, VERSION_2

in_any_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
times = st.integers(-5, 30)
bounds = st.none() | st.integers(-7, 32)


def sent(offset: int, timestamp: int, first: int | None = None) -> Record:
    headers = () if first is None else ((SENT_AT, b"%d" % max(0, first)),)
    return Record("t", 0, offset, timestamp, b"k", b"%d" % offset * 5, headers)


def written(path: Path, records: list[Record] | tuple[Record, ...], block_bytes: int) -> bytes:
    path.unlink(missing_ok=True)
    with LogWriter(path, LogHeader(created_by="test"), block_bytes) as log:
        for record in records:
            log.append(record)
    return path.read_bytes()


def within(records: list[Record], since: int | None, until: int | None) -> list[Record]:
    return [
        record
        for record in records
        if (since is None or record.sent_at >= since) and (until is None or record.sent_at < until)
    ]


@given(
    items=st.lists(st.tuples(times, st.none() | times), max_size=25),
    block_bytes=st.sampled_from([1, 100, 400, 100_000]),
    since=bounds,
    until=bounds,
)
@in_any_folder
def test_what_is_looked_up_is_what_reading_all_finds(
    tmp_path: Path, items: list[tuple[int, int | None]], block_bytes: int, since: int | None, until: int | None
) -> None:
    records = [sent(offset, *when) for offset, when in enumerate(items)]
    written(tmp_path / "log", records, block_bytes)

    with LogReader(tmp_path / "log") as log:
        assert list(log.records(since, until)) == within(records, since, until)
        assert list(log) == records
        assert log.begins() == (records[0].sent_at if records else None)
        assert list(log) == records


@pytest.mark.parametrize("path", [VERSION_1, VERSION_2], ids=["version-1", "version-2"])
def test_a_span_of_an_old_log_is_the_same_without_an_index(path: Path) -> None:
    since = RECORDS[1].sent_at
    with LogReader(path) as log:
        assert list(log.records(since, since + 1001)) == within(list(RECORDS), since, since + 1001)


def test_a_log_of_version_1_says_so_and_is_read() -> None:
    with LogReader(VERSION_1) as log:
        assert (log.version, log.header, tuple(log)) == (1, HEADER, RECORDS)


def blocks_of(content: bytes) -> list[Block]:
    file, version = io.BytesIO(content), PREAMBLE.unpack_from(content)[1]
    file.seek(PREAMBLE.size)
    found = list[Block]()
    while not found or found[-1].kind is not Kind.END:
        block = read(file, zstandard.ZstdDecompressor(), version)
        assert block is not None
        found.append(block)
    return found


def test_what_is_written_now_is_what_was_written_when_version_2_began(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "log", HEADER, BLOCK_BYTES) as log:
        for record in RECORDS:
            log.append(record)
    now, then = (blocks_of(path.read_bytes()) for path in (tmp_path / "log", VERSION_2))

    # Not byte by byte: another version of zstd may compress in another way, and then blocks begin elsewhere.
    assert [(one.kind, one.head.records, one.head.span) for one in now] == [
        (one.kind, one.head.records, one.head.span) for one in then
    ]
    assert [one.raw for one in now if one.kind is not Kind.INDEX] == [
        one.raw for one in then if one.kind is not Kind.INDEX
    ]


def test_blocks_of_another_time_are_not_read(tmp_path: Path) -> None:
    path, records = tmp_path / "log", [sent(offset, offset * 10) for offset in range(9)]
    content = bytearray(written(path, records, block_bytes=1))
    first = content.index(Kind.RECORDS.value)
    content[content.index(Kind.RECORDS.value, first + 1) - 1] ^= 1
    path.write_bytes(content)

    with LogReader(path) as log:
        assert list(log.records(50)) == records[5:]
        assert log.blocks == 4
        with pytest.raises(LogDamaged, match="damaged in block 1,"):
            list(log.records(0))


def test_an_index_of_many_blocks_is_looked_up_as_a_short_one_is(tmp_path: Path) -> None:
    records = [sent(offset, offset) for offset in range(2 * MOST_ENTRIES + 1)]
    written(tmp_path / "log", records, block_bytes=1)

    with LogReader(tmp_path / "log") as log:
        assert list(log.records(MOST_ENTRIES - 1, MOST_ENTRIES + 2)) == records[MOST_ENTRIES - 1 : MOST_ENTRIES + 2]
        assert log.blocks == 3
        assert list(log) == records


def test_a_log_that_is_cut_anywhere_gives_the_records_before_and_says_that_it_is_cut(tmp_path: Path) -> None:
    path, records = tmp_path / "log", [sent(offset, offset) for offset in range(6)]
    content = written(path, records, block_bytes=60)

    for size in range(PREAMBLE.size, len(content)):
        path.write_bytes(content[:size])
        for bounds in ((), (0, 5)):
            found: list[Record] = []
            with pytest.raises(LogDamaged), LogReader(path) as log:  # noqa: PT012
                for record in log.records(*bounds):
                    found.append(record)  # noqa: PERF402  # what came before the damage is wanted
            assert found == records[: len(found)]


def rewritten(content: bytes, change: Callable[[Block], bytes], kind: Kind) -> bytes:
    """The log with blocks of a kind saying something else, under checksums that fit, and a trailer that leads there."""
    out, compressor, index = bytearray(content[: PREAMBLE.size]), zstandard.ZstdCompressor(), 0
    for block in blocks_of(content):
        raw = change(block) if block.kind is kind else block.raw
        index = index or (len(out) if block.kind in (Kind.INDEX, Kind.END) else 0)
        records = round(len(raw) / ENTRY.size) if block.kind is Kind.INDEX else block.head.records
        out += pack(block.kind, records, raw, compressor, span=block.head.span)
    return bytes(out) + trailer(index)


ENTRY = struct.Struct("<QIqqqq")


def of_another_time(block: Block) -> bytes:
    entries = [list(one) for one in ENTRY.iter_unpack(block.raw)]
    entries[1][2:] = [1000] * 4
    return b"".join(ENTRY.pack(*one) for one in entries)


def another_first(block: Block) -> bytes:
    entries = [list(one) for one in ENTRY.iter_unpack(block.raw)]
    entries[1][2] += 1
    return b"".join(ENTRY.pack(*one) for one in entries)


def without_the_second(block: Block) -> bytes:
    return block.raw[: ENTRY.size] + block.raw[2 * ENTRY.size :]


def without_the_last(block: Block) -> bytes:
    return block.raw[: -ENTRY.size]


def without_its_last_byte(block: Block) -> bytes:
    return block.raw[:-1]


def much_too_long(block: Block) -> bytes:
    return block.raw * MOST_ENTRIES


def moved(block: Block) -> bytes:
    entries = [list(one) for one in ENTRY.iter_unpack(block.raw)]
    entries[1][0] += 1
    return b"".join(ENTRY.pack(*one) for one in entries)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(of_another_time, id="a-block-said-to-be-of-another-time"),
        pytest.param(another_first, id="another-first-time"),
        pytest.param(without_the_second, id="a-block-left-out"),
        pytest.param(without_the_last, id="the-last-block-left-out"),
        pytest.param(without_its_last_byte, id="half-an-entry"),
        pytest.param(much_too_long, id="more-than-a-block-of-the-index-holds"),
        pytest.param(moved, id="a-block-that-begins-elsewhere"),
    ],
)
def test_an_index_that_contradicts_the_blocks_hides_nothing(tmp_path: Path, change: Callable[[Block], bytes]) -> None:
    path, records = tmp_path / "log", [sent(offset, offset * 10) for offset in range(4)]
    path.write_bytes(rewritten(written(path, records, block_bytes=1), change, Kind.INDEX))

    for bounds in ((), (10, 20), (10, None)):
        found: list[Record] = []
        with pytest.raises(LogDamaged), LogReader(path) as log:  # noqa: PT012
            for record in log.records(*bounds):
                found.append(record)  # noqa: PERF402  # what came before the damage is wanted
        wanted = within(records, *bounds) if bounds else records
        assert found == wanted[: len(found)]


def test_a_block_of_another_time_than_its_head_says_is_damaged(tmp_path: Path) -> None:
    path, true = tmp_path / "log", blocks_of(VERSION_2.read_bytes())[1]
    compressor = zstandard.ZstdCompressor()
    head = pack(Kind.HEADER, 0, HEADER.model_dump_json().encode(), compressor)
    block = pack(Kind.RECORDS, true.head.records, true.raw, compressor, span=Span(1, 2))
    path.write_bytes(PREAMBLE.pack(b"fleetlog", 2) + head + block)

    with pytest.raises(LogDamaged, match="of another time than its head says"), LogReader(path) as log:
        list(log)


def test_a_log_comes_through_a_pipe_as_it_comes_from_a_file(tmp_path: Path) -> None:
    pipe, since = tmp_path / "pipe", RECORDS[1].sent_at
    os.mkfifo(pipe)
    sender = Thread(target=pipe.write_bytes, args=(VERSION_2.read_bytes(),))
    sender.start()

    with LogReader(pipe) as log:
        assert log.begins() == RECORDS[0].sent_at
        assert list(log.records(since)) == within(list(RECORDS), since, None)
    sender.join()


def test_what_the_files_of_each_version_hold_is_never_changed() -> None:
    assert [zlib.crc32(path.read_bytes()) for path in (VERSION_1, VERSION_2)] == [1189372607, 2568031068]
    assert VERSION_2.read_bytes()[-TRAILER_BYTES:].endswith(b"fleetidx")
