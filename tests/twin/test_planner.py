"""The planner: what is short, what binds, what could be had and is not granted."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.demand import DemandRevised
from models.instants import moment_of
from models.shortage import Constraint, OneMore, ScopeKind, Unit
from models.state import Presence
from models.tenant import Quota
from tests.builders import CATALOGUE, T0, pool, view, wants
from twin.planner import Quotas, Shortfall
from twin.planning.exact import ExactPlanner
from twin.rules import Rules
from twin.view import SiteView

PLANNER = ExactPlanner(CATALOGUE, Rules())
EACH = CATALOGUE["h100-sxm"].working_milliwatts(None)
"""What one more busy H100 draws, at a PUE of 1."""


def watts_for(accelerators: int) -> float:
    return accelerators * EACH / 1000


def assess(
    sites: list[SiteView], demands: Sequence[DemandRevised], quotas: Quotas | None = None
) -> dict[str, Shortfall]:
    """What is short by `scope resource`."""
    found = PLANNER.assess(sites, demands, quotas or {}).shortfalls
    return {f"{one.scope.name} {one.resource.kind}": one for one in found}


def short_of(sites: list[SiteView], demands: Sequence[DemandRevised], quotas: Quotas | None = None) -> dict[str, str]:
    """What is missing by `scope resource`, but of the fleet: accelerators or milliwatts, and what binds."""
    return {
        name: f"{one.missing.milliwatts if 'power' in name else one.missing.accelerators} {_bound_by(one)}"
        for name, one in assess(sites, demands, quotas).items()
        if not name.startswith("fleet")
    }


def _bound_by(short: Shortfall) -> str:
    return "+".join([short.binding.constraint, *short.binding.together_with])


H200 = pool("h200-sxm", installed=8, in_service=8, free=8)
H100 = pool("h100-sxm", installed=8, in_service=8, free=8)
IN_PIECES = pool("h100-sxm", installed=64, in_service=64, free=16, free_per_node=(0, 0, 8))
"""Sixteen are free, two on each of eight nodes."""


@pytest.mark.parametrize(
    ("sites", "demands", "short"),
    [
        pytest.param([view(free=8)], [wants(wanted=8)], {"p unplaced": "8 scheduler"}, id="all-of-it-could-be-had"),
        pytest.param(
            [view(free=8)],
            [wants(wanted=9)],
            {"p accelerators": "1 accelerators", "p unplaced": "8 scheduler"},
            id="one-too-few",
        ),
        pytest.param([view(free=8)], [wants(wanted=9, granted=9)], {}, id="what-is-granted-is-not-pending"),
        pytest.param([], [wants(wanted=1)], {"p accelerators": "1 accelerators"}, id="no-site-at-all"),
        pytest.param([view(free=8)], [], {}, id="no-demand"),
        pytest.param(
            [view(free=8)],
            [wants("a", 8, project="low", priority=10), wants("z", 8, project="high", priority=90)],
            {"low accelerators": "8 accelerators", "high unplaced": "8 scheduler"},
            id="the-higher-priority-is-served-first",
        ),
        pytest.param(
            [view(free=8)],
            [wants("b", 8, project="second"), wants("a", 8, project="first")],
            {"second accelerators": "8 accelerators", "first unplaced": "8 scheduler"},
            id="then-by-id",
        ),
        pytest.param(
            [view(free=8)],
            [wants("a", 6, project="first", gang=6), wants("b", 8, project="second", gang=4)],
            {"first accelerators": "6 accelerators", "second unplaced": "8 scheduler"},
            id="but-of-one-priority-the-most-are-served",
        ),
        pytest.param(
            [view(pools=(H200,))],
            [wants(types=["h100-sxm"])],
            {"p accelerators": "8 accelerators"},
            id="of-no-other-type",
        ),
        pytest.param([view(pools=(H200,))], [wants()], {"p unplaced": "8 scheduler"}, id="any-type-will-do"),
        pytest.param(
            [view(pools=(H100, H200))],
            [wants(wanted=16, types=["h200-sxm", "h100-sxm"])],
            {"p unplaced": "16 scheduler"},
            id="of-either",
        ),
        pytest.param(
            [view(pools=(H100, H200))],
            [wants("a", 8, project="either"), wants("b", 8, project="one", types=["h100-sxm"])],
            {"either unplaced": "8 scheduler", "one unplaced": "8 scheduler"},
            id="who-takes-either-leaves-the-one-to-who-needs-it",
        ),
        pytest.param([view("a", 8)], [wants(sites=["b"])], {"p accelerators": "8 accelerators"}, id="at-no-other-site"),
        pytest.param(
            [view("a", 4), view("b", 4), view("c", 4)],
            [wants(sites=["c", "a"])],
            {"p unplaced": "8 scheduler"},
            id="at-either",
        ),
        pytest.param(
            [view("away", 8, presence=Presence.AWAY), view("new", 8, presence=Presence.NEVER_SEEN)],
            [wants()],
            {"p accelerators": "8 accelerators", "away visibility": "8 visibility"},
            id="nothing-from-sites-that-are-not-present",
        ),
        pytest.param(
            [view(pools=(IN_PIECES,))],
            [wants(wanted=16, gang=8)],
            {"p accelerators": "16 whole_nodes"},
            id="enough-are-free-but-no-node-is",
        ),
        pytest.param(
            [view(pools=(IN_PIECES,))],
            [wants("a", 16, gang=2)],
            {"p unplaced": "16 scheduler"},
            id="smaller-gangs-fit-the-pieces",
        ),
        pytest.param(
            [view("a", 10, 0, watts_for(4))], [wants(wanted=4)], {"p unplaced": "4 scheduler"}, id="exactly-in-headroom"
        ),
        pytest.param(
            [view("a", 10, 0, watts_for(4))],
            [wants(wanted=10)],
            {"p accelerators": "6 power", "p unplaced": "4 scheduler", "a power": f"{6 * EACH} power"},
            id="free-accelerators-beyond-headroom-wait-for-power",
        ),
        pytest.param(
            [view("a", 10, 0, watts_for(4)), view("b", 6)],
            [wants(wanted=10)],
            {"p unplaced": "10 scheduler"},
            id="headroom-elsewhere-will-do",
        ),
        pytest.param(
            [view("a", 10, 0, watts_for(4))],
            [wants(wanted=12)],
            {"p accelerators": "8 power", "p unplaced": "4 scheduler", "a power": f"{6 * EACH} power"},
            id="power-for-what-is-free-and-no-more",
        ),
        pytest.param(
            [view("a", 8, 0, 0.0), view("b", 0)],
            [wants(wanted=8, gang=8, sites=["b"])],
            {"p accelerators": "8 accelerators"},
            id="power-elsewhere-is-nobodys-business",
        ),
        pytest.param(
            [view("a", 0, 0, 0.0)],
            [wants(wanted=8)],
            {"p accelerators": "8 power+accelerators"},
            id="neither-power-nor-accelerators-by-themselves",
        ),
        pytest.param(
            [view("a", 0, 5_000_000, 4999.0)], [], {"a power": "1000 power"}, id="draws-above-supply-by-itself"
        ),
        pytest.param([view("a", 0, 5_000_000, 5000.0)], [], {}, id="draws-all-of-its-supply"),
        pytest.param(
            [view("a", 8, 5_000_000, None)],
            [wants()],
            {"p unplaced": "8 scheduler"},
            id="a-supply-that-is-not-known-does-not-bind",
        ),
        pytest.param([view(pools=(pool(installed=90, lost=10),))], [], {}, id="a-tenth-unknown-is-visible-enough"),
        pytest.param(
            [view(pools=(pool(installed=89, lost=11),))],
            [],
            {"memphis visibility": "11 visibility"},
            id="more-than-a-tenth-is-not",
        ),
        pytest.param(
            [view(pools=(H100,), expected=({"type": "h100-sxm", "nodes": 2, "accelerators": 9},))],
            [],
            {"memphis visibility": "1 visibility"},
            id="expected-and-never-seen-is-unknown",
        ),
        pytest.param(
            [
                view(
                    pools=(pool("h200-sxm", lost=10),), expected=({"type": "h100-sxm", "nodes": 1, "accelerators": 10},)
                )
            ],
            [],
            {"memphis visibility": "20 visibility"},
            id="lost-of-one-type-and-unseen-of-another",
        ),
    ],
)
def test_what_is_short_is_named_with_what_binds(
    sites: list[SiteView], demands: list[DemandRevised], short: dict[str, str]
) -> None:
    assert short_of(sites, demands) == short


LIMIT = {"t": (Quota(limit=10),)}


@pytest.mark.parametrize(
    ("demands", "short"),
    [
        pytest.param([wants(tenant="t", wanted=10)], {"p unplaced": "10 scheduler"}, id="within-the-limit"),
        pytest.param(
            [wants(tenant="t", wanted=14)],
            {"p accelerators": "4 quota", "p unplaced": "10 scheduler"},
            id="beyond-it",
        ),
        pytest.param(
            [wants(tenant="t", wanted=14, granted=6)],
            {"p accelerators": "4 quota", "p unplaced": "4 scheduler"},
            id="what-is-granted-counts",
        ),
        pytest.param(
            [wants(tenant="t", wanted=14, granted=14)], {}, id="more-granted-than-the-limit-takes-nothing-away"
        ),
        pytest.param(
            [wants("a", tenant="t", wanted=14, granted=14), wants("b", tenant="t", wanted=1)],
            {"p accelerators": "1 quota"},
            id="and-leaves-nothing",
        ),
        pytest.param([wants(tenant="u", wanted=14)], {"p unplaced": "14 scheduler"}, id="of-another-tenant"),
        pytest.param(
            [wants(tenant="t", wanted=40)],
            {"p accelerators": "30 quota", "p unplaced": "10 scheduler"},
            id="the-limit-is-reached-before-the-accelerators-are",
        ),
    ],
)
def test_a_tenant_is_given_no_more_than_its_limit(demands: list[DemandRevised], short: dict[str, str]) -> None:
    assert short_of([view(free=32)], demands, LIMIT) == short


def test_a_limit_on_some_types_counts_demand_for_those_alone() -> None:
    quotas = {"t": (Quota(types=("h100-sxm",), limit=4),)}
    demands = [
        wants("a", 8, tenant="t", project="those", types=["h100-sxm"]),
        wants("b", 8, tenant="t", project="others", types=["h100-sxm", "h200-sxm"]),
    ]

    assert short_of([view(pools=(H100, H200))], demands, quotas) == {
        "those accelerators": "4 quota",
        "those unplaced": "4 scheduler",
        "others unplaced": "8 scheduler",
    }


@pytest.mark.parametrize(
    ("sites", "demand", "one_more"),
    [
        pytest.param([view(free=8)], wants(wanted=9), OneMore(unit=Unit.ACCELERATOR, serves=1), id="one-by-one"),
        pytest.param(
            [view(pools=(IN_PIECES,))], wants(wanted=16, gang=8), OneMore(unit=Unit.WHOLE_NODE, serves=8), id="a-node"
        ),
        pytest.param(
            [view(free=8)], wants(wanted=16, gang=4), OneMore(unit=Unit.WHOLE_NODE, serves=8), id="two-gangs-on-a-node"
        ),
        pytest.param(
            [view("a", 9000, 0, 0.0)],
            wants(wanted=8000),
            OneMore(unit=Unit.MEGAWATT, serves=1_000_000_000 // EACH),
            id="a-megawatt",
        ),
        pytest.param(
            [view("a", 100, 0, 0.0)],
            wants(wanted=8000),
            OneMore(unit=Unit.MEGAWATT, serves=100),
            id="a-megawatt-serves-no-more-than-are-free",
        ),
    ],
)
def test_one_more_unit_serves_so_many(sites: list[SiteView], demand: DemandRevised, one_more: OneMore) -> None:
    assert assess(sites, [demand])["p accelerators"].binding.one_more == one_more


def test_unknown_capacity_is_named_beside_what_binds_first() -> None:
    short = assess([view(pools=(pool(installed=8, lost=16),))], [wants(wanted=8, gang=8)])["p accelerators"]

    assert [one.constraint for one in (short.binding, *short.also)] == [
        Constraint.ACCELERATORS,
        Constraint.UNKNOWN_CAPACITY,
    ]


def test_a_lot_behind_power_here_and_accelerators_there_names_both() -> None:
    short = assess([view("a", 8, 0, 0.0), view("b", 0)], [wants(wanted=8)])["p accelerators"]

    assert [(one.constraint, one.sites) for one in (short.binding, *short.also)] == [
        (Constraint.POWER, ("a",)),
        (Constraint.ACCELERATORS, ("b",)),
    ]


def test_a_power_shortage_names_the_projects_whose_work_could_be_placed() -> None:
    demands = [wants("a", 4, project="first"), wants("b", 4, project="second", types=["h100-sxm"])]
    short = assess([view("a", 8, 0, 0.0)], demands)["a power"]

    assert (short.scope.kind, short.projects, short.binding.behind) == (ScopeKind.SITE, ("first", "second"), 8)


def test_demands_of_one_project_for_the_same_types_are_one_shortage() -> None:
    demands = [wants("a", 4, types=["h200-sxm", "h100-sxm"]), wants("b", 5, types=["h100-sxm", "h200-sxm"])]
    short = assess([view(free=2)], demands)["p accelerators"]

    assert (short.demanded.accelerators, short.missing.accelerators) == (9, 7)
    assert short.binding.types == ("h100-sxm",)


def test_the_fleet_is_short_of_what_its_projects_are() -> None:
    demands = [wants("a", 4, project="first"), wants("b", 5, project="second", types=["h200-sxm"])]
    short = assess([view(free=3)], demands)["fleet accelerators"]

    assert (short.demanded.accelerators, short.missing.accelerators) == (9, 6)
    assert short.projects == ("first", "second")


def test_the_last_gang_may_be_smaller() -> None:
    assert short_of([view(free=11)], [wants(wanted=11, gang=8)]) == {"p unplaced": "11 scheduler"}


def test_facility_watts_count_not_it_watts() -> None:
    exactly = watts_for(8) * 2
    less = short_of([view("a", 8, 0, exactly - 1, pue=2.0)], [wants()])

    assert short_of([view("a", 8, 0, exactly, pue=2.0)], [wants()]) == {"p unplaced": "8 scheduler"}
    assert less == {"p accelerators": "1 power", "p unplaced": "7 scheduler", "a power": "1000 power"}


def test_inference_draws_less_than_training() -> None:
    supply = watts_for(8) - 1

    assert "a power" in short_of([view("a", 8, 0, supply)], [wants(workload="training")])
    assert "a power" not in short_of([view("a", 8, 0, supply)], [wants(workload="inference")])


def test_what_is_servable_is_told_by_demand() -> None:
    demands = [wants("a", 6, priority=90), wants("b", 6), wants("c", 6, priority=1)]

    assert PLANNER.assess([view(free=9)], demands, {}).servable == {"a": 6, "b": 3}


def test_what_has_not_changed_is_not_planned_again() -> None:
    planner = ExactPlanner(CATALOGUE, Rules())
    demands: list[DemandRevised] = [wants(wanted=9)]
    first = planner.assess([view(free=8)], demands, {})

    assert planner.assess([view(free=8)], demands, {}) is first
    assert planner.assess([view(free=7)], demands, {}) is not first
    assert planner.assess([view(free=8)], demands, {}) == first


TYPES = ("h100-sxm", "h200-sxm", "b200-sxm")
COUNTS = st.integers(0, 12)
POOLS = st.builds(
    lambda type_, free, bound, lost: pool(type_, installed=free + bound, in_service=free + bound, free=free, lost=lost),
    st.sampled_from(TYPES),
    COUNTS,
    COUNTS,
    COUNTS,
)


@st.composite
def sites(draw: st.DrawFn) -> list[SiteView]:
    return [
        view(
            name,
            milliwatts=draw(st.integers(0, 20_000_000)),
            supply_watts=draw(st.none() | st.integers(0, 20_000).map(float)),
            pools=draw(st.lists(POOLS, max_size=3, unique_by=lambda found: found.type)),
            presence=draw(st.sampled_from(Presence)),
            expected=draw(
                st.lists(
                    st.builds(lambda t, n: {"type": t, "nodes": n, "accelerators": n}, st.sampled_from(TYPES), COUNTS),
                    max_size=2,
                )
            ),
        )
        for name in draw(st.sets(st.sampled_from("abc")))
    ]


@st.composite
def demands(draw: st.DrawFn) -> list[DemandRevised]:
    def some(of: Any) -> tuple[str, ...]:
        return tuple(sorted(draw(st.sets(st.sampled_from(of), max_size=2))))

    return [
        wants(
            name,
            draw(st.integers(0, 30)),
            project=draw(st.sampled_from("pq")),
            types=some(TYPES),
            sites=some("abc"),
            priority=draw(st.integers(0, 2)),
            gang=draw(st.sampled_from([1, 1, 2, 4])),
        )
        for name in draw(st.sets(st.sampled_from("uvwxyz")))
    ]


@settings(max_examples=150, deadline=None)
@given(sites=sites(), demands=demands(), random=st.randoms(use_true_random=False))
def test_no_more_is_missing_than_demanded_and_the_order_of_the_inputs_does_not_matter(
    sites: list[SiteView], demands: list[DemandRevised], random: Random
) -> None:
    found = PLANNER.assess(sites, demands, {}).shortfalls

    for shortfall in found:
        assert 0 <= shortfall.missing.accelerators <= shortfall.demanded.accelerators
        assert 0 <= shortfall.missing.milliwatts <= shortfall.demanded.milliwatts
        assert 0 <= shortfall.missing.milli_h100e <= shortfall.demanded.milli_h100e
        assert shortfall.missing.accelerators or shortfall.missing.milliwatts
    assert len({_named(shortfall) for shortfall in found}) == len(found)
    anew = ExactPlanner(CATALOGUE, Rules())
    assert anew.assess(random.sample(sites, len(sites)), random.sample(demands, len(demands)), {}).shortfalls == found


def _named(shortfall: Shortfall) -> str:
    return shortfall.scope.model_dump_json() + shortfall.resource.model_dump_json()


def test_a_site_known_from_facts_alone_is_all_unknown() -> None:
    expected = ({"type": "h100-sxm", "nodes": 1, "accelerators": 8},)
    site = view(presence=Presence.NEVER_SEEN, expected=expected, at=moment_of(T0))

    assert short_of([site], []) == {"memphis visibility": "8 visibility"}
