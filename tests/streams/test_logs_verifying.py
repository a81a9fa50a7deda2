"""Looking into logs: what is counted is what is there, and whatever a replay would stumble over is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.recordlog import LogDamaged, LogHeader
from models.partitioning import NOT_PLACED
from models.record import SENT_AT, Record
from models.topics import SITES, TELEMETRY
from streams.logs.inspecting import Content, inspect_log
from streams.logs.verifying import verify_log
from tests.golden_logs import HEADER, RECORDS, VERSION_1, VERSION_2
from tests.log_builders import cut_off, placed_in, records, written


@given(items=st.lists(records, max_size=20))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_log_holds_is_counted(tmp_path: Path, items: list[Record]) -> None:
    (tmp_path / "log").unlink(missing_ok=True)
    contents = inspect_log(written(tmp_path / "log", items))

    assert contents.records == len(items)
    assert contents.damage is None
    assert contents.size == (tmp_path / "log").stat().st_size
    assert contents.earliest == min((one.sent_at for one in items), default=None)
    assert contents.latest == max((one.sent_at for one in items), default=None)
    assert {place: one.records for place, one in contents.partitions.items()} == {
        (one.topic, one.partition): sum((two.topic, two.partition) == (one.topic, one.partition) for two in items)
        for one in items
    }


@pytest.mark.parametrize(("path", "version"), [(VERSION_1, 1), (VERSION_2, 2)], ids=["version-1", "version-2"])
def test_a_log_is_told_by_its_partitions(path: Path, version: int) -> None:
    contents = inspect_log(path)
    telemetry = contents.partitions[TELEMETRY, 0]

    assert (contents.version, contents.header, contents.blocks) == (version, HEADER, 6)
    assert contents.raw_bytes > contents.stored_bytes > 0
    assert (telemetry.records, telemetry.first_offset, telemetry.last_offset, telemetry.gaps) == (3, 10, 12, 0)
    assert telemetry.earliest == RECORDS[1].timestamp
    unsent = contents.partitions[TELEMETRY, NOT_PLACED]
    assert (unsent.records, unsent.first_offset, unsent.gaps) == (1, None, 0)


def test_gaps_in_offsets_are_counted() -> None:
    content = Content()
    for offset in (3, 4, 9, 10, 12):
        content.add(Record("t", 0, offset, 0, None, b"1234", (("ab", b"c"),)))

    assert (content.gaps, content.missing, content.bytes) == (2, 5, 5 * 7)


def test_a_log_that_is_cut_off_is_told_up_to_there(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole", placed_in({TELEMETRY: 2}, 60))
    contents = inspect_log(cut_off(tmp_path / "broken", whole))
    verdict = verify_log(tmp_path / "broken")

    assert isinstance(contents.damage, LogDamaged)
    assert 0 < contents.records == verdict.records < 60
    assert verdict.damage is not None
    assert not verdict.is_good


@pytest.mark.parametrize("path", [VERSION_1, VERSION_2], ids=["version-1", "version-2"])
def test_a_whole_log_is_good(path: Path) -> None:
    verdict = verify_log(path)

    assert verdict.is_good
    assert (verdict.records, verdict.blocks, verdict.partitions, verdict.unreadable) == (10, 6, 4, 0)


def test_damage_at_any_byte_is_found(tmp_path: Path) -> None:
    content = VERSION_2.read_bytes()
    path = tmp_path / "log"
    for at in range(12, len(content)):
        path.write_bytes(content[:at] + bytes((content[at] ^ 1,)) + content[at + 1 :])

        assert verify_log(path).damage is not None


def test_offsets_that_do_not_grow_are_told_once_a_partition(tmp_path: Path) -> None:
    records = placed_in({TELEMETRY: 2}, 8)
    verdict = verify_log(written(tmp_path / "log", [*records, *records]))

    assert verdict.damage is None
    assert not verdict.is_good
    assert verdict.disorder == [f"{TELEMETRY}/{partition}: offset 0 after 3" for partition in (0, 1)]


def test_a_partition_that_the_header_does_not_know_is_told(tmp_path: Path) -> None:
    header = LogHeader(created_by="test", partitions={TELEMETRY: 2})
    log = written(tmp_path / "log", placed_in({TELEMETRY: 3, SITES: 1}, 9), header)

    assert verify_log(log).disorder == [f"{TELEMETRY}/2: the header says 2 partitions"]


@pytest.mark.parametrize(
    ("header", "unreadable"),
    [
        pytest.param((SENT_AT, b"soon"), 1, id="a-time-that-is-none"),
        pytest.param(("ce_type", b"\xff"), 1, id="a-type-that-is-no-text"),
        pytest.param(("trace", b"\xff"), 0, id="a-header-of-somebody-else"),
    ],
)
def test_headers_that_nobody_can_read_are_counted_and_no_damage(
    tmp_path: Path, header: tuple[str, bytes], unreadable: int
) -> None:
    verdict = verify_log(written(tmp_path / "log", [Record(TELEMETRY, 0, 0, 0, None, b"", (header,))]))

    assert (verdict.is_good, verdict.unreadable) == (True, unreadable)
