"""Recording and replay: what is sent again is what was recorded, where and in the order in which it was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.embedded.stack import RunningStack
from infra.kafka_clients import opened_producer
from infra.recordlog import LogDamaged, LogHeader, LogReader, LogWriter
from infra.settings import KafkaSettings, Settings
from infra.topics import create_topics, full_name
from models.cloudevents import EventType
from models.errors import ConfigurationError
from models.partitioning import NOT_PLACED, partition_of
from models.record import SENT_AT, Headers, Record
from models.topics import DEMAND, LEDGER, SITES, TELEMETRY
from streams.logs.merging import Merge
from streams.logs.parts import LogPart
from streams.logs.recording import record_topics
from streams.logs.replaying import check_partitions, send_log, stamped
from streams.oracle.offline import fold_part

CLOCK: Headers = (("ce_type", EventType.CLOCK.encode()),)


def at(milliseconds: int, headers: Headers = ()) -> Record:
    return Record(TELEMETRY, 0, 0, milliseconds, b"memphis", b"x", headers)


def test_a_record_is_stamped_with_when_it_was_first_sent() -> None:
    assert stamped(at(1_700)) == ((SENT_AT, b"1700"),)


def test_a_stamp_that_is_there_stays() -> None:
    assert stamped(at(1_700, ((SENT_AT, b"12"),))) == ((SENT_AT, b"12"),)


@pytest.mark.parametrize(
    ("recorded", "fits"),
    [
        pytest.param({TELEMETRY: 3, SITES: 1}, True, id="the-same"),
        pytest.param({}, True, id="a-log-that-fits-any"),
        pytest.param({TELEMETRY: 3, LEDGER: 7}, True, id="topics-that-are-not-sent-do-not-matter"),
        pytest.param({TELEMETRY: 4}, False, id="fewer-than-in-the-log"),
        pytest.param({TELEMETRY: 2}, False, id="more-than-in-the-log"),
    ],
)
def test_topics_must_be_partitioned_as_in_the_log(recorded: dict[str, int], fits: bool) -> None:
    found = {TELEMETRY: 3, SITES: 1, DEMAND: 1}
    if fits:
        check_partitions(recorded, found)
    else:
        with pytest.raises(ConfigurationError, match=f"partitions of {TELEMETRY} is 3"):
            check_partitions(recorded, found)


partitions = st.dictionaries(
    st.tuples(st.sampled_from("ab"), st.integers(0, 2)), st.lists(st.integers(0, 20), max_size=8), max_size=5
)


def merged(queues: dict[tuple[str, int], list[int]], choose: Callable[[list[Any]], Any]) -> list[Record]:
    """The order that comes out where the partitions are read in the order that `choose` says."""
    left = {
        place: [Record(*place, offset, time, None, None) for offset, time in enumerate(times)]
        for place, times in queues.items()
    }
    merge, out = Merge(left), []
    while left:
        place = choose(sorted(left))
        if left[place]:
            merge.add(place, left[place].pop(0))
        else:
            merge.close(place)
            del left[place]
        out += merge.ready()
    return out


@given(queues=partitions, data=st.data())
def test_the_merged_order_does_not_depend_on_what_was_read_first(
    queues: dict[tuple[str, int], list[int]], data: st.DataObject
) -> None:
    straight = merged(queues, lambda places: places[0])

    assert merged(queues, lambda places: data.draw(st.sampled_from(places))) == straight
    for place, times in queues.items():
        assert [r.timestamp for r in straight if (r.topic, r.partition) == place] == times


@given(queues=partitions.map(lambda queues: {place: sorted(times) for place, times in queues.items()}))
def test_partitions_whose_times_grow_are_merged_by_time(queues: dict[tuple[str, int], list[int]]) -> None:
    times = [record.timestamp for record in merged(queues, lambda places: places[-1])]

    assert times == sorted(times)


def settings(stack: RunningStack, prefix: str) -> Settings:
    return Settings(kafka=KafkaSettings(bootstrap_servers=stack.kafka, topic_prefix=prefix, telemetry_partitions=3))


def sent(count: int) -> list[Record]:
    """Telemetry of some sites with clocks between, a fact, a demand and a ledger record, none of them placed."""
    records = [Record(SITES, NOT_PLACED, 0, 5, b"memphis", b"facts", (("ce_id", b"1"),))]
    for n in range(count):
        records.append(
            Record(TELEMETRY, NOT_PLACED, 0, 10 * n, b"site-%d" % (n % 7), b"%d" % n * 50, (("n", b"%d" % n),))
        )
        if n % 10 == 0:
            records.append(Record(TELEMETRY, NOT_PLACED, 0, 10 * n, b"", b"clock %d" % n, CLOCK))
    records.append(Record(DEMAND, NOT_PLACED, 0, 10 * count, b"project", None))
    records.append(Record(LEDGER, 0, 0, 10 * count, b"", b"not an input"))
    return records


def write(path: Path, records: list[Record], recorded: dict[str, int] | None = None) -> None:
    with LogWriter(path, LogHeader(created_by="test", partitions=recorded or {})) as log:
        for record in records:
            log.append(record)


def read(path: Path) -> dict[tuple[str, int], list[tuple[int, bytes | None, bytes | None, Headers]]]:
    found = defaultdict(list)
    with LogReader(path) as log:
        for record in log:
            content = (record.offset, record.key, record.value, record.headers)
            found[record.topic, record.partition].append(content)
    return dict(found)


@pytest.mark.servers
def test_a_recording_replayed_and_recorded_again_is_the_same(
    stack: RunningStack, kafka_prefix: str, tmp_path: Path
) -> None:
    first, second = settings(stack, kafka_prefix + "a."), settings(stack, kafka_prefix + "b.")
    create_topics(first)
    create_topics(second)
    write(tmp_path / "made", sent(500))

    replayed = send_log(first, LogPart(tmp_path / "made"))
    recorded = record_topics(first, tmp_path / "once")
    send_log(second, LogPart(tmp_path / "once"))
    record_topics(second, tmp_path / "twice")

    assert replayed.sent == {TELEMETRY: 500 + 3 * 50, SITES: 1, DEMAND: 1}
    assert (replayed.words_before, replayed.go_on_from) == (0, None)
    assert {topic: count for topic, count in recorded.items() if count} == replayed.sent
    once = read(tmp_path / "once")
    assert read(tmp_path / "twice") == once
    for (topic, partition), records in once.items():
        if topic == TELEMETRY:
            assert [offset for offset, *_ in records] == list(range(len(records)))
            assert sum(value is not None and value.startswith(b"clock") for _, _, value, _ in records) == 50
            for _, key, _, headers in records:
                assert key == b"" or partition_of(key or b"", 3) == partition
                assert headers[-1][0] == SENT_AT


@pytest.mark.servers
def test_within_a_partition_records_are_sent_in_the_logs_order(
    stack: RunningStack, kafka_prefix: str, tmp_path: Path
) -> None:
    here = settings(stack, kafka_prefix)
    create_topics(here)
    write(tmp_path / "made", sent(3_000))

    send_log(here, LogPart(tmp_path / "made"))
    record_topics(here, tmp_path / "recorded", (TELEMETRY,))

    for records in read(tmp_path / "recorded").values():
        numbers = [int(dict(headers)["n"]) for _, _, _, headers in records if "n" in dict(headers)]
        assert numbers == sorted(numbers)


@pytest.mark.servers
def test_a_log_of_other_partitions_is_not_sent(stack: RunningStack, kafka_prefix: str, tmp_path: Path) -> None:
    here = settings(stack, kafka_prefix)
    create_topics(here)
    write(tmp_path / "log", sent(1), {TELEMETRY: 12})

    with pytest.raises(ConfigurationError, match=f"partitions of {TELEMETRY} is 3"):
        send_log(here, LogPart(tmp_path / "log"))


@pytest.mark.servers
def test_a_recording_from_now_holds_only_what_comes(stack: RunningStack, kafka_prefix: str, tmp_path: Path) -> None:
    here = settings(stack, kafka_prefix)
    create_topics(here)
    topic = full_name(here.kafka, SITES)
    with opened_producer(here) as producer:
        producer.send(topic, b"before").get(10)
        asked = 0

        def stopped() -> bool:
            nonlocal asked
            asked += 1
            if asked == 1:
                producer.send(topic, b"after").get(10)
            return asked > 20 or b"after" in values()

        def values() -> list[bytes | None]:
            found: list[bytes | None] = []
            with pytest.raises(LogDamaged), LogReader(tmp_path / "log") as log:
                found.extend(record.value for record in log)
            return found

        record_topics(here, tmp_path / "log", (SITES,), from_beginning=False, follow=True, stopped=stopped)

    assert [value for records in read(tmp_path / "log").values() for _, _, value, _ in records] == [b"after"]


def test_a_recorded_ledger_that_is_empty_does_not_stand_for_what_the_twin_would_write(tmp_path: Path) -> None:
    records = [Record(SITES, 0, 0, 5, b"clock", b'{"until":"2026-03-01T12:00:00Z"}', CLOCK)]
    write(tmp_path / "inputs", records)
    write(tmp_path / "with_empty_ledger", records, {TELEMETRY: 12, LEDGER: 1})

    folded = [fold_part(Settings(), LogPart(tmp_path / name)) for name in ("inputs", "with_empty_ledger")]

    assert folded[0].summary() == folded[1].summary()
