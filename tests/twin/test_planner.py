"""The plain planner: what is short, and what binds."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.demand import DemandRevised
from models.instants import moment_of
from models.shortage import ScopeKind
from models.state import Presence
from tests.builders import CATALOGUE, T0, pool, view, wants
from twin.planner import AggregatePlanner, Shortfall
from twin.rules import Rules
from twin.view import SiteView

PLANNER = AggregatePlanner(CATALOGUE, Rules())
EACH = CATALOGUE["h100-sxm"].placed_milliwatts
"""What one more busy H100 draws, at a PUE of 1."""


def watts_for(accelerators: int) -> float:
    return accelerators * EACH / 1000


def short_of(sites: list[SiteView], demands: list[DemandRevised]) -> dict[str, int]:
    """What is missing by `scope resource`: accelerators, or milliwatts."""
    return {
        f"{found.scope.name} {found.resource.kind}": found.missing.accelerators or found.missing.milliwatts
        for found in PLANNER.assess(sites, demands, {}).shortfalls
    }


H200 = pool("h200-sxm", installed=8, in_service=8, free=8)
H100 = pool("h100-sxm", installed=8, in_service=8, free=8)


@pytest.mark.parametrize(
    ("sites", "demands", "missing"),
    [
        pytest.param([view(free=8)], [wants(wanted=8)], {}, id="exactly-enough"),
        pytest.param([view(free=8)], [wants(wanted=9)], {"p accelerators": 1}, id="one-too-few"),
        pytest.param([view(free=8)], [wants(wanted=9, granted=1)], {}, id="what-is-granted-is-not-pending"),
        pytest.param([], [wants(wanted=1)], {"p accelerators": 1}, id="no-site-at-all"),
        pytest.param([view(free=8)], [], {}, id="no-demand"),
        pytest.param(
            [view(free=8)],
            [wants("a", 8, project="low", priority=10), wants("z", 8, project="high", priority=90)],
            {"low accelerators": 8},
            id="the-higher-priority-is-served-first",
        ),
        pytest.param(
            [view(free=8)],
            [wants("b", 8, project="second"), wants("a", 8, project="first")],
            {"second accelerators": 8},
            id="then-by-id",
        ),
        pytest.param([view(pools=(H200,))], [wants(types=["h100-sxm"])], {"p accelerators": 8}, id="of-no-other-type"),
        pytest.param([view(pools=(H200,))], [wants()], {}, id="any-type-will-do"),
        pytest.param(
            [view(pools=(H100, H200))], [wants(wanted=16, types=["h200-sxm", "h100-sxm"])], {}, id="of-either"
        ),
        pytest.param([view("a", 8)], [wants(sites=["b"])], {"p accelerators": 8}, id="at-no-other-site"),
        pytest.param([view("a", 4), view("b", 4), view("c", 4)], [wants(sites=["c", "a"])], {}, id="at-either"),
        pytest.param([view("a", 4), view("b", 4)], [wants()], {}, id="at-any-site"),
        pytest.param(
            [view("away", 8, presence=Presence.AWAY), view("new", 8, presence=Presence.NEVER_SEEN)],
            [wants()],
            {"p accelerators": 8, "away visibility": 8},
            id="nothing-from-sites-that-are-not-present",
        ),
        pytest.param([view("a", 10, 0, watts_for(4))], [wants(wanted=4)], {}, id="exactly-within-headroom"),
        pytest.param(
            [view("a", 10, 0, watts_for(4))],
            [wants(wanted=10)],
            {"a power": 6 * EACH},
            id="accelerators-beyond-headroom-are-short-of-power",
        ),
        pytest.param(
            [view("a", 10, 0, watts_for(4)), view("b", 6)],
            [wants(wanted=10)],
            {},
            id="headroom-elsewhere-comes-before-none-here",
        ),
        pytest.param(
            [view("a", 10, 0, watts_for(4))],
            [wants(wanted=12)],
            {"a power": 6 * EACH, "p accelerators": 2},
            id="short-of-both",
        ),
        pytest.param([view("a", 0, 5_000_000, 4999.0)], [], {"a power": 1000}, id="draws-above-supply-by-itself"),
        pytest.param([view("a", 0, 5_000_000, 5000.0)], [], {}, id="draws-all-of-its-supply"),
        pytest.param([view("a", 8, 5_000_000, None)], [wants()], {}, id="a-supply-that-is-not-known-does-not-bind"),
        pytest.param([view(pools=(pool(installed=90, lost=10),))], [], {}, id="a-tenth-unknown-is-visible-enough"),
        pytest.param(
            [view(pools=(pool(installed=89, lost=11),))], [], {"memphis visibility": 11}, id="more-than-a-tenth-is-not"
        ),
        pytest.param(
            [view(pools=(H100,), expected=({"type": "h100-sxm", "nodes": 2, "accelerators": 9},))],
            [],
            {"memphis visibility": 1},
            id="expected-and-never-seen-is-unknown",
        ),
        pytest.param(
            [
                view(
                    pools=(pool("h200-sxm", lost=10),), expected=({"type": "h100-sxm", "nodes": 1, "accelerators": 10},)
                )
            ],
            [],
            {"memphis visibility": 20},
            id="lost-of-one-type-and-unseen-of-another",
        ),
    ],
)
def test_what_is_short_is_named(sites: list[SiteView], demands: list[DemandRevised], missing: dict[str, int]) -> None:
    assert short_of(sites, demands) == missing


def test_a_power_shortage_names_the_projects_whose_work_could_be_placed() -> None:
    demands = [wants("a", 4, project="first"), wants("b", 4, project="second", types=["h100-sxm"])]
    (found,) = PLANNER.assess([view("a", 8, 0, 0.0)], demands, {}).shortfalls

    assert (found.scope.kind, found.projects) == (ScopeKind.SITE, ("first", "second"))


def test_demands_of_one_project_for_the_same_types_are_one_shortage() -> None:
    demands = [wants("a", 4, types=["h200-sxm", "h100-sxm"]), wants("b", 5, types=["h100-sxm", "h200-sxm"])]
    (found,) = PLANNER.assess([view(free=2)], demands, {}).shortfalls

    assert (found.demanded.accelerators, found.missing.accelerators) == (9, 7)
    assert found.binding.types == ("h100-sxm", "h200-sxm")


def test_facility_watts_count_not_it_watts() -> None:
    exactly = watts_for(8) * 2

    assert short_of([view("a", 8, 0, exactly, pue=2.0)], [wants()]) == {}
    assert short_of([view("a", 8, 0, exactly - 1, pue=2.0)], [wants()]) == {"a power": 1000}


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
    assert (
        PLANNER.assess(random.sample(sites, len(sites)), random.sample(demands, len(demands)), {}).shortfalls == found
    )


def _named(shortfall: Shortfall) -> str:
    return shortfall.scope.model_dump_json() + shortfall.resource.model_dump_json()


@settings(max_examples=80, deadline=None)
@given(sites=sites(), demands=demands())
def test_one_demand_alone_gets_all_that_fits_it(sites: list[SiteView], demands: list[DemandRevised]) -> None:
    for demand in demands:
        fits = sum(
            pool.free
            for site in sites
            for pool in site.pools.values()
            if (not demand.sites or site.site in demand.sites) and (not demand.types or pool.type in demand.types)
        )
        short = [
            found for found in PLANNER.assess(sites, [demand], {}).shortfalls if found.resource.kind == "accelerators"
        ]

        assert sum(found.missing.accelerators for found in short) == max(demand.wanted - fits, 0)


def test_a_site_known_from_facts_alone_is_all_unknown() -> None:
    expected = ({"type": "h100-sxm", "nodes": 1, "accelerators": 8},)
    site = view(presence=Presence.NEVER_SEEN, expected=expected, at=moment_of(T0))

    assert short_of([site], []) == {"memphis visibility": 8}
