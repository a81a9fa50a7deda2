"""The order of records within the grace, how frames are cut, what is sent twice: none of it shows in what is said."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.record import Record
from models.topics import NODES
from tests.builders import (
    CATALOGUE,
    T0,
    Row,
    clock,
    folded,
    frame,
    json_reading,
    of_each,
    row,
    samples_of,
    without_intake,
)
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

RULES = Rules(stale_after=3000, lost_after=6000, node_interval=2000, idle_after=2000)
SECONDS = 12

LISTS = {
    "utilization": st.sampled_from((None, (0.0,), (0.25, 1.0), (None, 0.5))),
    "power_watts": st.sampled_from((None, (400.0,), (None, 700.5), (None,))),
    "memory_used_bytes": st.sampled_from((None, (2**36, 0, None))),
    "temperature_celsius": st.sampled_from((None, (61.5, -3.0))),
}
SILENT_OF_EACH = st.fixed_dictionaries(dict.fromkeys(LISTS, st.none()))
ROWS = st.builds(
    lambda node, rack, at, sequence, installed, lists, said: row(
        node,
        T0 + at,
        sequence,
        rack=rack,
        installed=installed,
        in_service=installed,
        **of_each(installed, **lists),
        **said,
    ),
    node=st.sampled_from(("a", "b", "c", "d")),
    rack=st.sampled_from(("r1", "r2", "r3")),
    at=st.integers(0, (SECONDS - 2) * 1000),
    sequence=st.integers(0, 2),
    installed=st.sampled_from((8, 8, 4, 16)),
    lists=SILENT_OF_EACH | st.fixed_dictionaries(LISTS),
    said=st.fixed_dictionaries(
        {
            "type": st.sampled_from(("h100-sxm", "h200-sxm")),
            "allocated": st.sampled_from((None, 0, 4)),
            "power_watts": st.sampled_from((None, 1000.0, 2500.0, 6000.0)),
            "utilization": st.sampled_from((None, 0.0, 0.5, 1.0)),
            "state": st.sampled_from(("in_service", "draining", "failed")),
        }
    ),
)
SITES = st.dictionaries(
    st.sampled_from(("memphis", "abilene")), st.lists(ROWS, min_size=1, max_size=15), min_size=1, max_size=2
)


@dataclass
class Told:
    """What a telemetry machine says of its sites."""

    samples: list[dict[str, Any]]
    frames: list[tuple[str, bytes | None]]
    digests: dict[str, str]


def told(records: list[Record]) -> Told:
    """The readings first, or among the clocks: never later than the grace."""
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
    outputs = folded(machine, [clock(T0 - 1000 + RULES.grace), *records, clock(T0 + SECONDS * 1000 + RULES.grace)])
    frames = [(output.identity, output.value) for output in outputs if output.topic == NODES]
    return Told(without_intake(samples_of(outputs)), frames, machine.digests())


def in_order(sites: dict[str, list[Row]]) -> Told:
    return told([frame(rows, site) for site, rows in sites.items()])


@settings(max_examples=40, deadline=None)
@given(sites=SITES, random=st.randoms(use_true_random=False))
def test_records_may_come_in_any_order_cut_in_any_way(sites: dict[str, list[Row]], random: Random) -> None:
    records = []
    for site, rows in sites.items():
        mixed = random.sample(rows, len(rows))
        cuts = sorted({0, len(mixed), *random.choices(range(len(mixed) + 1), k=3)})
        records += [frame(mixed[begin:end], site) for begin, end in pairwise(cuts)]
    random.shuffle(records)

    assert told(records) == in_order(sites)


@settings(max_examples=40, deadline=None)
@given(sites=SITES, random=st.randoms(use_true_random=False))
def test_readings_may_come_within_the_grace_of_their_tick_among_the_clocks(
    sites: dict[str, list[Row]], random: Random
) -> None:
    """A record that is sent less than the grace after its tick is in time."""
    sent = [
        (-(-one["at"] // 1000) * 1000 + random.randrange(-900, RULES.grace), frame([one], site))
        for site, rows in sites.items()
        for one in rows
    ]
    sent += [(T0 + second * 100, clock(T0 + second * 100)) for second in range(SECONDS * 10)]

    assert told([one for _, one in sorted(sent, key=lambda place: place[0])]) == in_order(sites)


@settings(max_examples=25, deadline=None)
@given(sites=SITES)
def test_json_readings_say_what_frames_say(sites: dict[str, list[Row]]) -> None:
    assert told([json_reading(one, site) for site, rows in sites.items() for one in rows]) == in_order(sites)


@settings(max_examples=25, deadline=None)
@given(sites=SITES, random=st.randoms(use_true_random=False))
def test_duplicates_change_nothing(sites: dict[str, list[Row]], random: Random) -> None:
    records = [frame(rows, site) for site, rows in sites.items()]
    records += [frame(random.choices(rows, k=5), site) for site, rows in sites.items()]

    assert told(records) == in_order(sites)


@settings(max_examples=25, deadline=None)
@given(sites=SITES, random=st.randoms(use_true_random=False))
def test_not_even_those_that_are_still_held_when_the_log_ends(sites: dict[str, list[Row]], random: Random) -> None:
    def digests(*again: Record) -> dict[str, str]:
        machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
        once = [frame(rows, site) for site, rows in sites.items()]
        folded(machine, [clock(T0 - 1000), *once, clock(T0 + SECONDS * 1000 + RULES.grace), *again])
        return machine.digests()

    assert digests(*(frame(random.choices(rows, k=5), site) for site, rows in sites.items())) == digests()
    assert digests(frame([row("a", T0 + SECONDS * 1000 + 1)], min(sites))) != digests()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"power_watts": 1000.0}, {"power_watts": 2000.0}, id="watts"),
        pytest.param({"rack": "r2"}, {"rack": "r1"}, id="rack"),
        pytest.param({"type": "h100-sxm"}, {"type": "h200-sxm"}, id="type"),
        pytest.param({"installed": 4, "in_service": 4}, {}, id="installed"),
        pytest.param({"state": "draining"}, {"state": "failed"}, id="state"),
        pytest.param(of_each(8, utilization=(0.5, 1.0)), of_each(8, utilization=(1.0, 0.5)), id="each-accelerator"),
        pytest.param(of_each(8, power_watts=(1.0, None)), of_each(8, power_watts=(1.0,)), id="one-more-accelerator"),
        pytest.param(of_each(8, power_watts=(1.0,)), {}, id="any-accelerator"),
    ],
)
def test_two_readings_of_one_instant_and_sequence_are_resolved_alike_whatever_the_order(one: Row, other: Row) -> None:
    first, second = frame([row(**one)]), frame([row(**other)])

    assert told([first, second]) == told([second, first])


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        pytest.param(row(at=T0 + 1, sequence=9), row(at=T0 + 2, sequence=0), id="the-later-instant"),
        pytest.param(row(at=T0 + 1, sequence=1), row(at=T0 + 1, sequence=2), id="then-the-higher-sequence"),
    ],
)
def test_the_newest_reading_of_a_node_wins(older: Row, newer: Row) -> None:
    older, newer = older | {"power_watts": 1000.0}, newer | {"power_watts": 2000.0}

    assert told([frame([newer, older])]).samples[-1]["power"]["carried"] == 0
    assert {
        samples_of(
            folded(
                TelemetryMachine(0, 1, RULES, CATALOGUE),
                [clock(T0 + RULES.grace), *records, clock(T0 + 1000 + RULES.grace)],
            )
        )[-1].power.measured
        for records in ([frame([older]), frame([newer])], [frame([newer]), frame([older])])
    } == {2_000_000}
