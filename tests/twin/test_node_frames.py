"""Node frames: every node of a site as the twin holds it, at the ticks that are for it."""

from __future__ import annotations

from typing import Any

import pytest

from models.node_frame import ADDED, Hearing, NodeFrame, PowerSource, read_node_frame
from models.record import Record
from models.topics import NODES
from tests.builders import CATALOGUE, T0, Row, clock, folded, frame, of_each, row
from twin.node_frames import are_due
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

RULES = Rules()
INTERVAL = RULES.node_interval
SITE = "osaka"
"""Its frames are due at T0."""


def frame_of(rows: list[Row]) -> Record:
    return frame(rows, SITE)


def frames_of(rows: list[Row], first: int = T0, last: int = T0) -> list[NodeFrame]:
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
    records = [frame_of(rows), clock(first - 1000 + RULES.grace), clock(last + RULES.grace)]
    return [read_node_frame(output.value or b"") for output in folded(machine, records) if output.topic == NODES]


def nodes_of(rows: list[Row]) -> list[dict[str, Any]]:
    return [node for frame in frames_of(rows) for node in frame.batch.to_pylist()]


def test_frames_come_once_in_their_interval() -> None:
    frames = frames_of([row()], T0 - INTERVAL + 1000, T0 + 3 * INTERVAL - 1000)

    assert [frame.identity for frame in frames] == [f"{SITE}@{T0 + many * INTERVAL}/0" for many in (0, 1, 2)]


def test_sites_share_the_interval_between_them() -> None:
    ticks = range(T0, T0 + INTERVAL, RULES.tick)
    due = [[tick for tick in ticks if are_due(f"site-{number:03}", tick, RULES)] for number in range(200)]

    assert {len(one) for one in due} == {1}
    assert all(10 <= sum(tick in one for one in due) <= 30 for tick in ticks)


@pytest.mark.parametrize(("tick", "interval"), [(1000, 1000), (60_000, 1000), (1000, 1500)])
def test_frames_of_a_short_interval_come_where_ticks_meet_it(tick: int, interval: int) -> None:
    rules = Rules(tick=tick, node_interval=interval)

    assert [at for at in range(T0, T0 + 2 * tick * interval, tick) if are_due(SITE, at, rules)] == [
        at for at in range(T0, T0 + 2 * tick * interval, tick) if at % interval == 0
    ]


def test_a_node_is_told_with_all_that_it_said() -> None:
    said: Row = {
        "rack": "r7",
        "allocated": 3,
        "power_watts": 5000.5,
        "utilization": 0.5,
        "memory_used_bytes": 2**40,
        "temperature_celsius": 61.5,
        "state": "draining",
    }

    assert nodes_of([row("n", T0 - 10, in_service=7, **said)]) == [
        {
            "node": "n",
            "rack": "r7",
            "type": "h100-sxm",
            "at": T0 - 10,
            "hearing": Hearing.REPORTING,
            "state": 1,
            "installed": 8,
            "in_service": 7,
            "allocated": 3,
            "power_milliwatts": 5_000_500,
            "power_source": PowerSource.MEASURED,
            "utilization_ppm": 500_000,
            "memory_used_bytes": 2**40,
            "temperature_millicelsius": 61_500,
            "energy_joules": 0,
            **dict.fromkeys(ADDED),
        }
    ]


def test_what_a_node_does_not_say_is_null() -> None:
    (node,) = nodes_of([row()])
    unsaid = {"allocated", "power_milliwatts", "utilization_ppm", "memory_used_bytes", "temperature_millicelsius"}
    unsaid |= set(ADDED)

    assert {name for name, value in node.items() if value is None} == unsaid


OF_EACH = {
    "utilization": ("accelerator_utilization_ppm", 1_000_000),
    "power_watts": ("accelerator_power_milliwatts", 1000),
    "memory_used_bytes": ("accelerator_memory_used_bytes", 1),
    "temperature_celsius": ("accelerator_temperature_millicelsius", 1000),
}


def lists_of(rows: list[Row]) -> list[dict[str, Any]]:
    return [{name: value for name, value in node.items() if name in ADDED} for node in nodes_of(rows)]


@pytest.mark.parametrize("measure", OF_EACH)
@pytest.mark.parametrize("values", [pytest.param((0, 1), id="all"), pytest.param((1, None), id="some")])
def test_a_node_that_tells_each_accelerator_is_told_with_each(measure: str, values: tuple[float | None, ...]) -> None:
    name, scale = OF_EACH[measure]
    expected = [None if value is None else value * scale for value in values * 4]

    assert lists_of([row("a"), row("b", **of_each(8, **{measure: values})), row("c")]) == [
        dict.fromkeys(ADDED),
        dict.fromkeys(ADDED) | {name: expected},
        dict.fromkeys(ADDED),
    ]


def test_a_list_in_which_nothing_is_known_is_no_list() -> None:
    lists = of_each(8, power_watts=(None,), utilization=(0.5,))

    assert lists_of([row(**lists)]) == lists_of([row(**lists | {"accelerator_power_watts": None})])


def test_nodes_may_have_different_numbers_of_accelerators() -> None:
    sizes = {"a": 1, "b": 16, "c": 8, "d": 1024}
    rows = [
        row(node, installed=size, in_service=size, **of_each(size, memory_used_bytes=range(size)))
        for node, size in sizes.items()
    ]

    assert [node["accelerator_memory_used_bytes"] for node in lists_of(rows)] == [
        list(range(size)) for size in sizes.values()
    ]


@pytest.mark.parametrize(
    "newer",
    [
        pytest.param({}, id="none"),
        pytest.param(of_each(8, temperature_celsius=(50.0,)), id="another-measure"),
        pytest.param({"installed": 4, "in_service": 4} | of_each(4, utilization=(0.5,)), id="fewer-accelerators"),
        pytest.param({"installed": 16, "in_service": 16} | of_each(16, utilization=(0.5,)), id="more-accelerators"),
    ],
)
def test_what_the_newest_reading_does_not_say_of_accelerators_is_unknown(newer: Row) -> None:
    older = row(at=T0 - 2000, **of_each(8, utilization=(1.0,), power_watts=(1.0,)))
    other = row("z", at=T0 - 2000, **of_each(8, utilization=(0.25,)))

    assert lists_of([older, other, row(**newer), row("z", T0, **of_each(8))]) == [
        *lists_of([row(**newer)]),
        dict.fromkeys(ADDED),
    ]


def test_nodes_may_say_different_measures() -> None:
    rows = [row("a", **of_each(8, utilization=(0.5,))), row("b", **of_each(8, power_watts=(1.0, 2.0)))]

    assert lists_of(rows) == [*lists_of(rows[:1]), *lists_of(rows[1:])]
    assert lists_of(rows[1:])[0]["accelerator_power_milliwatts"] == [1000, 2000] * 4


def test_what_a_node_said_of_accelerators_stands_while_others_come_that_have_more() -> None:
    older = row("a", T0 - 2000, **of_each(8, utilization=(1.0,)))
    newer = [
        row(f"b{size}", T0, installed=size, in_service=size, **of_each(size, utilization=(0.5,))) for size in (16, 4)
    ]

    assert lists_of([older, *newer])[0] == lists_of([older])[0]


def test_a_frame_without_lists_says_nothing_of_accelerators() -> None:
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
    lists = of_each(8, utilization=(1.0,))
    records = [
        clock(T0 - 3000),
        frame_of([row("a", T0 - 2000, **lists), row("b", T0 - 2000, **lists)]),
        clock(T0 - 1000 + RULES.grace),
        frame_of([row("b", T0), row("c", T0)]),
        clock(T0 + RULES.grace),
    ]
    (last,) = (output.value for output in folded(machine, records) if output.topic == NODES)
    told = read_node_frame(last or b"").batch.to_pydict()

    assert told["accelerator_utilization_ppm"] == [[1_000_000] * 8, None, None]


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        pytest.param("utilization", [0.5] * 7, id="too-few-values"),
        pytest.param("power_watts", [1.0] * 7 + [-1.0], id="a-value-out-of-range"),
    ],
)
def test_a_reading_with_a_wrong_list_says_nothing_at_all(name: str, bad: list[float]) -> None:
    older = row(at=T0 - 1000, **of_each(8, utilization=(0.25,)))
    wrong = row(**of_each(8, utilization=(1.0,)) | {f"accelerator_{name}": bad})

    assert lists_of([older, wrong, row("z", **of_each(8, utilization=(0.5,)))]) == [
        *lists_of([older]),
        *lists_of([row("z", **of_each(8, utilization=(0.5,)))]),
    ]


@pytest.mark.parametrize(
    ("age", "said", "source"),
    [
        pytest.param(0, {"power_watts": 1.0}, PowerSource.MEASURED, id="measured"),
        pytest.param(0, {"utilization": 0.5}, PowerSource.MODELLED, id="modelled"),
        pytest.param(0, {}, PowerSource.UNKNOWN, id="unknown"),
        pytest.param(20_000, {"power_watts": 1.0}, PowerSource.CARRIED, id="stale"),
        pytest.param(20_000, {}, PowerSource.UNKNOWN, id="stale-and-unknown"),
        pytest.param(61_000, {"power_watts": 1.0}, PowerSource.UNKNOWN, id="lost"),
    ],
)
def test_watts_say_how_they_are_known(age: int, said: Row, source: PowerSource) -> None:
    (node,) = nodes_of([row(at=T0 - age, **said)])

    assert node["power_source"] == source
    assert (node["power_milliwatts"] is None) == (source is PowerSource.UNKNOWN)


@pytest.mark.parametrize(
    ("age", "told"),
    [
        pytest.param(RULES.lost_after + INTERVAL - 1, 1, id="lost-since-the-frame-before"),
        pytest.param(RULES.lost_after + INTERVAL, 0, id="lost-for-longer"),
    ],
)
def test_a_lost_node_is_told_once_more(age: int, told: int) -> None:
    assert [node["hearing"] for node in nodes_of([row(at=T0 - age)])] == [Hearing.LOST] * told


def test_nodes_stand_in_the_order_of_their_names() -> None:
    assert [node["node"] for node in nodes_of([row("b"), row("a"), row("c")])] == ["a", "b", "c"]


def test_a_large_site_comes_in_parts() -> None:
    frames = frames_of([row(f"n{number:04}") for number in range(5000)])

    assert [(frame.part, frame.batch.num_rows) for frame in frames] == [(0, 4096), (1, 904)]


def test_a_site_of_many_accelerators_comes_in_parts_that_fit_into_a_record() -> None:
    """Forty nodes of 1,024 and one of eight, then as many again: whole nodes up to 65,536 accelerators a frame."""
    sizes = [1024] * 40 + [8] + [1024] * 40
    rows = [
        row(f"n{number:02}", installed=size, in_service=size, **of_each(size, utilization=(0.25, 0.75)))
        for number, size in enumerate(sizes)
    ]
    frames = frames_of(rows)
    told = [len(node) for frame in frames for node in frame.batch.to_pydict()["accelerator_utilization_ppm"]]

    assert [(frame.part, frame.batch.num_rows) for frame in frames] == [(0, 64), (1, 17)]
    assert told == sizes


def test_a_site_may_have_more_racks_than_a_frame_can_number() -> None:
    racks = 33_000
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
    half = [[row(f"n{i:05}", rack=f"r{i:05}") for i in range(begin, racks, 2)] for begin in (1, 0)]
    records = [*map(frame_of, half), clock(T0 - 1000 + RULES.grace), clock(T0 + RULES.grace)]
    values = [output.value or b"" for output in folded(machine, records) if output.topic == NODES]
    racks_told = [node["rack"] for value in values for node in read_node_frame(value).batch.to_pylist()]

    assert racks_told == [f"r{i:05}" for i in range(racks)]
