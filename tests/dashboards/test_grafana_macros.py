"""What Grafana's PostgreSQL data source does to SQL, line by line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.grafana.interpolation import Chosen, interpolated
from dashboards.grafana.macros import MacroError, Screen, duration, expanded

SINCE = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
UNTIL = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
SCREEN = Screen(SINCE, UNTIL, timedelta(seconds=30))
PLAIN = Screen(SINCE, UNTIL, timedelta(seconds=30), timescaledb=False)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        pytest.param("$__time(ts)", 'ts AS "time"', id="time"),
        pytest.param("$__timeEpoch(ts)", 'extract(epoch from ts) as "time"', id="time-of-a-date"),
        pytest.param(
            "where $__timeFilter(ts) and x",
            "where ts BETWEEN '2026-11-22T05:00:00Z' AND '2026-11-22T06:00:00Z' and x",
            id="filter",
        ),
        pytest.param("$__timeFrom()", "'2026-11-22T05:00:00Z'", id="from"),
        pytest.param("$__timeTo()::timestamptz", "'2026-11-22T06:00:00Z'::timestamptz", id="to-with-a-cast"),
        pytest.param("$__timeGroup(ts,'5m')", "time_bucket('300.000s',ts)", id="group"),
        pytest.param("$__timeGroup( ts , '5m' , NULL )", "time_bucket('300.000s',ts)", id="group-fill-is-no-sql"),
        pytest.param("$__timeGroup(ts,'5m'), x", "time_bucket('300.000s',ts) AS \"time\", x", id="group-as-of-old"),
        pytest.param("by $__timeGroup(ts,'5m') , x", "by time_bucket('300.000s',ts) , x", id="group-before-a-space"),
        pytest.param("$__timeGroupAlias(ts,'1d')", "time_bucket('86400.000s',ts) AS \"time\"", id="group-with-name"),
        pytest.param("$__timeGroup(ts,'$__interval')", "time_bucket('30.000s',ts)", id="group-by-the-interval"),
        pytest.param("$__timeGroup(ts,250ms)", "time_bucket('0.250s',ts)", id="group-of-milliseconds"),
        pytest.param("$__timeGroup(ts,'1h30m')", "time_bucket('5400.000s',ts)", id="group-of-two-units"),
        pytest.param("$__unixEpochFilter(t)", "t >= 1795323600 AND t <= 1795327200", id="epoch-filter"),
        pytest.param(
            "$__unixEpochNanoFilter(t)",
            "t >= 1795323600000000000 AND t <= 1795327200000000000",
            id="nanoseconds-filter",
        ),
        pytest.param("$__unixEpochNanoFrom()", "1795323600000000000", id="nanoseconds-from"),
        pytest.param("$__unixEpochNanoTo()", "1795327200000000000", id="nanoseconds-to"),
        pytest.param("$__unixEpochFrom()", "1795323600", id="epoch-from"),
        pytest.param("$__unixEpochTo()", "1795327200", id="epoch-to"),
        pytest.param("$__unixEpochGroup(t,'5m')", "floor((t)/300)*300", id="epoch-group"),
        pytest.param("$__unixEpochGroup(t,'5m'), x", "floor((t)/300)*300, x", id="epoch-group-takes-no-name"),
        pytest.param("$__unixEpochGroupAlias(t,'5m')", 'floor((t)/300)*300 AS "time"', id="epoch-group-with-name"),
        pytest.param("'$__interval' $__interval_ms", "'30s' 30000", id="interval-as-text"),
        pytest.param("price in $ (net)", "price in $ (net)", id="a-dollar-is-no-macro"),
        pytest.param(
            "$__timeFilter(coalesce(ts,now()))",
            "coalesce(ts BETWEEN '2026-11-22T05:00:00Z' AND '2026-11-22T06:00:00Z'))",
            id="a-macro-ends-at-the-first-parenthesis",
        ),
    ],
)
def test_macros_expand_as_in_grafana(sql: str, expected: str) -> None:
    assert expanded(sql, SCREEN) == expected


def test_without_timescaledb_groups_are_whole_numbers_of_seconds() -> None:
    assert expanded("$__timeGroup(ts,'5m')", PLAIN) == "floor(extract(epoch from ts)/300)*300"


def test_a_fraction_of_a_second_is_written_only_where_there_is_one() -> None:
    screen = Screen(SINCE + timedelta(milliseconds=120), UNTIL + timedelta(microseconds=7), timedelta(seconds=1))

    assert expanded("$__timeFrom() $__timeTo()", screen) == "'2026-11-22T05:00:00.12Z' '2026-11-22T06:00:00.000007Z'"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        pytest.param("$__timeRange(ts)", "unknown macro __timeRange", id="unknown"),
        pytest.param("$__timeGroup(ts)", "needs time column and interval", id="group-without-interval"),
        pytest.param("$__timeGroup(ts,'5 apples')", "error parsing interval '5 apples'", id="no-interval"),
        pytest.param("$__unixEpochGroup(ts,'5m1')", "error parsing interval", id="half-an-interval"),
    ],
)
def test_what_grafana_refuses_is_refused(sql: str, said: str) -> None:
    with pytest.raises(MacroError, match=said):
        expanded(sql, SCREEN)


@pytest.mark.parametrize(
    ("length", "written"),
    [
        pytest.param(timedelta(milliseconds=200), "200ms", id="milliseconds"),
        pytest.param(timedelta(seconds=1), "1s", id="a-second"),
        pytest.param(timedelta(minutes=2), "2m", id="minutes"),
        pytest.param(timedelta(seconds=90), "1m", id="the-rest-is-cut-off"),
        pytest.param(timedelta(hours=3), "3h", id="hours"),
        pytest.param(timedelta(days=7), "7d", id="days"),
        pytest.param(timedelta(days=366), "1y", id="a-year"),
        pytest.param(timedelta(0), "1ms", id="nothing-is-a-millisecond"),
    ],
)
def test_lengths_are_written_in_their_largest_unit(length: timedelta, written: str) -> None:
    assert duration(length) == written


@pytest.mark.parametrize(
    ("length", "shortest", "interval"),
    [
        pytest.param(timedelta(hours=1), timedelta(seconds=1), timedelta(seconds=5), id="an-hour"),
        pytest.param(timedelta(hours=1), timedelta(seconds=10), timedelta(seconds=10), id="no-shorter-than-the-panel"),
        pytest.param(timedelta(days=30), timedelta(seconds=1), timedelta(minutes=30), id="thirty-days"),
    ],
)
def test_a_screen_has_about_a_thousand_buckets(length: timedelta, shortest: timedelta, interval: timedelta) -> None:
    assert Screen.of(length, UNTIL, shortest).interval == interval


MANY = Chosen(["a", "o'b", 'c"d'], several=True)
NONE = Chosen([], several=True)
ONE = Chosen(["o'b"], several=False)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        pytest.param("in ($many)", "in ('a','o''b','c\"d')", id="several-are-quoted"),
        pytest.param("in (${many})", "in ('a','o''b','c\"d')", id="in-braces"),
        pytest.param("array[$none]::text[]", "array[]::text[]", id="none-of-several"),
        pytest.param("= '$one'", "= 'o''b'", id="one-is-doubled-and-not-quoted"),
        pytest.param("= ${one:sqlstring}", "= 'o''b'", id="one-as-a-string"),
        pytest.param("in (${many:sqlstring})", "in ('a','o''b','c\\\"d')", id="strings-spoil-double-quotes"),
        pytest.param("'$__interval' $unknown $__timeTo()", "'$__interval' $unknown $__timeTo()", id="others-stay"),
        pytest.param("$onetime", "$onetime", id="a-longer-name-is-another"),
    ],
)
def test_variables_are_put_in_as_the_browser_does(sql: str, expected: str) -> None:
    assert interpolated(sql, {"many": MANY, "none": NONE, "one": ONE}) == expected


@pytest.mark.parametrize("how", ["queryparam", "csv", "percentencode"])
def test_formats_of_addresses_are_not_for_sql(how: str) -> None:
    with pytest.raises(MacroError, match=how):
        interpolated(f"${{many:{how}}}", {"many": MANY})
