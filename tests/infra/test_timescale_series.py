"""Series for graphs on a real TimescaleDB: the same values whatever they are read from, and no hole at the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection
from infra.timescale.retention import Retention
from infra.timescale.sink import TimescaleSink
from models.instants import Instant, moment_of
from models.node_frame import Hearing
from models.reading import STATE_NAMES
from tests.infra.timescale_builders import (
    HOUR,
    T0,
    fleet_state,
    node_frame,
    opened,
    site_state,
    tenant,
)

pytestmark = pytest.mark.servers

MINUTE = 60_000
STEP = 30_000
"""Between ticks here, to have few of them."""
SITES = ("memphis", "o'brien")
LENGTH = 2 * HOUR
DRAINING, MAINTENANCE, FAILED = (STATE_NAMES.index(name) for name in ("draining", "maintenance", "failed"))
ALL = Instant(T0 + 1000 * HOUR)

CALLS = {
    "fleet_series": "fleet_series({from_}, {to}, {wanted})",
    "site_series": "site_series({from_}, {to}, {wanted})",
    "site_series of one": "site_series({from_}, {to}, {wanted}, array['o''brien', 'nowhere'])",
    "fleet_pool_series": "fleet_pool_series({from_}, {to}, {wanted})",
    "site_pool_series": "site_pool_series({from_}, {to}, {wanted}, array['memphis'])",
    "tenant_series": "tenant_series({from_}, {to}, {wanted})",
    "node_series": "node_series({from_}, {to}, {wanted}, 'memphis', 'n1')",
}


def ticks(start: int = T0, length: int = LENGTH) -> range:
    return range(start, start + length, STEP)


def everything(times: range) -> RowBatch:
    """What changes from tick to tick, some of it not known at times."""
    return RowBatch(
        sites=[
            site_state(site, t, watts=1e6 / 3 + t % 977, facility=None if t % 7 == 0 else t / 1e6, free=t // STEP % 9)
            for t in times
            for site in SITES
        ],
        fleet=[
            fleet_state(t, pending=t // STEP % 5, tenants=[tenant(deserved=None if t % 3 else t // STEP % 11)])
            for t in times
        ],
        nodes=[
            node_frame(
                "memphis",
                t,
                {
                    "node": ["n1", "n2"],
                    "power_milliwatts": [t % 1_000_003, None],
                    "energy_joules": [t - T0, 5],
                    "hearing": [[Hearing.REPORTING, Hearing.STALE, Hearing.LOST][t // STEP % 3], 0],
                    "state": [[0, DRAINING, MAINTENANCE, FAILED][t // STEP % 4], 0],
                },
            )
            for t in times
        ],
    )


@pytest.fixture
def filled(database_url: str) -> Iterator[tuple[TimescaleSink, Connection]]:
    with opened(database_url) as (sink, look):
        sink.write(everything(ticks()))
        look.execute("set search_path to fleettwin")
        yield sink, look


def asked(look: Connection, call: str, from_: int, to: int, wanted: str) -> list[dict[str, Any]]:
    """The rows of a call, by column; texts as a dashboard writes them."""
    said = {"from_": f"'{moment_of(from_)}'", "to": f"'{moment_of(to)}'", "wanted": f"'{wanted}'"}
    cursor = look.execute(f"select * from {CALLS[call].format(**said)}".encode())
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def alike(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For comparison: sums of fractions depend on their order in the last digits."""
    return [{k: pytest.approx(v, rel=1e-12) if isinstance(v, float) else v for k, v in row.items()} for row in rows]


def hours(look: Connection) -> dict[str, list[dict[str, Any]]]:
    return {call: asked(look, call, T0, T0 + LENGTH, "1h") for call in CALLS}


def test_hours_are_the_same_from_samples_from_minutes_and_from_hours(filled: tuple[TimescaleSink, Connection]) -> None:
    sink, look = filled
    from_samples = hours(look)
    sink.roll_up(ALL)
    look.execute("create temporary table newest as select max(time) as time from node_samples")
    for samples in ("fleet_samples", "site_samples", "fleet_pools", "site_pools", "tenant_samples", "node_samples"):
        look.execute(f"delete from {samples} where time < (select time from newest)".encode())
    from_hours = hours(look)
    look.execute("truncate fleet_1h, site_1h, fleet_pools_1h, site_pools_1h, tenant_1h, node_1h")
    from_minutes = hours(look)

    for call in CALLS:
        assert len({row["time"] for row in from_samples[call]}) == 2
        assert from_hours[call] == alike(from_samples[call]), call
        assert from_minutes[call] == alike(from_samples[call]), call


def test_it_makes_no_difference_how_much_is_rolled_up(filled: tuple[TimescaleSink, Connection]) -> None:
    sink, look = filled
    cases = [(call, wanted) for call in CALLS for wanted in ("30s", "1m", "10m", "1h")]
    before = {case: asked(look, case[0], T0, T0 + LENGTH, case[1]) for case in cases}
    for through in (T0 + 70 * MINUTE, T0 + 119 * MINUTE, T0 + LENGTH):
        sink.roll_up(Instant(through))

        for case in cases:
            assert asked(look, case[0], T0, T0 + LENGTH, case[1]) == alike(before[case]), case


def test_what_was_written_after_the_last_rollup_counts_at_once(filled: tuple[TimescaleSink, Connection]) -> None:
    """As when a worker stops in the middle of a minute, rolls all up, and goes on later."""
    sink, look = filled
    end = T0 + LENGTH
    for length in (10 * MINUTE + STEP, 3 * MINUTE):
        sink.roll_up()
        sink.write(everything(ticks(end, length)))
        end += length

        for wanted in ("1m", "1h"):
            rows = asked(look, "node_series", T0 + LENGTH, end, wanted)
            assert rows[-1]["energy_joules"] == end - STEP - T0
            counted = sum(row[state] for row in rows for state in ("in_service", "draining", "maintenance", "failed"))
            assert counted == (end - T0 - LENGTH) // STEP


@pytest.mark.parametrize(
    ("rollup", "due", "hours_end", "minutes_end"),
    [
        pytest.param(None, 0, 3, 190, id="all-is-rolled-up"),
        pytest.param("fleet_1m", 181, 3, 181, id="a-minute-is-due"),
        pytest.param("fleet_1m", 125, 2, 125, id="a-minute-of-an-hour-before-is-due"),
        pytest.param("fleet_1h", 120, 2, 190, id="an-hour-is-due"),
        pytest.param("site_1m", 125, 3, 190, id="a-minute-of-another-table-is-due"),
        pytest.param("fleet_1m", 5, 3, 190, id="a-minute-of-long-ago-is-due"),
    ],
)
def test_what_is_due_is_read_from_finer_rows(
    database_url: str, rollup: str | None, due: int, hours_end: int, minutes_end: int
) -> None:
    with opened(database_url) as (_, look):
        look.execute("set search_path to fleettwin")
        if rollup is not None:
            look.execute("insert into rollup_due values (%s, '', %s)", [rollup, moment_of(T0 + due * MINUTE)])
        newest = [moment_of(T0 + minutes * MINUTE) for minutes in (192, 189, 120)]
        found = look.execute(
            "select hours_end, minutes_end, ends from series_plan('fleet', 'fleet_samples', %s, %s, '1h', '2 hours',"
            " %s, %s, %s)",
            [moment_of(T0), moment_of(T0 + 4 * HOUR), *newest],
        ).fetchone()

    assert found == (
        moment_of(T0 + hours_end * HOUR),
        moment_of(T0 + minutes_end * MINUTE),
        moment_of(T0 + 4 * HOUR),
    )


def test_means_and_counts_are_those_of_the_samples(filled: tuple[TimescaleSink, Connection]) -> None:
    _, look = filled
    states = [state for state in everything(ticks(T0, HOUR)).sites if state.site == "memphis"]
    facility = [state.power.facility for state in states if state.power.facility is not None]

    (hour,) = [row for row in asked(look, "site_series", T0, T0 + HOUR, "1h") if row["site"] == "memphis"]

    assert hour["it_watts"] == pytest.approx(sum(s.power.it_measured + 0.1 + 0.2 for s in states) / len(states))
    assert hour["facility_watts"] == pytest.approx(sum(facility) / len(facility))
    assert hour["supply_watts"] is None
    assert hour["free"] == pytest.approx(sum(state.free for state in states) / len(states))
    assert (hour["nodes_in_service"], hour["nodes_failed"]) == (6, 1)
    assert hour["energy_joules"] == states[-1].energy_joules
    (node,) = asked(look, "node_series", T0, T0 + HOUR, "1h")
    assert [node[part] for part in ("reporting", "stale", "lost")] == [40, 40, 40]
    assert [node[part] for part in ("in_service", "draining", "maintenance", "failed")] == [30] * 4


@pytest.mark.parametrize(
    ("span", "wanted", "bucket"),
    [
        pytest.param(HOUR, "5s", 5, id="samples"),
        pytest.param(HOUR, "45s", 45, id="samples-in-odd-buckets"),
        pytest.param(HOUR, "1ms", 0.1, id="never-finer-than-a-tick-may-be"),
        pytest.param(HOUR, "0s", 0.1, id="nothing-wanted"),
        pytest.param(6 * HOUR, "20s", 60, id="minutes-where-samples-are-too-many"),
        pytest.param(HOUR, "1m", 60, id="minutes"),
        pytest.param(HOUR, "90s", 120, id="whole-minutes"),
        pytest.param(30 * 24 * HOUR, "1m", 3600, id="hours-where-minutes-are-too-many"),
        pytest.param(24 * HOUR, "61m", 7200, id="whole-hours"),
        pytest.param(700 * 24 * HOUR, "1y", 365.25 * 86400, id="a-year-has-no-fixed-length-and-gets-one"),
    ],
)
def test_buckets_are_as_wanted_or_coarser(database_url: str, span: int, wanted: str, bucket: float) -> None:
    with opened(database_url) as (_, look):
        found = look.execute(
            "select extract(epoch from bucket)::float8 from fleettwin.series_plan('fleet', 'fleet_samples', %s, %s,"
            " %s::interval, '2 hours', null, null, null)",
            [moment_of(T0), moment_of(T0 + span), wanted],
        ).fetchone()

    assert found == (bucket,)


def test_a_bucket_is_whole_where_the_range_begins_or_ends_within_it(filled: tuple[TimescaleSink, Connection]) -> None:
    _, look = filled
    whole = asked(look, "fleet_series", T0, T0 + HOUR, "10m")

    assert asked(look, "fleet_series", T0 + 7 * MINUTE, T0 + 32 * MINUTE, "10m") == whole[:4]
    assert [row["time"] for row in whole] == [moment_of(T0) + timedelta(minutes=10 * i) for i in range(6)]


def test_a_range_without_rows_is_empty(filled: tuple[TimescaleSink, Connection]) -> None:
    _, look = filled
    for call in CALLS:
        assert asked(look, call, T0 - 1000 * HOUR, T0 - 999 * HOUR, "5s") == []
        assert asked(look, call, T0 + 500 * HOUR, T0 + 1200 * HOUR, "1h") == []
        assert asked(look, call, T0, T0, "5s") == []


def test_where_samples_have_been_dropped_minutes_and_hours_are_read(filled: tuple[TimescaleSink, Connection]) -> None:
    sink, look = filled
    sink.write(RowBatch(fleet=[fleet_state(T0 + 100 * HOUR)]))
    sink.retain(Instant(T0 + 100 * HOUR), Retention(raw=HOUR, rolled_up=10_000 * HOUR))
    assert look.execute("select count(*) from node_samples").fetchone() == (0,)

    site = asked(look, "site_series of one", T0 + HOUR, T0 + HOUR + 10 * MINUTE, "5s")
    node = asked(look, "node_series", T0 + HOUR, T0 + 2 * HOUR, "5s")

    assert spacing(site) == {timedelta(minutes=1)}
    assert [row["time"] for row in node] == [moment_of(T0 + HOUR)]


def spacing(rows: list[dict[str, Any]]) -> set[timedelta]:
    times: list[datetime] = [row["time"] for row in rows]
    return {later - earlier for earlier, later in pairwise(times)}


def test_the_sessions_time_zone_changes_nothing(filled: tuple[TimescaleSink, Connection]) -> None:
    sink, look = filled
    sink.roll_up(Instant(T0 + 90 * MINUTE))
    expected = asked(look, "fleet_series", T0, T0 + LENGTH, "1h")
    look.execute("set timezone to 'Asia/Kolkata'")

    assert asked(look, "fleet_series", T0, T0 + LENGTH, "1h") == expected


def test_what_is_so_now_is_the_newest_of_each(filled: tuple[TimescaleSink, Connection]) -> None:
    sink, look = filled
    last = ticks()[-1]
    sink.write(RowBatch(sites=[site_state("memphis", last + 1000)]))

    assert look.execute("select time from fleet_now").fetchall() == [(moment_of(last),)]
    newest = [("memphis", moment_of(last + 1000)), ("o'brien", moment_of(last))]
    assert look.execute("select site, time from sites_now order by 1").fetchall() == newest
    assert look.execute("select site, time from site_pools_now order by 1").fetchall() == newest
    assert look.execute("select count(*), min(time) from fleet_pools_now").fetchone() == (2, moment_of(last))
    rack = look.execute("select site, rack, nodes, not_reporting, power_watts from racks_now").fetchall()
    assert rack == [("memphis", "r1", 2, 1, last % 1_000_003 / 1000)]
    age = look.execute("select age_seconds = extract(epoch from now() - time)::float8 from sites_now").fetchall()
    assert age == [(True,), (True,)]


def test_without_rows_nothing_is_so_now(database_url: str) -> None:
    with opened(database_url) as (_, look):
        look.execute("set search_path to fleettwin")
        for view in ("fleet_now", "sites_now", "fleet_pools_now", "site_pools_now", "racks_now", "nodes_now"):
            assert look.execute(f"select * from {view}".encode()).fetchall() == []
