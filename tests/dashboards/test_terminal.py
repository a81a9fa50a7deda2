"""The live screen: whatever the fleet is called and however it fares, it can be read."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from dashboards.terminal import Screen, render
from models.instants import moment_of
from models.shortage import (
    Accelerators,
    Binding,
    Change,
    Constraint,
    OneMore,
    Power,
    Quantity,
    Resource,
    Scope,
    ScopeKind,
    Severity,
    Shortage,
    Status,
    Unit,
    Unplaced,
    Visibility,
)
from models.state import FleetState, SiteState, TenantState
from tests.builders import CATALOGUE, T0, pool, view
from twin.states import fleet_state, site_state
from twin.tenants import Claims
from twin.view import SiteView


def screen(views: Sequence[SiteView] = (), shortages: Sequence[Shortage] = (), **said: Any) -> Screen:
    sites: list[SiteState] = [site_state(one, T0, CATALOGUE, 0) for one in views]
    fleet: FleetState | None = fleet_state(views, T0, CATALOGUE, Claims(), len(shortages))
    unsaid: dict[str, Any] = {
        "title": "demo",
        "phase": "live",
        "now": moment_of(T0) + timedelta(seconds=1.5),
        "fleet": fleet,
    }
    unsaid |= {"sites": sites, "shortages": shortages, "opened": 2, "resolved": 1}
    return Screen(**unsaid | {"figures": [("rate", "7/s")], "places": [("kafka", "localhost:9092")]} | said)


def shown(one: Screen, width: int = 200, height: int | None = None) -> str:
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(render(one, width, height))
    return console.export_text()


def line_of(text: str, word: str) -> str:
    return next(line for line in text.splitlines() if word in line)


def shortage(resource: Resource, missing: Quantity, name: str = "p") -> Shortage:
    return Shortage(
        id="i",
        sequence=0,
        change=Change.OPENED,
        status=Status.OPEN,
        severity=Severity.CRITICAL,
        scope=Scope(kind=ScopeKind.PROJECT, name=name),
        resource=resource,
        demanded=missing,
        served=Quantity(),
        missing=missing,
        binding=Binding(
            constraint=Constraint.WHOLE_NODES,
            sites=(name,),
            types=(),
            together_with=(Constraint.POWER,),
            one_more=OneMore(unit=Unit.WHOLE_NODE, serves=8),
            summary="in a sentence",
        ),
        also=(Binding(constraint=Constraint.QUOTA, sites=(), types=(), summary="in another"),),
        since=moment_of(T0 - 60_000),
        at=moment_of(T0),
        projects=(),
    )


def test_a_site_is_shown_with_its_power_and_its_headroom() -> None:
    text = shown(screen([view("memphis", 1234, 30_000_000_000, 40e6)]))

    for fact in ("30.00", "+10.00", "75%", "1,234"):
        assert fact in line_of(text, "memphis")
    assert "1.5 s old" in text


def test_headroom_below_nothing_has_its_sign() -> None:
    line = line_of(shown(screen([view("memphis", 0, 50_000_000_000, 40e6)])), "memphis")

    assert "-10.00" in line
    assert "125%" in line


def test_what_is_not_known_is_not_shown_as_a_number() -> None:
    line = line_of(shown(screen([view("memphis", 8, 1_000_000_000, None)])), "memphis")

    assert "unknown" in line
    assert line.count("?") == 2


ODD = [
    pytest.param("[red]memphis[/red]", id="markup"),
    pytest.param("[/]", id="a-closing-tag-of-nothing"),
    pytest.param("[link=http://x]here", id="a-link"),
    pytest.param(":fire:", id="an-emojis-name"),
    pytest.param("北京 🏭", id="wide-characters"),
    pytest.param("a\\[b]", id="a-backslash"),
]


@pytest.mark.parametrize("name", ODD)
def test_a_name_is_shown_as_it_is_and_never_acts(name: str) -> None:
    resource = shortage(Power(), Quantity(watts=1e6), name)
    text = shown(
        screen([view(name, 8)], [resource], title=name, phase=name, figures=[(name, name)], places=[(name, name)])
    )

    assert text.count(name) >= 8


@pytest.mark.parametrize("name", ODD)
def test_a_types_name_never_acts(name: str) -> None:
    fleet = fleet_state([view(free=8)], T0, CATALOGUE, Claims(), 0)
    odd = fleet.model_copy(update={"pools": (fleet.pools[0].model_copy(update={"type": name}),)})

    assert name in shown(screen(fleet=odd))


@pytest.mark.parametrize(
    ("resource", "missing", "said"),
    [
        pytest.param(Accelerators(types=()), Quantity(accelerators=1234), "1,234 accelerators", id="accelerators"),
        pytest.param(Power(), Quantity(watts=2.5e6), "2.50 MW", id="power"),
        pytest.param(Visibility(), Quantity(accelerators=64), "64 unknown", id="visibility"),
        pytest.param(
            Unplaced(types=()), Quantity(accelerators=400), "400 could run and are not granted", id="not-granted"
        ),
    ],
)
def test_a_shortage_says_what_is_missing_what_binds_what_would_help_and_for_how_long(
    resource: Resource, missing: Quantity, said: str
) -> None:
    line = line_of(shown(screen([view()], [shortage(resource, missing)])), "critical")

    for fact in ("project p", said, "whole nodes with power at p; +1 whole node serves 8; also quota", "62 s"):
        assert fact in line


def test_a_narrow_screen_still_says_what_binds_and_what_would_help() -> None:
    line = line_of(shown(screen([view()], [shortage(Accelerators(types=()), Quantity(accelerators=408))]), 80), "criti")

    assert "408 short: whole nodes with power, +1 node: 8" in line.replace("…", "")
    assert "62 s" in line


def test_the_worst_shortage_stands_first() -> None:
    severities = [Severity.INFO, Severity.CRITICAL, Severity.WARNING]
    many = [shortage(Power(), Quantity(watts=1e6)).model_copy(update={"severity": one}) for one in severities]
    text = shown(screen([view()], many))

    assert text.index("critical") < text.index("warning") < text.index("info")


def tenants(count: int, name: str = "tenant") -> tuple[TenantState, ...]:
    return tuple(
        TenantState(
            tenant=f"{name}-{number:03}",
            deserved=1000 + number,
            limit=None,
            wanted=9,
            granted=7000 + number,
            pending=3,
            used=None,
            starved=number % 10,
            borrowing=None,
            servable=4000 + number,
        )
        for number in range(count)
    )


def with_tenants(states: tuple[TenantState, ...]) -> FleetState:
    return fleet_state([view(free=8)], T0, CATALOGUE, Claims(tenants=states), 0)


def test_a_tenant_is_shown_with_what_it_deserves_has_and_waits_for() -> None:
    line = line_of(shown(screen([view()], fleet=with_tenants(tenants(2)))), "tenant-001")

    assert line.split() == ["tenant-001", "1,001", "7,001", "3", "1", "?", "4,001"]


def test_without_tenants_there_is_no_table_of_them() -> None:
    assert "deserved" not in shown(screen([view()]))


def test_where_not_all_tenants_fit_those_who_starve_are_shown() -> None:
    text = shown(screen([view()], fleet=with_tenants(tenants(40))), 80, 24)

    assert "tenant-009" in text
    assert "tenant-000" not in text
    assert re.search(r"and \d+ more tenants", text)


def crowd(count: int, name: str) -> Screen:
    """A screen with so many of everything, all of them named."""
    views = [view(f"{name}{number}", 8, 50_000_000_000, 40e6) for number in range(count)]
    states = fleet_state(views, T0, CATALOGUE, Claims(tenants=tenants(count, name)), 99)
    pools = tuple(states.pools[0].model_copy(update={"type": f"{name}{number}"}) for number in range(count))
    kinds = (Accelerators(types=()), Power(), Visibility(), Unplaced(types=()))
    short = [shortage(kinds[number % 4], Quantity(accelerators=10**7, watts=1e9), name) for number in range(count)]
    pairs = [(name, name * 3)] * min(count, 6)
    fleet = states.model_copy(update={"pools": pools})
    return screen(views, short, fleet=fleet, title=name, phase=name, figures=pairs, places=pairs)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("site", id="short"),
        pytest.param("n" * 120, id="long"),
        pytest.param("北" * 64, id="wide"),
        pytest.param("\u202e\u2028\u200b" * 20, id="hidden"),
    ],
)
@pytest.mark.parametrize("count", [0, 1, 3, 7, 60])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 48), (119, 30), (120, 60), (80, 10), (60, 5)])
def test_nothing_overflows(name: str, count: int, width: int, height: int) -> None:
    lines = shown(crowd(count, name), width, height).splitlines()

    assert len(lines) <= height
    assert all(cell_len(line) <= width for line in lines)
    assert all(line.isprintable() for line in lines)
    assert "fleettwin" in lines[0]
    assert any("Shortages" in line for line in lines)


def test_a_low_screen_says_how_many_are_not_shown() -> None:
    text = shown(crowd(60, "x"), 80, 24)

    assert re.search(r"\+\d+\s+more", text)
    for what in ("sites", "tenants", "types"):
        assert re.search(rf"and \d+ more {what}", text)


def test_a_high_screen_shows_all() -> None:
    text = shown(crowd(20, "x"), 160)

    assert "more" not in text
    assert all(text.count(f"x{number} ") >= 2 for number in range(20))


def test_nothing_short_is_said() -> None:
    text = shown(screen([view()]))

    assert "nothing is short" in text
    assert "2 opened, 1 resolved so far" in text


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(screen(fleet=None), id="before-the-first-state"),
        pytest.param(screen(), id="without-sites"),
        pytest.param(screen([view(supply_watts=0.0)]), id="without-supply"),
        pytest.param(screen([view(pools=())]), id="without-accelerators"),
        pytest.param(screen([view(pools=(pool(lost=8),))], figures=[], places=[]), id="all-lost"),
    ],
)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_screen_with_little_on_it_can_be_drawn(one: Screen, width: int) -> None:
    assert "fleettwin" in shown(one, width)
