"""The live screen in a terminal: sites and fleet, what is short, how fresh it is, and where the servers listen."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any, TypeVar

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from dashboards.fitting import Part, fitted
from dashboards.tables import pools_table, sites_table, tenants_table
from models.shortage import Severity, Shortage
from models.state import FleetState, SiteState
from models.wording import briefly, missing, printable, who, why

WIDE = 120
"""Columns from which a terminal is shown everything."""

_COLOURS = {Severity.CRITICAL: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
"""The worst first."""
_WORST_FIRST = list(_COLOURS)

_PANEL, _TABLE = 2, 3
"""Lines around the rows: of a panel its frame, of a table the blank above it, its head and the rule below that."""
_SITES = 4
"""Of the sites: head, rule, the blank above the fleet, and the fleet."""
_LEAST = 2
"""Rows with which a table says something: one, and how many more there are."""

_Shown = TypeVar("_Shown")


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


def render(screen: Screen, width: int, height: int | None = None) -> RenderableType:
    """The screen for `rich`, for a terminal of so many columns and lines; without a height it is as high as it is.

    What does not fit is left out, the less urgent first: a narrow terminal is spared some figures, a low one some rows
    and parts. Of rows that are left out it is said how many there are.
    """
    wide = width >= WIDE
    fleet = screen.fleet
    sites = sorted(screen.sites, key=lambda site: site.site) if fleet else []
    tenants, pools = (fleet.tenants, fleet.pools) if fleet else ((), ())
    short, of_sites, of_tenants, of_pools, of_figures, of_places = fitted(
        (
            Part(max(len(screen.shortages), 1), _PANEL, _LEAST),
            Part(max(len(sites), 1) if fleet else 0, _SITES, _LEAST),
            Part(len(tenants), _TABLE, _LEAST),
            Part(len(pools), _TABLE, _LEAST),
            Part(len(screen.figures), _PANEL, len(screen.figures)),
            Part(len(screen.places), _PANEL, len(screen.places)),
        ),
        None if height is None else height - 1,
    )
    parts: list[RenderableType] = [_head(screen)]
    if fleet is not None and of_sites:
        shown = _foremost(sites, of_sites, lambda site: (-site.open_shortages, site.power.headroom or 0, site.site))
        parts.append(sites_table(shown, fleet, len(sites) - len(shown), wide=wide))
    if short:
        parts.append(_shortages(screen, short, wide=wide))
    if of_tenants:
        waiting = _foremost(tenants, of_tenants, lambda one: (-(one.starved or 0), -one.pending, one.tenant))
        parts += [Text(), tenants_table(waiting, len(tenants) - len(waiting), wide=wide)]
    if of_pools:
        most = _foremost(pools, of_pools, lambda pool: (-pool.installed, pool.type))
        parts += [Text(), pools_table(most, len(pools) - len(most), wide=wide)]
    for title, pairs, rows in (("Flow", screen.figures, of_figures), ("Where", screen.places, of_places)):
        if rows:
            parts.append(_pairs(title, pairs))
    return Group(*parts)


def _foremost(all_of_them: Sequence[_Shown], rows: int, rank: Callable[[_Shown], Any]) -> list[_Shown]:
    """As many as there is room for, in the order they came; where some are left out, a row is left to say so."""
    if len(all_of_them) <= rows:
        return list(all_of_them)
    ranked = sorted(range(len(all_of_them)), key=lambda number: rank(all_of_them[number]))
    return [all_of_them[number] for number in sorted(ranked[: max(rows - 1, 0)])]


def _head(screen: Screen) -> Text:
    head = Text(no_wrap=True, overflow="ellipsis")
    head.append(" fleettwin ", style="bold reverse")
    head.append(f"  {printable(screen.title)}  ", style="bold")
    if screen.fleet is not None:
        age = (screen.now - screen.fleet.tick).total_seconds()
        style = "green" if age < 5 else "yellow" if age < 30 else "red"
        head.append(f"{age:.1f} s old", style=style)
        head.append(f", {screen.fleet.tick:%Y-%m-%d %H:%M:%S} UTC  ", style="dim")
    head.append(printable(screen.phase), style="dim")
    return head


def _shortages(screen: Screen, rows: int, *, wide: bool) -> Panel:
    told = f"{screen.opened} opened, {screen.resolved} resolved so far"
    if not screen.shortages:
        return Panel(Text("nothing is short", style="green"), title="Shortages", subtitle=told, box=box.ROUNDED)
    worst_first = sorted(screen.shortages, key=lambda one: _WORST_FIRST.index(one.severity))
    shown = _foremost(worst_first, rows, worst_first.index)
    more = len(worst_first) - len(shown)
    lines = Table.grid(padding=(0, 2, 0, 0), expand=True)
    lines.add_column(no_wrap=True)
    lines.add_column(no_wrap=True, max_width=32 if wide else 18)
    if wide:
        lines.add_column(no_wrap=True)
    lines.add_column(no_wrap=True, ratio=1)
    lines.add_column(no_wrap=True, justify="right")
    for shortage in shown:
        lines.add_row(*_shortage(shortage, screen.now, wide=wide))
    if more:
        lines.add_row(Text(f"+{more:,}", style="dim"), Text("more", style="dim"))
    return Panel(lines, title="Shortages", subtitle=told, box=box.ROUNDED, border_style="red")


def _shortage(shortage: Shortage, now: datetime, *, wide: bool) -> list[Text]:
    colour = _COLOURS[shortage.severity]
    how_bad = Text(shortage.severity.value, style=f"bold {colour}")
    scope, lasted = Text(who(shortage.scope)), Text(f"{(now - shortage.since).total_seconds():,.0f} s", style="dim")
    if wide:
        return [how_bad, scope, Text(missing(shortage), style=colour), Text(why(shortage)), lasted]
    return [how_bad, scope, Text(briefly(shortage), style=colour), lasted]


def _pairs(title: str, pairs: Sequence[tuple[str, str]]) -> Panel:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    for name, value in pairs:
        grid.add_row(Text(printable(name), style="dim"), Text(printable(value)))
    return Panel(grid, title=title, box=box.ROUNDED, border_style="dim")


def picture(screen: Screen, title: str, width: int = 140) -> str:
    """The screen as an SVG document."""
    console = Console(record=True, width=width, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(render(screen, width))
    drawn = console.export_svg(title=title)
    return re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)  # they name fonts on somebody else's server
