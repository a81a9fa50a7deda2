"""The live screen: whatever the fleet is called and however it fares, it can be read."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from dashboards.terminal import Screen, render
from models.instants import moment_of
from models.shortage import (
    Accelerators,
    Binding,
    Change,
    Power,
    Quantity,
    Resource,
    Scope,
    ScopeKind,
    Severity,
    Shortage,
    Status,
    Visibility,
)
from models.state import FleetState, SiteState
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


def shown(one: Screen, width: int = 200) -> str:
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(render(one, width))
    return console.export_text()


def line_of(text: str, word: str) -> str:
    return next(line for line in text.splitlines() if word in line)


def shortage(resource: Resource, missing: Quantity, name: str = "p", summary: str = "words") -> Shortage:
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
        binding=Binding(constraint="power", sites=(), types=(), summary=summary),
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
    resource = shortage(Power(), Quantity(watts=1e6), name, summary=f"more at {name}")
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
    ],
)
def test_a_shortage_says_what_is_missing_and_for_how_long(resource: Resource, missing: Quantity, said: str) -> None:
    line = line_of(shown(screen([view()], [shortage(resource, missing)])), "critical")

    for fact in ("project p", said, "words", "62 s"):
        assert fact in line


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
