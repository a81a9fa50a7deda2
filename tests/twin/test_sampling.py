"""What a sample says of nodes by how lately they were heard, and of their accelerators and watts."""

from __future__ import annotations

from typing import Any

import pytest

from models.sample import Pool, SiteSample
from tests.builders import CATALOGUE, T0, Row, clock, folded, frame, row, samples_of
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

RULES = Rules()


def sampled(rows: list[Row], tick: int = T0) -> SiteSample:
    machine = TelemetryMachine(0, 1, RULES, CATALOGUE)
    records = [frame(rows), clock(tick - 1000 + RULES.grace), clock(tick + RULES.grace)]
    return samples_of(folded(machine, records))[-1]


def pool_of(rows: list[Row], tick: int = T0) -> Pool:
    (pool,) = sampled(rows, tick).pools
    return pool


@pytest.mark.parametrize(
    ("age", "heard"),
    [
        pytest.param(0, "reporting", id="just-heard"),
        pytest.param(RULES.stale_after, "reporting", id="exactly-as-old-as-may-be"),
        pytest.param(RULES.stale_after + 1, "stale", id="one-millisecond-older"),
        pytest.param(RULES.lost_after, "stale", id="exactly-as-old-as-stale-may-be"),
        pytest.param(RULES.lost_after + 1, "lost", id="one-millisecond-too-old"),
    ],
)
def test_a_node_is_reporting_then_stale_then_lost(age: int, heard: str) -> None:
    nodes = sampled([row(at=T0 - age)]).nodes

    assert {name for name in ("reporting", "stale", "lost") if getattr(nodes, name)} == {heard}


@pytest.mark.parametrize(
    ("age", "said", "power"),
    [
        pytest.param(0, {"power_watts": 5000.0}, (5_000_000, 0, 0, 0), id="measured"),
        pytest.param(0, {"utilization": 1.0}, (0, 10_200_000, 0, 0), id="modelled"),
        pytest.param(0, {"power_watts": 5000.0, "utilization": 1.0}, (5_000_000, 0, 0, 0), id="measured-first"),
        pytest.param(0, {}, (0, 0, 0, 1), id="unknown-is-counted-and-in-no-sum"),
        pytest.param(20_000, {"power_watts": 5000.0}, (0, 0, 5_000_000, 0), id="stale-measured-is-carried"),
        pytest.param(20_000, {"utilization": 1.0}, (0, 0, 10_200_000, 0), id="stale-modelled-is-carried"),
        pytest.param(20_000, {}, (0, 0, 0, 1), id="stale-and-unknown"),
        pytest.param(70_000, {"power_watts": 5000.0}, (0, 0, 0, 0), id="lost-is-in-no-sum"),
    ],
)
def test_watts_are_told_apart_by_how_they_are_known(age: int, said: Row, power: tuple[int, ...]) -> None:
    found = sampled([row(at=T0 - age, **said)]).power

    assert (found.measured, found.modelled, found.carried, found.unknown_nodes) == power


ZERO: dict[str, Any] = dict.fromkeys(("installed", "in_service", "allocated", "free", "allocation_unknown", "lost"), 0)


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        pytest.param(row(allocated=3), {"in_service": 8, "allocated": 3, "free": 5}, id="in-service"),
        pytest.param(row(in_service=6, allocated=3), {"in_service": 6, "allocated": 3, "free": 3}, id="some-out"),
        pytest.param(row(in_service=2, allocated=3), {"in_service": 2, "allocated": 3}, id="more-bound-than-usable"),
        pytest.param(row(), {"in_service": 8, "allocation_unknown": 8}, id="unknown-is-neither-free-nor-allocated"),
        pytest.param(row(allocated=3, state="draining"), {"allocated": 3}, id="draining-is-not-in-service"),
        pytest.param(row(allocated=3, state="maintenance"), {"allocated": 3}, id="nor-maintenance"),
        pytest.param(row(allocated=3, state="failed"), {"allocated": 3}, id="nor-failed"),
        pytest.param(row(at=T0 - 20_000, allocated=3), {"in_service": 8, "allocated": 3}, id="stale-is-not-free"),
        pytest.param(row(at=T0 - 70_000, allocated=3), {"installed": 0, "lost": 8}, id="lost-is-only-lost"),
    ],
)
def test_accelerators_are_counted_once_each_by_what_is_known(one: Row, counts: dict[str, int]) -> None:
    found = pool_of([one])

    assert {name: getattr(found, name) for name in ZERO} == ZERO | {"installed": 8} | counts


def test_free_accelerators_per_node_add_up_and_leave_out_nodes_with_none_in_service() -> None:
    bound = (0, 0, 3, 8, 8, 8)
    nodes = [row(f"n{number}", allocated=allocated) for number, allocated in enumerate(bound)]
    found = pool_of([*nodes, row("off", in_service=0, allocated=0), row("drained", state="draining", allocated=0)])

    assert found.free_per_node == (3, 0, 0, 0, 0, 1, 0, 0, 2)
    assert sum(free * many for free, many in enumerate(found.free_per_node)) == found.free == 21


def idling(seconds: int, every: int = 10, **said: Any) -> list[Row]:
    rows = [{"allocated": 8, "utilization": 0.049} | said for _ in range(0, seconds + 1, every)]
    return [row(at=T0 - (seconds - i * every) * 1000, sequence=i, **one) for i, one in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "held"),
    [
        pytest.param(idling(290), 0, id="not-for-long-enough"),
        pytest.param(idling(300), 8, id="exactly-so-long"),
        pytest.param(idling(300, utilization=0.05), 0, id="exactly-the-utilisation-is-not-idle"),
        pytest.param(idling(300, allocated=0), 0, id="not-allocated"),
        pytest.param(idling(300, utilization=None), 0, id="utilisation-unknown"),
        pytest.param(
            [*idling(300)[:15], row(at=T0 - 150_000, sequence=15, allocated=8, utilization=1.0), *idling(300)[16:]],
            0,
            id="busy-in-between",
        ),
        pytest.param([one | {"at": one["at"] - 20_000} for one in idling(400)], 0, id="stale-now"),
    ],
)
def test_accelerators_are_held_idle_once_that_has_lasted(rows: list[Row], held: int) -> None:
    assert pool_of(rows).held_idle == held


def test_utilisation_is_the_mean_over_accelerators_in_service_that_say_it() -> None:
    found = pool_of(
        [
            row("a", utilization=1.0),
            row("b", utilization=0.25, in_service=4),
            row("c"),
            row("d", utilization=0.0, state="failed"),
            row("e", utilization=0.0, at=T0 - 20_000),
        ]
    )

    assert (found.utilization_ppm, found.utilization_known) == (750_000, 12)


def test_pools_are_by_type_and_sorted() -> None:
    rows = [row("a", type="mi300x"), row("b", type="h100-sxm"), row("c", type="b200-sxm")]

    assert [pool.type for pool in sampled(rows).pools] == ["b200-sxm", "h100-sxm", "mi300x"]


def test_nodes_that_are_not_lost_are_counted_by_their_own_word() -> None:
    states = ("in_service", "in_service", "draining", "maintenance", "failed")
    nodes = sampled([row(f"n{number}", state=state) for number, state in enumerate(states)]).nodes

    assert (nodes.in_service, nodes.draining, nodes.maintenance, nodes.failed) == (2, 1, 1, 1)
