"""Minutes of nodes that their writer computes from frames: the rows that the database would compute from samples."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.timescale.batch import RowBatch
from infra.timescale.connection import Connection
from infra.timescale.measures import NODE_ROLLUP, minute_columns
from infra.timescale.node_minutes import Minute, NodeMinutes
from infra.timescale.node_sums import FIELDS, MOST_FRAMES, NodeSums
from infra.timescale.sink import TimescaleSink
from models.instants import Instant, moment_of
from models.node_frame import NodeFrame
from tests.infra.timescale_builders import HOUR, ODD_NAMES, T0, node_frame, nodes, opened, select

MINUTE = 60_000
NAMES = ("n1", "n2")
NEXT = T0 + MINUTE
"""The first frame of the next minute."""


def frame(tick: int, *, watts: int | None = 5_000_001, site: str = "memphis", part: int = 0) -> NodeFrame:
    return node_frame(site, tick, {"node": NAMES, "power_milliwatts": [watts, None]}, part)


def frames(*ticks: int, site: str = "memphis") -> RowBatch:
    return RowBatch(nodes=[frame(tick, watts=tick % 999_983, site=site) for tick in ticks])


def minutes(look: Connection) -> list[tuple[Any, ...]]:
    """All rows, exactly."""
    columns = ", ".join(name for name, _ in minute_columns(NODE_ROLLUP))
    return look.execute(
        f"select time, site, node, {columns} from fleettwin.node_1m"
        ' order by time, site collate "C", node collate "C"'.encode()
    ).fetchall()


def right_minutes(look: Connection, before: int = NEXT) -> list[tuple[Any, ...]]:
    """Those that end by then as the samples have them."""
    columns = ", ".join(value.as_string(look) for _, value in minute_columns(NODE_ROLLUP))
    return look.execute(
        f"select time_bucket('1 minute', time) as minute, site, node, {columns} from fleettwin.node_samples"
        ' where time < %s group by 1, 2, 3 order by 1, site collate "C", node collate "C"'.encode(),
        [moment_of(before)],
    ).fetchall()


def due_minutes(look: Connection) -> list[tuple[str, datetime]]:
    return select(look, "select site, bucket from rollup_due where rollup = 'node_1m' order by 2, 1")


def test_the_fields_are_those_of_the_rollup() -> None:
    assert tuple(name for name, _ in minute_columns(NODE_ROLLUP)) == FIELDS


@pytest.mark.servers
def test_they_are_there_with_the_sites_next_frame(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        for tick in range(T0, NEXT, 10_000):
            sink.write(frames(tick))
            assert minutes(look) == []
        sink.write(frames(NEXT))

        assert minutes(look) == right_minutes(look)
        assert len(minutes(look)) == len(NAMES)
        assert due_minutes(look) == [("memphis", moment_of(NEXT))]
        assert select(look, "select bucket from rollup_due where rollup = 'node_1h'") == [(moment_of(T0),)]


@pytest.mark.servers
def test_several_minutes_sites_and_parts_may_be_in_one_batch(database_url: str) -> None:
    ticks = range(T0 - 30_000, T0 + 4 * MINUTE, 10_000)
    some = [frame(tick, site=site, watts=tick % 977) for tick in ticks for site in ("memphis", "abilene")]
    more = [nodes("memphis", tick, ["n3", "n4", "n5"], part=1) for tick in ticks]
    with opened(database_url) as (sink, look):
        sink.write(RowBatch(nodes=[*some, *more]))

        assert minutes(look) == right_minutes(look, T0 + 3 * MINUTE)
        assert len(minutes(look)) == 4 * (2 + 2 + 3)
        assert due_minutes(look) == [(site, moment_of(T0 + 3 * MINUTE)) for site in ("abilene", "memphis")]


@pytest.mark.servers
def test_nodes_may_come_and_go_within_the_minute(database_url: str) -> None:
    """A node more moves others to the next part; one that is gone moves them back."""
    parts = {
        T0: (["a", "b"], ["c"]),
        T0 + 10_000: (["a", "aa"], ["b", "c"]),
        T0 + 20_000: (["a", "b"],),
        T0 + 30_000: (["a", "b"], ["c", "d"]),
    }
    with opened(database_url) as (sink, look):
        for tick, several in parts.items():
            for part, names in enumerate(several):
                watts = [None if name == "aa" else tick % 977 + len(name) for name in names]
                told = node_frame("memphis", tick, {"node": names, "power_milliwatts": watts}, part)
                sink.write(RowBatch(nodes=[told]))
        sink.write(frames(NEXT))

        assert minutes(look) == right_minutes(look)
        assert select(look, "select node, n from node_1m order by node") == [
            ("a", 4),
            ("aa", 1),
            ("b", 4),
            ("c", 3),
            ("d", 1),
        ]
        assert due_minutes(look) == [("memphis", moment_of(NEXT))]


NUMBERS = {
    "hearing": st.integers(0, 2),
    "state": st.integers(0, 3),
    "power_milliwatts": st.none() | st.integers(-5, 2**39),
    "utilization_ppm": st.none() | st.integers(0, 1_000_000),
    "memory_used_bytes": st.none() | st.integers(0, 2**49),
    "temperature_millicelsius": st.none() | st.integers(-60_000, 200_000),
    "energy_joules": st.none() | st.integers(0, 2**62),
}


@st.composite
def minutes_of_frames(draw: st.DrawFn) -> list[NodeFrame]:
    names = draw(st.lists(st.sampled_from(ODD_NAMES), min_size=1, max_size=4, unique=True))

    def drawn(tick: int) -> NodeFrame:
        columns = {key: [draw(kind) for _ in names] for key, kind in NUMBERS.items()}
        return node_frame("memphis", tick, {"node": names, **columns})

    return [drawn(T0 + second * 1000) for second in sorted(draw(st.sets(st.integers(0, 59), min_size=1, max_size=6)))]


@pytest.mark.servers
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minute=minutes_of_frames())
def test_they_are_the_databases_own_to_the_bit(database_url: str, minute: list[NodeFrame]) -> None:
    with opened(database_url) as (sink, look):
        look.execute("truncate fleettwin.node_samples, fleettwin.node_1m, fleettwin.rollup_due")
        look.execute("truncate fleettwin.site_newest_frame, fleettwin.node_absent")
        for each in minute:
            sink.write(RowBatch(nodes=[each]))
        sink.write(
            RowBatch(nodes=[nodes(tick=NEXT, names=[str(n) for n in minute[0].batch.column("node").to_pylist()])])
        )

        computed = minutes(look)
        assert computed == right_minutes(look)
        assert computed
        look.execute("truncate fleettwin.node_1m")
        look.execute(
            "insert into fleettwin.rollup_due (rollup, site, bucket) values ('node_1m', 'memphis', %s)", [moment_of(T0)]
        )
        sink.roll_up(Instant(NEXT))
        assert minutes(look) == computed


def another_writer(sink: TimescaleSink, address: str) -> None:
    sink.write(frames(T0))
    with TimescaleSink(address, "fleettwin") as other:
        other.write(RowBatch(nodes=[nodes(tick=T0 + 10_000, names=["n7"])]))
    sink.write(frames(T0 + 20_000))


def a_successor(sink: TimescaleSink, address: str) -> None:
    with TimescaleSink(address, "fleettwin") as before:
        before.write(frames(T0))
    sink.write(frames(T0 + 10_000))


def a_repeat(sink: TimescaleSink, _: str) -> None:
    sink.write(frames(T0))
    sink.write(frames(T0))
    sink.write(frames(T0 + 10_000))


def nodes_that_change_all_the_time(sink: TimescaleSink, _: str) -> None:
    for second in range(20):
        sink.write(RowBatch(nodes=[nodes(tick=T0 + second * 1000, names=[f"n{second}"])]))


def a_node_whose_state_is_not_known(sink: TimescaleSink, _: str) -> None:
    sink.write(frames(T0))
    sink.write(RowBatch(nodes=[node_frame("memphis", T0 + 10_000, {"node": NAMES, "state": [None, 1]})]))


def watts_beyond_all_measure(sink: TimescaleSink, _: str) -> None:
    sink.write(RowBatch(nodes=[frame(T0, watts=2**39 + 1)]))
    sink.write(frames(T0 + 10_000))


def somebody_quicker(sink: TimescaleSink, address: str) -> None:
    sink.write(frames(T0, T0 + 10_000))
    with TimescaleSink(address, "fleettwin") as other:
        other.roll_up(Instant(NEXT))


LEFT = (
    another_writer,
    a_successor,
    a_repeat,
    nodes_that_change_all_the_time,
    a_node_whose_state_is_not_known,
    watts_beyond_all_measure,
    somebody_quicker,
)


@pytest.mark.servers
@pytest.mark.parametrize("story", LEFT, ids=[story.__name__.replace("_", "-") for story in LEFT])
def test_a_minute_that_is_not_wholly_known_is_left_to_the_database(
    database_url: str, story: Callable[[TimescaleSink, str], None]
) -> None:
    with opened(database_url) as (sink, look):
        story(sink, database_url)
        before = minutes(look)
        sink.write(frames(NEXT))

        assert minutes(look) == before
        sink.roll_up(Instant(NEXT))
        assert minutes(look) == right_minutes(look)
        assert due_minutes(look) == [("memphis", moment_of(NEXT))]

        sink.write(frames(NEXT + MINUTE))
        assert minutes(look) == right_minutes(look, NEXT + MINUTE), "the next minute is the writer's again"


@pytest.mark.servers
def test_a_late_frame_has_its_minute_computed_anew(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        sink.write(frames(T0, T0 + 10_000))
        sink.write(frames(NEXT))
        sink.write(frames(T0 + 20_000, NEXT + 10_000))

        assert due_minutes(look) == [("memphis", moment_of(T0)), ("memphis", moment_of(NEXT))]
        sink.roll_up(Instant(NEXT))
        assert minutes(look) == right_minutes(look)

        sink.write(frames(T0 + 30_000))
        sink.roll_up(Instant(NEXT))
        sink.write(frames(NEXT + MINUTE))
        assert minutes(look) == right_minutes(look, NEXT + MINUTE), "the minute after it is the writer's all the same"


def test_what_was_not_written_is_not_counted() -> None:
    open_minutes = NodeMinutes()
    open_minutes.keep(open_minutes.followed([frame(T0)], {"memphis": None}))
    for _ in range(2):  # the database did not take it at first
        followed = open_minutes.followed([frame(T0 + 10_000)], {"memphis": Instant(T0)})
    open_minutes.keep(followed)
    (ended,) = open_minutes.followed([frame(NEXT)], {"memphis": Instant(T0 + 10_000)}).ended

    assert ended.parts is not None
    assert (ended.begin, ended.marks, ended.parts[0].frames) == (T0, 2, 2)


@pytest.mark.servers
def test_those_who_roll_up_leave_the_newest_minutes_to_their_writer(database_url: str) -> None:
    with opened(database_url) as (sink, look):
        sink.write(frames(T0))
        assert sink.roll_up_some(Instant(NEXT), 25_000) == 0
        assert sink.roll_up_some(Instant(NEXT + 25_000), 25_000) == 1

        assert minutes(look) == right_minutes(look)
        assert sink.roll_up_some(Instant(T0 + HOUR), 25_000) == 0
        assert sink.roll_up_some(Instant(T0 + HOUR + 25_000), 25_000) == 1


def test_no_more_frames_are_added_up_than_sums_have_room_for() -> None:
    minute = Minute("memphis", Instant(T0), 0, {})
    for number in range(MOST_FRAMES):
        minute = minute.with_frame(frame(T0 + number))

    assert minute.parts is not None
    assert minute.with_frame(frame(T0 + MOST_FRAMES)).parts is None


def test_a_frame_without_nodes_has_no_rows() -> None:
    sums = NodeSums.of(nodes(names=()))

    assert sums is not None
    assert bytes(sums.rows(T0, "memphis")) == b""
