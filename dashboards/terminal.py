"""The live screen in a terminal: sites and fleet, what is short, how fresh it is, and where the servers listen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from models.shortage import Accelerators, Power, Severity, Shortage, Unplaced, Visibility
from models.state import FleetState, PoolState, Presence, SiteState, Totals

WIDE = 120
"""Columns from which a terminal is shown everything."""

_COLOURS = {Severity.INFO: "cyan", Severity.WARNING: "yellow", Severity.CRITICAL: "red"}
_BAR, _SHORT_BAR = 12, 6
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


def render(screen: Screen, width: int) -> RenderableType:
    """The screen for `rich`, for a terminal of so many columns; a narrow one is spared the less urgent figures."""
    wide = width >= WIDE
    parts: list[RenderableType] = [_head(screen)]
    if screen.fleet is not None:
        parts.append(_sites(screen.sites, screen.fleet, wide=wide))
    parts.append(_shortages(screen))
    if screen.fleet is not None:
        parts.append(_pools(screen.fleet.pools, wide=wide))
    parts += [_pairs("Flow", screen.figures), _pairs("Where", screen.places)]
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


def _table(columns: Sequence[tuple[str, bool]], *, wide: bool) -> Table:
    """A table of named columns, the first one left-aligned; those marked true are for wide terminals only."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True, padding=(0, 1) if wide else (0, 0, 0, 1))
    for number, (name, only_wide) in enumerate(columns):
        if wide or not only_wide:
            table.add_column(name, justify="right" if number else "left", no_wrap=True)
    return table


def _add(table: Table, columns: Sequence[tuple[str, bool]], cells: Sequence[Text], *, wide: bool) -> None:
    table.add_row(*(cell for (_, only_wide), cell in zip(columns, cells, strict=True) if wide or not only_wide))


_SITE_COLUMNS = (
    ("site", False),
    ("of supply", False),
    ("MW", False),
    ("headroom", False),
    ("in service", True),
    ("allocated", True),
    ("free", False),
    ("busy", True),
    ("nodes", False),
    ("stale", True),
    ("lost", False),
    ("unseen", True),
    ("short", False),
)


def _sites(sites: Sequence[SiteState], fleet: FleetState, *, wide: bool) -> Table:
    table = _table(_SITE_COLUMNS, wide=wide)
    for site in sorted(sites, key=lambda site: site.site):
        mark = "" if site.presence is Presence.PRESENT else f" ({site.presence.value.replace('_', ' ')})"
        _add(table, _SITE_COLUMNS, [Text(site.site + mark), *_row(site, wide=wide)], wide=wide)
    table.add_section()
    _add(table, _SITE_COLUMNS, [Text("fleet", style="bold"), *_row(fleet, wide=wide)], wide=wide)
    return table


def _row(totals: Totals, *, wide: bool) -> list[Text]:
    power, nodes = totals.power, totals.nodes
    drawn = power.it_measured + power.it_modelled + power.it_carried
    return [
        _bar(power.facility, power.supply, _BAR if wide else _SHORT_BAR),
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


def _bar(drawn: float | None, supply: float | None, length: int) -> Text:
    if drawn is None or not supply:
        return Text("unknown", style="dim")
    share = drawn / supply
    filled = min(round(share * length), length)
    style = "red" if share > _FULL else "yellow" if share > _TIGHT else "green"
    return Text.assemble(("━" * filled, style), ("━" * (length - filled), "dim"), (f" {share:4.0%}", style))


_POOL_COLUMNS = (
    ("type", False),
    ("installed", True),
    ("in service", False),
    ("allocated", False),
    ("free", False),
    ("held idle", True),
    ("unknown", True),
    ("H100e free", True),
    ("busy", False),
)


def _pools(pools: Sequence[PoolState], *, wide: bool) -> Table:
    table = _table(_POOL_COLUMNS, wide=wide)
    for pool in pools:
        cells = [
            Text(pool.type),
            Text(f"{pool.installed:,}"),
            Text(f"{pool.in_service:,}"),
            Text(f"{pool.allocated:,}"),
            Text(f"{pool.free:,}", style="" if pool.free else "red"),
            Text(f"{pool.held_idle:,}"),
            Text(f"{pool.unknown:,}"),
            Text(f"{pool.h100e_free:,.0f}"),
            Text("?" if pool.utilization is None else f"{pool.utilization:.0%}"),
        ]
        _add(table, _POOL_COLUMNS, cells, wide=wide)
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
        case Unplaced():
            return f"{shortage.missing.accelerators:,} not granted"


def _pairs(title: str, pairs: Sequence[tuple[str, str]]) -> Panel:
    grid = Table.grid(padding=(0, 2))
    for name, value in pairs:
        grid.add_row(Text(name, style="dim"), Text(value))
    return Panel(grid, title=title, box=box.ROUNDED, border_style="dim")


def picture(screen: Screen, title: str, width: int = 140) -> str:
    """The screen as an SVG document."""
    console = Console(record=True, width=width, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(render(screen, width))
    drawn = console.export_svg(title=title)
    return re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)  # they name fonts on somebody else's server
