"""What people see of a site: nodes in any order, filtered, page by page, and racks; all as of its last closed tick."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.console import NodeView
from models.instants import moment_of
from models.sample import SiteSample
from tests.builders import CATALOGUE, SITE, T0, Row, clock, folded, frame, row, samples_of
from twin.looking import NodeFilter, NodeOrder, find_node, nodes_page, racks
from twin.rules import Rules
from twin.site import SiteTwin
from twin.telemetry import TelemetryMachine

RULES = Rules(idle_after=2000)


def seen(rows: list[Row]) -> tuple[SiteTwin, SiteSample]:
    """The twin of a site that heard these readings, at the close of the tick T0, and its sample of then."""
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
    first = min(one["at"] for one in rows) - 1000
    outputs = folded(machine, [clock(first + RULES.grace), frame(rows), clock(T0 + RULES.grace)])
    return machine.sites[SITE], samples_of(outputs)[-1]


def node(**said: Any) -> NodeView:
    found = find_node(seen([row("n", **said)])[0], "n")
    assert found is not None
    return found


def names(rows: list[Row], order: NodeOrder = NodeOrder.NAME, only: NodeFilter = NodeFilter.ALL) -> list[str]:
    page = nodes_page(seen(rows)[0], offset=0, limit=100, order=order, only=only)
    assert page.total == len(page.nodes)
    return [node.node for node in page.nodes]


def test_a_node_is_shown_with_all_that_it_said() -> None:
    said: Row = {
        "rack": "r7",
        "allocated": 3,
        "power_watts": 5000.5,
        "utilization": 0.5,
        "memory_used_bytes": 2**40,
        "temperature_celsius": 61.5,
        "state": "draining",
        "accelerator_utilization": [0.25, None] * 4,
        "accelerator_power_watts": [600.5] * 8,
        "accelerator_memory_used_bytes": [2**37] * 8,
        "accelerator_temperature_celsius": [61.5] * 8,
    }

    assert node(at=T0 - 10, in_service=7, **said).model_dump() == {
        "site": SITE,
        "node": "n",
        "rack": "r7",
        "type": "h100-sxm",
        "heard_at": moment_of(T0 - 10),
        "hearing": "reporting",
        "state": "draining",
        "installed": 8,
        "in_service": 7,
        "allocated": 3,
        "power_watts": 5000.5,
        "power_source": "measured",
        "utilization": 0.5,
        "memory_used_bytes": 2**40,
        "temperature_celsius": 61.5,
        "energy_joules": 0,
        "idle_since": None,
        "accelerators": {
            "utilization": (0.25, None) * 4,
            "power_watts": (600.5,) * 8,
            "memory_used_bytes": (2**37,) * 8,
            "temperature_celsius": (61.5,) * 8,
        },
    }


def test_what_a_node_does_not_say_is_unknown() -> None:
    unsaid = {name for name, value in node() if value is None}

    assert unsaid == {
        *("rack", "allocated", "power_watts", "utilization", "memory_used_bytes", "temperature_celsius"),
        *("idle_since", "accelerators"),
    }
    assert node().power_source == "unknown"


def test_a_measure_that_no_accelerator_says_is_unknown() -> None:
    accelerators = node(accelerator_power_watts=[1.0] * 8, accelerator_utilization=[None] * 8).accelerators

    assert accelerators is not None
    assert accelerators.power_watts == (1.0,) * 8
    assert accelerators.utilization is accelerators.memory_used_bytes is accelerators.temperature_celsius is None


@pytest.mark.parametrize(
    ("age", "hearing", "watts", "source"),
    [
        pytest.param(15_000, "reporting", 5.0, "measured", id="reporting"),
        pytest.param(15_001, "stale", 5.0, "carried", id="stale"),
        pytest.param(60_001, "lost", None, "unknown", id="lost"),
    ],
)
def test_a_nodes_word_is_as_old_as_at_the_last_closed_tick(
    age: int, hearing: str, watts: float | None, source: str
) -> None:
    found = node(at=T0 - age, power_watts=5.0)

    assert (found.hearing, found.power_watts, found.power_source) == (hearing, watts, source)


def test_a_restored_machine_shows_what_the_one_before_did() -> None:
    rows = [row("n", T0 - 14_000, power_watts=5.0, accelerator_power_watts=[0.5] * 8)]
    before, after = TelemetryMachine(0, 1, RULES, CATALOGUE), TelemetryMachine(0, 1, RULES, CATALOGUE)
    folded(before, [clock(T0 - 15_000), frame(rows), clock(T0 + 2000 + RULES.grace)])
    after.restore(before.snapshot())
    shown = [find_node(machine.sites[SITE], "n") for machine in (before, after)]

    assert shown[0] == shown[1]
    assert shown[0] is not None
    assert shown[0].hearing == "stale"


@pytest.mark.parametrize("name", ["nobody", "held"])
def test_a_node_that_was_not_heard_up_to_the_last_closed_tick_is_not_found(name: str) -> None:
    site, _ = seen([row("n"), row("held", T0 + 1)])

    assert find_node(site, name) is None
    assert [found.node for found in page_of(site, 0, 100)] == ["n"]


def page_of(site: SiteTwin, offset: int, limit: int) -> tuple[NodeView, ...]:
    return nodes_page(site, offset=offset, limit=limit, order=NodeOrder.NAME, only=NodeFilter.ALL).nodes


UNEQUAL = [
    row("a", power_watts=10.0, utilization=0.2, temperature_celsius=50.0),
    row("c"),
    row("b", power_watts=30.0, utilization=0.2, temperature_celsius=-5.0),
    row("d", power_watts=20.0, utilization=0.1, temperature_celsius=60.0),
]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        pytest.param(NodeOrder.NAME, "abcd", id="by-name"),
        pytest.param(NodeOrder.POWER, "bdac", id="highest-watts-first-and-unknown-last"),
        pytest.param(NodeOrder.UTILIZATION, "dabc", id="least-busy-first-equals-by-name-unknown-last"),
        pytest.param(NodeOrder.TEMPERATURE, "dabc", id="hottest-first-unknown-last"),
    ],
)
def test_nodes_stand_in_the_order_asked_for(order: NodeOrder, expected: str) -> None:
    assert "".join(names(UNEQUAL, order)) == expected


def test_the_watts_of_a_lost_node_are_unknown_and_stand_last() -> None:
    assert names([row("a", T0 - 61_000, power_watts=9.0), row("b", power_watts=1.0)], NodeOrder.POWER) == ["b", "a"]


def test_pages_follow_one_another() -> None:
    site, _ = seen([row(f"n{number:02}") for number in range(25)])
    pages = [page_of(site, offset, 10) for offset in (0, 10, 20, 30)]

    assert [found.node for page in pages for found in page] == [f"n{number:02}" for number in range(25)]
    assert [len(page) for page in pages] == [10, 10, 5, 0]


def test_nodes_that_come_later_find_their_place() -> None:
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
    folded(machine, [clock(T0 - 1000), frame([row("b")]), clock(T0 + RULES.grace)])
    assert [found.node for found in page_of(machine.sites[SITE], 0, 9)] == ["b"]
    folded(machine, [frame([row("a", T0 + 1000), row("c", T0 + 1000)]), clock(T0 + 1000 + RULES.grace)])

    assert [found.node for found in page_of(machine.sites[SITE], 0, 9)] == ["a", "b", "c"]


NODES = st.lists(
    st.fixed_dictionaries(
        {
            "age": st.sampled_from((0, 15_001, 60_001)),
            "rack": st.sampled_from((None, "r1", "r2")),
            "state": st.sampled_from(("in_service", "draining", "maintenance", "failed")),
            "allocated": st.sampled_from((None, 0, 8)),
            "utilization": st.sampled_from((None, 0.0, 0.5)),
            "power_watts": st.sampled_from((None, 1000.0, 2500.5)),
        }
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(nodes=NODES)
def test_what_is_shown_adds_up_to_the_sites_sample(nodes: list[Row]) -> None:
    rows = []
    for number, said in enumerate(nodes):
        last = T0 - said["age"]
        rest = {name: value for name, value in said.items() if name != "age"}
        rows += [row(f"n{number}", at, **rest) for at in range(last - 3000, last + 1, 1000)]
    site, sample = seen(rows)
    (pool,) = sample.pools
    pages = {only: nodes_page(site, offset=0, limit=9, order=NodeOrder.NAME, only=only) for only in NodeFilter}
    counts, shown = sample.nodes, racks(site)

    assert pages[NodeFilter.ALL].total == sum(rack.nodes for rack in shown) == len(nodes)
    assert pages[NodeFilter.NOT_REPORTING].total == counts.stale + counts.lost == sum(r.not_reporting for r in shown)
    assert pages[NodeFilter.NOT_IN_SERVICE].total == counts.draining + counts.maintenance + counts.failed
    assert sum(found.allocated or 0 for found in pages[NodeFilter.IDLE].nodes) == pool.held_idle
    watts = pytest.approx(sample.power.total / 1000)
    assert sum(found.power_watts or 0 for found in pages[NodeFilter.ALL].nodes) == watts
    assert sum(rack.power_watts for rack in shown) == watts


def test_racks_stand_by_name_and_what_names_none_last() -> None:
    rows = [
        row("a", rack="r2", power_watts=1.5, utilization=0.5),
        row("b", utilization=1.0),
        row("c", rack="r1", power_watts=2.5),
        row("d", rack="r2", power_watts=3.5, utilization=1.0, in_service=4),
        row("e", T0 - 61_000, rack="r2", power_watts=9.0, utilization=0.1),
    ]
    shown = [
        (rack.rack, rack.nodes, rack.not_reporting, rack.power_watts, rack.utilization) for rack in racks(seen(rows)[0])
    ]
    modelled = node(utilization=1.0).power_watts

    assert shown == [
        ("r1", 1, 0, 2.5, None),
        ("r2", 3, 1, 5.0, (8 * 0.5 + 4 * 1.0) / 12),
        (None, 1, 0, modelled, 1.0),
    ]
