"""A publisher at work: beats go on, whatever its source, its spool and Kafka do."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from streams.publish.asking import asked
from streams.publish.complaints import Complaints
from streams.publish.folding import Told
from streams.publish.measures import AcceleratorMeasure, Failure, NodeMeasure, Sampled
from streams.publish.metrics import PublishMetrics
from streams.publish.publisher import BETWEEN_SECONDS, Measuring, Publisher
from streams.publish.schedule import Beats
from streams.publish.spool import Spool, opened_spool
from tests.builders import SITE, T0
from tests.publish_fakes import FakeSource, folding, node


@contextmanager
def measuring(source: FakeSource) -> Iterator[Measuring]:
    with asked(source, 20) as asking:
        yield Measuring(asking, folding(), PublishMetrics("fake"), clock=lambda: T0)


@contextmanager
def publisher(source: FakeSource, folder: Path) -> Iterator[Publisher]:
    with measuring(source) as measures, opened_spool(folder / "spool.db", 2**20) as spool:
        yield Publisher("fake/memphis/n1", measures, spool)


def value(metrics: PublishMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"fleettwin_publish_{name}", labels)


def sent(spool: Spool) -> list[NodeMeasure]:
    return [orjson.loads(one.parcel.value) for one in spool.lend(2**20)]


def counting(beats: int) -> Callable[[float], bool]:
    """Lets so many beats pass, without waiting for their time."""
    left = iter(range(beats))
    return lambda seconds: next(left, None) is None


def test_every_beat_leaves_a_record(tmp_path: Path) -> None:
    source = FakeSource(*(Sampled((node(at=T0 + 1000 * number),)) for number in range(5)))
    with publisher(source, tmp_path) as publishes:
        publishes.run(Beats(3600, 0, 0, time.monotonic()), counting(5))

        readings = sent(publishes.spool)
        metrics = publishes.measuring.metrics
    assert len(readings) == 5
    assert value(metrics, "beats_total") == 5
    assert value(metrics, "overruns_total") == 0


def test_a_beat_that_fails_is_named_and_the_next_one_comes(tmp_path: Path) -> None:
    source = FakeSource(Sampled((node(),)), OSError("gone"), Sampled((node(at=T0 + 1),)))
    with publisher(source, tmp_path) as publishes, capture_logs() as logs:
        publishes.run(Beats(3600, 0, 0, time.monotonic()), counting(3))

        assert publishes.spool.fill.records == 2
        assert value(publishes.measuring.metrics, "failures_total", endpoint="fake") == 1
    told = [(one["event"], one.get("endpoint"), one.get("why")) for one in logs]
    assert told == [("failed", "fake", "OSError: gone"), ("well again", "fake", None)]


def test_beats_that_a_slow_source_overruns_are_counted(tmp_path: Path) -> None:
    def slow() -> Sampled:
        time.sleep(0.05)
        return Sampled((node(),))

    async def answer() -> Sampled:
        return slow()

    with publisher(FakeSource(answer), tmp_path) as publishes, capture_logs() as logs:
        publishes.run(Beats(0.01, 0, 0, time.monotonic()), counting(1))
        overruns = value(publishes.measuring.metrics, "overruns_total")

    assert overruns is not None
    assert overruns >= 3
    assert logs[0]["beats"] == overruns


def test_events_and_what_they_follow_from_are_written_together(tmp_path: Path) -> None:
    broken = node(accelerators=(AcceleratorMeasure(xid=31),), installed=1)
    with publisher(FakeSource(Sampled((broken,))), tmp_path) as publishes:
        publishes.publish(publishes.measuring.told())

        assert publishes.spool.conditions() == publishes.measuring.folding.conditions.dumped()
        assert b"31" in (publishes.spool.conditions() or b"")
        assert publishes.spool.fill.records == 2


def test_a_disk_that_is_full_costs_the_record_and_is_told(tmp_path: Path) -> None:
    with publisher(FakeSource(Sampled((node(),))), tmp_path) as publishes, capture_logs() as logs:
        with sqlite3.connect(tmp_path / "spool.db") as full:
            full.execute("CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        full.close()
        publishes.publish(publishes.measuring.told())

        assert value(publishes.measuring.metrics, "spool_dropped_records_total") == 1
    assert [(one["endpoint"], one["why"]) for one in logs] == [("spool", "disk full; 1 records are lost")]


def test_a_full_spool_is_told(tmp_path: Path) -> None:
    sampled = [Sampled((node(at=T0 + number),)) for number in range(3)]
    with measuring(FakeSource(*sampled)) as measures, opened_spool(tmp_path / "spool.db", 600) as spool:
        publishes = Publisher("fake/memphis/n1", measures, spool)
        with capture_logs() as logs:
            for _ in sampled:
                publishes.publish(measures.told())

        assert spool.fill.records == 1
        assert value(measures.metrics, "spool_dropped_readings_total") == 2
    assert "the oldest are lost" in logs[0]["why"]


def test_once_waits_for_a_second_sample_where_there_are_counters() -> None:
    waited: list[float] = []
    source = FakeSource(Sampled((node(energy_joules=0.0),)), Sampled((node(at=T0 + 1000, energy_joules=5000.0),)))
    with measuring(source) as measures:
        told = measures.told_once(waited.append)

    assert waited == [BETWEEN_SECONDS]
    assert [one.power_watts for one in told.readings] == [5000.0]


def test_once_takes_one_sample_where_there_are_none() -> None:
    waited: list[float] = []
    with measuring(FakeSource(Sampled((node(power_watts=4000.0),)))) as measures:
        told = measures.told_once(waited.append)

    assert (waited, [one.power_watts for one in told.readings]) == ([], [4000.0])


def test_once_does_with_the_first_sample_where_the_second_one_fails() -> None:
    failed = Sampled(failures=(Failure("f.json", "it has not been written since the beat before"),))
    source = FakeSource(Sampled((node(energy_joules=0.0, power_watts=4000.0),)), failed)
    with measuring(source) as measures:
        told = measures.told_once(lambda _: None)

    assert ([one.power_watts for one in told.readings], told.failures) == ([4000.0], ())


def test_what_lasts_is_told_now_and_then_only() -> None:
    now = [0.0]
    complaints = Complaints(clock=lambda: now[0])
    with capture_logs() as logs:
        for second in range(0, 1300, 100):
            now[0] = float(second)
            complaints.tell([Failure("bmc-1", "timed out"), Failure("bmc-1", "again")])

    assert [one["why"] for one in logs] == ["timed out (and 1 more)"] * 3


def test_metrics_say_how_old_the_last_success_is() -> None:
    now = [100.0]
    metrics = PublishMetrics("fake", clock=lambda: now[0])
    now[0] = 107.0
    assert value(metrics, "success_age_seconds") == 7.0

    metrics.sampled(0.1, folding().fold(Sampled((node(missing=("power_watts",)),)), T0))
    now[0] = 110.0
    metrics.sampled(0.1, Told(failures=(Failure(f"{SITE}/n1", "no"),)))

    assert value(metrics, "success_age_seconds") == 3.0
    assert value(metrics, "sample_seconds_count") == 2
    assert value(metrics, "failures_total", endpoint=f"{SITE}/n1") == 1
    assert value(metrics, "missing_total", measure="power_watts") == 1


def test_metrics_are_served_until_the_end() -> None:
    import httpx

    from infra.embedded import ports

    metrics = PublishMetrics("fake")
    metrics.watch(lambda: 3, lambda: 700)
    port = ports.choose("", None, None)
    end = metrics.serve("127.0.0.1", port)
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    end()

    assert "fleettwin_publish_spool_records 3.0" in text
    assert 'fleettwin_publish_build_info{source="fake"' in text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")
