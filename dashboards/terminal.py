"""The live screen in a terminal: sites and fleet, what is short, how fresh it is, and where the servers listen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from models.shortage import Accelerators, Power, Severity, Shortage, Visibility
from models.state import FleetState, PoolState, Presence, SiteState, Totals

_COLOURS = {Severity.INFO: "cyan", Severity.WARNING: "yellow", Severity.CRITICAL: "red"}
_BAR = 12
_TIGHT, _FULL = 0.9, 1.0
"""Shares of the supply from which the power bar turns yellow, and red."""


@dataclass(frozen=True, slots=True)
class Screen:
    """All that is shown."""

    title: str
    phase: str
    now: datetime
    fleet: FleetState | None
    sites: Sequence[SiteState]
    shortages: Sequence[Shortage]
    opened: int
    resolved: int
    figures: Sequence[tuple[str, str]]
    """Rates, delays and counts, named."""
    places: Sequence[tuple[str, str]]
    """Where the servers listen and how to look further."""


def render(screen: Screen) -> RenderableType:
    """The screen for `rich`."""
    parts: list[RenderableType] = [_head(screen)]
    if screen.fleet is not None:
        parts += [_sites(screen.sites, screen.fleet), _pools(screen.fleet.pools)]
    parts += [_shortages(screen), _pairs("Flow", screen.figures), _pairs("Where", screen.places)]
    return Group(*parts)


def _head(screen: Screen) -> Text:
    head = Text()
    head.append(" fleettwin ", style="bold reverse")
    head.append(f"  {screen.title}  ", style="bold")
    head.append(screen.phase, style="dim")
    if screen.fleet is not None:
        age = (screen.now - screen.fleet.tick).total_seconds()
        style = "green" if age < 5 else "yellow" if age < 30 else "red"
        head.append(f"   {screen.fleet.tick:%Y-%m-%d %H:%M:%S} UTC, ", style="dim")
        head.append(f"{age:.1f} s old", style=style)
    return head


def _sites(sites: Sequence[SiteState], fleet: FleetState) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    for name in ("site", "power of supply", "MW", "headroom", "in service", "allocated", "free"):
        table.add_column(name, justify="left" if name in ("site", "power of supply") else "right", no_wrap=True)
    for name in ("busy", "nodes", "stale", "lost", "unseen", "short"):
        table.add_column(name, justify="right", no_wrap=True)
    for site in sorted(sites, key=lambda site: site.site):
        mark = "" if site.presence is Presence.PRESENT else f" ({site.presence.value.replace('_', ' ')})"
        table.add_row(Text(site.site + mark), *_row(site))
    table.add_section()
    table.add_row(Text("fleet", style="bold"), *_row(fleet))
    return table


def _row(totals: Totals) -> list[Text]:
    power, nodes = totals.power, totals.nodes
    drawn = power.it_measured + power.it_modelled + power.it_carried
    return [
        _bar(power.facility, power.supply),
        Text(f"{(power.facility if power.facility is not None else drawn) / 1e6:,.2f}"),
        Text("?" if power.headroom is None else f"{power.headroom / 1e6:+,.2f}", style=_headroom_style(totals)),
        Text(f"{totals.in_service:,}"),
        Text(f"{totals.allocated:,}"),
        Text(f"{totals.free:,}"),
        Text("?" if totals.utilization is None else f"{totals.utilization:.0%}"),
        Text(f"{nodes.reporting:,}"),
        Text(f"{nodes.stale:,}", style="yellow" if nodes.stale else "dim"),
        Text(f"{nodes.lost:,}", style="red" if nodes.lost else "dim"),
        Text(f"{nodes.never_seen:,}", style="yellow" if nodes.never_seen else "dim"),
        Text(f"{totals.open_shortages}", style="bold red" if totals.open_shortages else "dim"),
    ]


def _headroom_style(totals: Totals) -> str:
    headroom = totals.power.headroom
    return "red" if headroom is not None and headroom < 0 else ""


def _bar(drawn: float | None, supply: float | None) -> Text:
    if drawn is None or not supply:
        return Text("unknown", style="dim")
    share = drawn / supply
    filled = min(round(share * _BAR), _BAR)
    style = "red" if share > _FULL else "yellow" if share > _TIGHT else "green"
    return Text.assemble(("━" * filled, style), ("━" * (_BAR - filled), "dim"), (f" {share:4.0%}", style))


def _pools(pools: Sequence[PoolState]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    table.add_column("type", no_wrap=True)
    for name in ("installed", "in service", "allocated", "free", "held idle", "unknown", "H100e free", "busy"):
        table.add_column(name, justify="right", no_wrap=True)
    for pool in pools:
        table.add_row(
            pool.type,
            f"{pool.installed:,}",
            f"{pool.in_service:,}",
            f"{pool.allocated:,}",
            Text(f"{pool.free:,}", style="" if pool.free else "red"),
            f"{pool.held_idle:,}",
            f"{pool.unknown:,}",
            f"{pool.h100e_free:,.0f}",
            "?" if pool.utilization is None else f"{pool.utilization:.0%}",
        )
    return table


def _shortages(screen: Screen) -> Panel:
    told = f"{screen.opened} opened, {screen.resolved} resolved so far"
    if not screen.shortages:
        return Panel(Text("nothing is short", style="green"), title="Shortages", subtitle=told, box=box.ROUNDED)
    lines = Table.grid(padding=(0, 2))
    for shortage in screen.shortages:
        colour = _COLOURS[shortage.severity]
        lasted = (screen.now - shortage.since).total_seconds()
        lines.add_row(
            Text(shortage.severity.value, style=f"bold {colour}"),
            Text(f"{shortage.scope.kind.value} {shortage.scope.name}"),
            Text(_missing(shortage), style=colour),
            Text(shortage.binding.summary),
            Text(f"{lasted:,.0f} s", style="dim"),
        )
    return Panel(lines, title="Shortages", subtitle=told, box=box.ROUNDED, border_style="red")


def _missing(shortage: Shortage) -> str:
    match shortage.resource:
        case Accelerators():
            return f"{shortage.missing.accelerators:,} accelerators"
        case Power():
            return f"{shortage.missing.watts / 1e6:,.2f} MW"
        case Visibility():
            return f"{shortage.missing.accelerators:,} unknown"


def _pairs(title: str, pairs: Sequence[tuple[str, str]]) -> Panel:
    grid = Table.grid(padding=(0, 2))
    for name, value in pairs:
        grid.add_row(Text(name, style="dim"), Text(value))
    return Panel(grid, title=title, box=box.ROUNDED, border_style="dim")
