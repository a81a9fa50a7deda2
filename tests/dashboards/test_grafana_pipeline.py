"""The figures of the dashboard of the pipeline: rates, delays, lag and what was refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection
from infra.timescale.sink import TimescaleSink
from models.dead_letter import DeadLetter
from models.instants import Instant, moment_of
from models.pipeline import Delay, Flow, PipelineSample, Stage
from models.state import IntakeTotals, SiteState
from tests.dashboards.grafana_asking import SCHEMA, asked, by_name, looked_at, migrated
from tests.infra.timescale_builders import HOUR, T0, fleet_state, site_state

pytestmark = pytest.mark.servers

MINUTE, SECOND = 60_000, 1000
DAY = 24 * HOUR
PERIOD = 10_700


@pytest.fixture(scope="module")
def address(database_template: str) -> Iterator[str]:
    with migrated(database_template, "grafana_pipeline") as address:
        yield address


@pytest.fixture
def look(address: str) -> Iterator[Connection]:
    with looked_at(address) as look:
        yield look
        look.execute(
            "truncate pipeline_workers, pipeline_flows, pipeline_delays, dead_letters, site_samples, fleet_samples"
        )


def spoken(
    worker: str,
    since: int,
    until: int,
    *,
    records: int = 0,
    topic: str = "fleet.state.v1",
    partitions: Sequence[int] = (0,),
    lag: int | None = 0,
    delays: Sequence[Delay] = (),
    rows: int = 0,
    cpu: float = 0,
) -> list[PipelineSample]:
    """What a worker says every ten seconds and a bit, as they do; milliseconds after T0, records and rows a second."""
    seconds = PERIOD / 1000
    return [
        PipelineSample(
            worker=worker,
            app="store",
            since=moment_of(Instant(T0 + begins)),
            at=moment_of(Instant(T0 + begins + PERIOD)),
            flows=tuple(
                Flow(topic=topic, partition=one, records=round(records * seconds), bytes=100, lag=lag)
                for one in partitions
            ),
            delays=tuple(delays),
            rows=round(rows * seconds),
            resident_bytes=2**28,
            cpu_seconds=cpu * seconds,
        )
        for begins in range(since, until - PERIOD + 1, PERIOD)
    ]


def written(address: str, *samples: Sequence[PipelineSample]) -> None:
    with TimescaleSink(address, SCHEMA) as sink:
        sink.write(RowBatch(pipeline=[one for some in samples for one in some]))


@pytest.mark.parametrize(
    "length",
    [
        pytest.param(HOUR, id="buckets-of-two-periods"),
        pytest.param(6 * HOUR, id="buckets-of-thirty-seconds"),
        pytest.param(30 * DAY, id="buckets-of-half-an-hour"),
    ],
)
def test_a_steady_rate_is_the_same_however_long_buckets_are(address: str, look: Connection, length: int) -> None:
    written(address, spoken("a", -HOUR, HOUR, records=40, rows=300, partitions=(0, 1, 2), cpu=0.5))

    read = asked(look, "fleet-pipeline: Records read", T0 + HOUR - length, T0 + HOUR)
    rows = asked(look, "fleet-pipeline: Rows written", T0 + HOUR - length, T0 + HOUR)
    used = asked(look, "fleet-pipeline: Processor time", T0 + HOUR - length, T0 + HOUR)

    assert {row["reader"] for row in read} == {"store reads fleet.state.v1"}
    # the first bucket may hold what a worker did in a part of it
    assert [row["rate"] for row in read[1:]] == pytest.approx([120] * (len(read) - 1), rel=0.02)
    assert [row["rate"] for row in rows[1:]] == pytest.approx([300] * (len(rows) - 1), rel=0.02)
    assert [row["rate"] for row in used[1:]] == pytest.approx([0.5] * (len(used) - 1), rel=0.02)


def test_workers_that_share_a_topic_add_up_and_a_successor_does_not_count_twice(address: str, look: Connection) -> None:
    written(
        address,
        spoken("a", 0, 2 * HOUR, records=40),
        spoken("b", 0, HOUR + 15 * MINUTE, records=60, partitions=[1]),
        spoken("c", HOUR + 15 * MINUTE, 2 * HOUR, records=60, partitions=[1]),
    )

    rows = asked(look, "fleet-pipeline: Records read", T0 - 30 * DAY, T0 + 2 * HOUR)

    # half-hours from T0 on; the successor's begins in the middle of the third
    assert [row["rate"] for row in rows] == pytest.approx([100, 100, 100, 100], rel=0.03)


def test_lag_is_the_most_of_a_bucket_and_none_where_it_is_not_known(address: str, look: Connection) -> None:
    written(
        address,
        spoken("a", 0, MINUTE, lag=3),
        spoken("a", 8 * SECOND, MINUTE, lag=7, topic="fleet.nodes.v1"),
        spoken("b", 0, MINUTE, lag=None, partitions=[1]),
    )

    rows = asked(look, "fleet-pipeline: Lag by partition", T0, T0 + HOUR)
    behind = asked(look, "fleet-pipeline: Records behind", T0, T0 + MINUTE)

    assert {name: set(lags.values()) for name, lags in by_name(rows, "reader", "lag").items()} == {
        "store of fleet.state.v1/0": {3},
        "store of fleet.nodes.v1/0": {7},
    }
    assert behind == [{"behind": 10}]


def test_delays_of_a_bucket_count_by_how_much_was_done(address: str, look: Connection) -> None:
    quick = Delay(stage=Stage.SITE_ROW, count=90, p50=0.5, p95=0.7, p99=0.8, most=1)
    slow = Delay(stage=Stage.SITE_ROW, count=10, p50=1.5, p95=2.7, p99=3.8, most=9)
    other = Delay(stage=Stage.NODE_ROW, count=10, p50=70, p95=80, p99=90, most=100)
    written(address, spoken("a", 0, 11_000, delays=[quick]), spoken("b", 0, 11_000, delays=[slow, other]))

    rows = asked(look, "fleet-pipeline: Tick to site row", T0, T0 + HOUR)
    now = asked(look, "fleet-pipeline: From tick to", T0, T0 + MINUTE)

    assert [(row["p50"], row["p95"], row["p99"]) for row in rows] == [pytest.approx((0.6, 0.9, 1.1))]
    assert now == [{"state sent": None, "row written": 2.7}]


def test_the_workers_are_those_that_spoke_in_the_last_ten_minutes(address: str, look: Connection) -> None:
    written(
        address,
        spoken("gone", 0, MINUTE),
        spoken("here", 0, 30 * MINUTE, rows=250, lag=4, cpu=0.25, partitions=[0, 1]),
    )

    rows = asked(look, "fleet-pipeline: The workers", T0, T0 + 30 * MINUTE)

    assert [(row["worker"], row["behind"], row["processor"]) for row in rows] == [("here", 8, pytest.approx(0.25))]
    assert rows[0]["rows a second"] == pytest.approx(250, rel=0.01)


def intake(at: int, observed: int, late: int, refused: int, *, site: str = "memphis") -> SiteState:
    """What a site has taken in by then."""
    counts = IntakeTotals(observed=observed, duplicate=observed // 4, superseded=0, late=late, refused=refused)
    return site_state(site, T0 + at).model_copy(update={"intake": counts})


def counted(address: str, states: Sequence[SiteState], newest: int) -> None:
    with TimescaleSink(address, SCHEMA) as sink:
        sink.write(RowBatch(sites=states, fleet=[fleet_state(T0 + newest)]))


def test_readings_a_second_follow_from_the_counters_of_the_chosen_sites(address: str, look: Connection) -> None:
    ticks = range(0, 30 * SECOND, SECOND)
    states = [intake(at, at // SECOND * 700, 0, 0) for at in ticks]
    states += [intake(at, at // SECOND * 50, 0, 0, site="abilene") for at in ticks]
    counted(address, states, 29 * SECOND)

    both = asked(look, "fleet-pipeline: Readings", T0, T0 + 29 * SECOND, sites=["abilene", "memphis"])
    one = asked(look, "fleet-pipeline: Readings", T0, T0 + 29 * SECOND, sites=["abilene"])
    by_site = asked(look, "fleet-pipeline: Readings by site", T0, T0 + 29 * SECOND, sites=["abilene", "memphis"])

    assert {row["readings"] for row in both} == {750}
    assert {row["readings"] for row in one} == {50}
    series = by_name(by_site, "called", "readings")
    assert {name: set(values.values()) for name, values in series.items()} == {"abilene": {50}, "memphis": {700}}


def test_a_bucket_that_is_not_over_does_not_look_like_a_fall(address: str, look: Connection) -> None:
    counted(address, [intake(at, at // SECOND * 700, 0, 0) for at in range(0, 62 * SECOND, SECOND)], 61 * SECOND)

    rows = asked(look, "fleet-pipeline: Readings", T0 - HOUR + 61 * SECOND, T0 + 61 * SECOND)

    assert len(rows) == 11
    assert {row["readings"] for row in rows} == {700}


def test_counters_that_begin_anew_are_no_negative_rate(address: str, look: Connection) -> None:
    counted(address, [intake(0, 10_000, 0, 0), intake(SECOND, 10, 0, 0), intake(2 * SECOND, 20, 0, 0)], 3 * SECOND)

    rows = asked(look, "fleet-pipeline: Readings", T0, T0 + 3 * SECOND)

    assert [row["readings"] for row in rows] == [0, 10]


def test_the_shares_are_of_what_came_in_the_bucket(address: str, look: Connection) -> None:
    counted(address, [intake(0, 1000, 500, 500), intake(SECOND, 1080, 520, 520)], 2 * SECOND)

    rows = asked(look, "fleet-pipeline: Late and refused", T0, T0 + 2 * SECOND)
    since_ever = asked(look, "fleet-pipeline: What became of readings", T0, T0 + 2 * SECOND)

    assert [(row["late"], row["refused"]) for row in rows] == [(20 / 80, 20 / 100)]
    assert [(row["late"], row["told twice"], row["refused"]) for row in since_ever] == [
        pytest.approx((520 / 1080, 0.25, 520 / 1600))
    ]


def letter(number: int, *, ago: int = 0, code: str = "unknown_type", rows: int = 1) -> DeadLetter:
    return DeadLetter(
        topic="fleet.telemetry.v1.dlq",
        partition=0,
        offset=number,
        at=T0 - ago,
        code=code,
        detail=f"row {number}: nobody knows the type",
        source_topic="fleet.telemetry.v1",
        source_partition=3,
        source_offset=number,
        key="memphis",
        rows=rows,
        bytes=300,
    )


def refused(address: str, letters: Sequence[DeadLetter]) -> None:
    with TimescaleSink(address, SCHEMA) as sink:
        sink.write(RowBatch(letters=letters))


def test_the_last_twenty_letters_are_listed_with_why(address: str, look: Connection) -> None:
    refused(address, [letter(number, ago=number * SECOND) for number in range(30)])

    rows = asked(look, "fleet-pipeline: Dead letters", T0 - HOUR, T0)

    assert [row["offset"] for row in rows] == list(range(20))
    assert (rows[7]["reason"], rows[7]["detail"]) == ("unknown_type", "row 7: nobody knows the type")


def test_rows_are_refused_by_reason(address: str, look: Connection) -> None:
    refused(
        address,
        [
            letter(1, ago=90 * SECOND, rows=5),
            letter(2, ago=91 * SECOND, rows=2),
            letter(3, ago=30 * SECOND, code="late"),
            letter(4, ago=2 * HOUR, code="long ago"),
        ],
    )

    rows = asked(look, "fleet-pipeline: Refused by reason", T0 - HOUR, T0)
    both = asked(look, "fleet-pipeline: Refused", T0 - HOUR, T0)

    series = by_name(rows, "code", "rows")
    assert series == {
        "unknown_type": {moment_of(Instant(T0 - 2 * MINUTE)): 7},
        "late": {moment_of(Instant(T0 - MINUTE)): 1},
    }
    assert both == [{"rows": 8, "letters": 3}]
