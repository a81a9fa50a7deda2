"""Merging logs: one order that depends on the records alone, and no record twice or lost."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.recordlog import LogDamaged, LogHeader
from models.errors import ConfigurationError
from models.partitioning import NOT_PLACED
from models.record import Record
from models.topics import SITES, TELEMETRY
from streams.logs.merging import Merge, merged
from streams.logs.spooling import PIECE_BYTES, Spool
from streams.logs.uniting import United, merge_logs
from tests.log_builders import cut_off, header_of, placed_in, read, written

places = st.tuples(st.sampled_from("ab"), st.integers(0, 2))
partitions = st.dictionaries(places, st.lists(st.integers(0, 20), max_size=8), max_size=5)


def in_partitions(found: dict[tuple[str, int], list[int]]) -> dict[tuple[str, int], list[Record]]:
    return {
        place: [Record(*place, offset, time, b"k", b"%d" % offset) for offset, time in enumerate(times)]
        for place, times in found.items()
    }


def by_place(records: list[Record]) -> dict[tuple[str, int], list[Record]]:
    found: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for record in records:
        found[record.topic, record.partition].append(record)
    return found


def united(folder: Path, *logs: list[Record]) -> tuple[list[Record], United]:
    paths = [written(folder / f"log-{number}", records) for number, records in enumerate(logs)]
    out = folder / "out"
    out.unlink(missing_ok=True)
    result = merge_logs(paths, out, "test")
    for path in paths:
        path.unlink()
    return read(out), result


@given(partitions)
@settings(deadline=None)
def test_partitions_read_one_by_one_come_in_the_order_in_which_those_read_together_do(
    found: dict[tuple[str, int], list[int]],
) -> None:
    queues = in_partitions(found)
    merge = Merge(queues)
    for place, records in queues.items():
        for record in records:
            merge.add(place, record)
        merge.close(place)

    assert list(merged({place: iter(records) for place, records in queues.items()})) == merge.ready()


@given(partitions, st.data())
@settings(deadline=None, max_examples=60)
def test_the_order_of_the_logs_and_who_recorded_what_do_not_matter(
    found: dict[tuple[str, int], list[int]], data: st.DataObject
) -> None:
    whole = list(merged({place: iter(records) for place, records in in_partitions(found).items()}))
    owners = [data.draw(st.sets(st.integers(0, 2), min_size=1)) for _ in whole]
    logs = [[one for one, owner in zip(whole, owners, strict=True) if number in owner] for number in range(3)]
    with TemporaryDirectory() as folder:
        once, result = united(Path(folder), *logs)
        again, _ = united(Path(folder), *data.draw(st.permutations(logs)))

    assert once == again
    assert once == whole
    assert (result.records, result.repeats) == (len(whole), sum(map(len, owners)) - len(whole))


def test_records_that_were_not_sent_yet_are_all_kept_in_their_logs_order(tmp_path: Path) -> None:
    unsent = [
        [Record(TELEMETRY, NOT_PLACED, NOT_PLACED, time, b"k", name) for time in times]
        for name, times in {b"one": [1, 5, 2, 9], b"two": [1, 3, 9]}.items()
    ]
    once, result = united(tmp_path, *unsent)
    again, _ = united(tmp_path, *reversed(unsent))

    assert once == again
    assert result.repeats == 0
    assert [[one for one in once if one.value == name] for name in (b"one", b"two")] == unsent


def test_a_log_that_is_given_twice_counts_once(tmp_path: Path) -> None:
    records = [*placed_in({TELEMETRY: 2}, 5), Record(TELEMETRY, NOT_PLACED, NOT_PLACED, 900, b"k", b"unsent")]

    assert united(tmp_path, records, records) == (records, United(6, 6, []))


def test_a_partition_that_is_read_late_holds_the_others_up_and_loses_nothing(tmp_path: Path) -> None:
    large = [Record(TELEMETRY, 0, offset, 10 * offset, b"k", bytes(PIECE_BYTES // 3)) for offset in range(10)]
    early = [Record(SITES, 0, offset, 10 * offset + 1, b"k", b"facts") for offset in range(10)]

    found, _ = united(tmp_path, [*large, *early])

    assert found == sorted([*large, *early], key=lambda record: record.timestamp)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"value": b"other"}, id="another-value"),
        pytest.param({"value": None}, id="no-value"),
        pytest.param({"headers": (("a", b""),)}, id="other-headers"),
        pytest.param({"timestamp": 7}, id="another-time"),
    ],
)
def test_different_records_at_one_place_are_refused_with_the_place(tmp_path: Path, other: dict[str, object]) -> None:
    records = placed_in({TELEMETRY: 2}, 6)
    changed = [*records[:3], replace(records[3], **other), *records[4:]]  # type: ignore[arg-type]

    with pytest.raises(ConfigurationError, match=f"two different records at {TELEMETRY}/1/1"):
        united(tmp_path, records, changed)
    assert not (tmp_path / "out").exists()


def test_offsets_that_do_not_grow_are_refused_with_the_log_and_the_place(tmp_path: Path) -> None:
    records = placed_in({TELEMETRY: 1}, 3)

    with pytest.raises(ConfigurationError, match=f"log-0 is '{TELEMETRY}/0/1 after offset 2'"):
        united(tmp_path, [records[0], records[2], records[1]])


def test_topics_that_were_partitioned_in_another_way_are_refused(tmp_path: Path) -> None:
    logs = [
        written(tmp_path / str(count), [], LogHeader(created_by="test", partitions={TELEMETRY: count}))
        for count in (4, 12)
    ]

    with pytest.raises(ConfigurationError, match=f"partitions of {TELEMETRY} is '4 and 12'"):
        merge_logs(logs, tmp_path / "out", "test")


def test_the_header_says_what_is_true_of_all_logs(tmp_path: Path) -> None:
    one = LogHeader(created_by="one", partitions={TELEMETRY: 4}, rules={"tick": 1000, "grace": 500})
    two = LogHeader(created_by="two", partitions={TELEMETRY: 4, SITES: 1}, rules={"tick": 1000, "grace": 900})
    merge_logs([written(tmp_path / "b", [], two), written(tmp_path / "a", [], one)], tmp_path / "out", "merger")

    header = header_of(tmp_path / "out")
    assert (header.created_by, header.partitions) == ("merger", {TELEMETRY: 4, SITES: 1})
    assert header.rules == {"tick": 1000}
    assert [(part.log, part.created_by) for part in header.made_from] == [("a", "one"), ("b", "two")]


def test_a_damaged_log_is_merged_only_where_that_is_wished(tmp_path: Path) -> None:
    records = placed_in({TELEMETRY: 2}, 60)
    whole = written(tmp_path / "whole", records[::2])
    broken = cut_off(tmp_path / "broken", written(tmp_path / "other", records))

    with pytest.raises(LogDamaged):
        merge_logs([whole, broken], tmp_path / "out", "test")
    assert not (tmp_path / "out").exists()

    found = merge_logs([whole, broken], tmp_path / "out", "test", up_to_damage=True)
    assert [damage.path for damage in found.damages] == [broken]
    assert 30 < found.records < 60


def test_a_spool_gives_each_partition_back_and_knows_its_records_again(tmp_path: Path) -> None:
    records = placed_in({"a": 3, "b": 1}, 50)
    with Spool(tmp_path) as spool, Spool(tmp_path) as same, Spool(tmp_path) as other:
        for one, held in ((spool, records), (same, records), (other, records[::-1])):
            one.fill(held)

        assert {place: list(spool.records(place)) for place in spool.places} == by_place(records)
        assert spool.digest == same.digest != other.digest
    assert list(tmp_path.iterdir()) == []
