"""What a worker says of its own work: counted once, and what is not known is not zero."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from faust.types import TP

from infra.settings import KafkaSettings
from models.instants import moment_of
from models.pipeline import Delay, Flow, PipelineSample, Stage
from streams.workers.metering import Meter, Place
from streams.workers.pipeline import lags

T0 = 1_800_000_000_000
STATE, NODES = ("fleet.state.v1", 0), ("fleet.nodes.v1", 9)


def meter() -> Meter:
    return Meter("store@here/1", "store", T0)


def test_records_and_bytes_are_counted_by_place() -> None:
    one = meter()
    for size in (10, 20, 30):
        one.read(STATE, size)

    sample = one.sample(T0 + 10_000, {STATE: 7, NODES: None})

    assert sample.flows == (
        Flow(topic="fleet.nodes.v1", partition=9, records=0, bytes=0, lag=None),
        Flow(topic="fleet.state.v1", partition=0, records=3, bytes=60, lag=7),
    )
    assert (sample.since, sample.at) == (moment_of(T0), moment_of(T0 + 10_000))


def test_what_was_read_of_a_partition_that_is_gone_counts_and_its_lag_is_not_known() -> None:
    one = meter()
    one.read(STATE, 10)

    assert one.sample(T0 + 1, {}).flows == (Flow(topic="fleet.state.v1", partition=0, records=1, bytes=10, lag=None),)


def test_delays_are_seconds_from_the_tick_to_now_and_stages_without_any_are_left_out() -> None:
    one = meter()
    one.done(Stage.SITE_ROW, [T0 - 1000 * n for n in range(101)], T0)
    one.done(Stage.NODE_ROW, [T0 + 250], T0)
    one.done(Stage.SHORTAGE_ROW, [], T0)

    assert one.sample(T0 + 1, {}).delays == (
        Delay(stage=Stage.SITE_ROW, count=101, p50=50, p95=95, p99=99, most=100),
        Delay(stage=Stage.NODE_ROW, count=1, p50=-0.25, p95=-0.25, p99=-0.25, most=-0.25),
    )


def test_each_period_begins_with_nothing_where_the_one_before_it_ended() -> None:
    one = meter()
    one.read(STATE, 10)
    one.wrote(5)
    one.done(Stage.SITE_ROW, [T0], T0)
    first = one.sample(T0 + 10_000, {})
    second = one.sample(T0 + 20_000, {})

    assert (first.rows, second.rows) == (5, 0)
    assert (second.since, second.flows, second.delays) == (first.at, (), ())
    assert second.cpu_seconds < 5 > first.cpu_seconds
    assert 2**20 < second.resident_bytes < 2**40
    assert PipelineSample.model_validate_json(first.model_dump_json()) == first


class Consumer:
    """What is asked of Faust's consumer."""

    def __init__(self, ends: Mapping[TP, int | None]) -> None:
        self.ends = ends

    def assignment(self) -> set[TP]:
        return set(self.ends)

    def highwater(self, place: TP) -> int | None:
        return self.ends[place]


@pytest.mark.parametrize(
    ("end", "position", "lag"),
    [
        pytest.param(100, 40, 60, id="behind"),
        pytest.param(100, 100, 0, id="at-the-end"),
        pytest.param(100, 103, 0, id="Kafkas-word-is-older-than-what-was-read"),
        pytest.param(None, 40, None, id="Kafka-has-not-said"),
        pytest.param(100, None, None, id="nobody-knows-where-reading-began"),
        pytest.param(0, None, 0, id="nothing-was-ever-there"),
    ],
)
def test_a_lag_is_what_is_still_to_be_read_or_not_known(end: int | None, position: int | None, lag: int | None) -> None:
    kafka = KafkaSettings(topic_prefix="p.")
    consumer = Consumer({TP("p.fleet.state.v1", 0): end})
    asked: list[Place] = []

    def at(place: Place) -> int | None:
        asked.append(place)
        return position

    assert lags(consumer, kafka, at) == {STATE: lag}
    assert asked == [STATE]
