"""The tables of the live screen: sites with the fleet, tenants, accelerator types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text

from models.state import FleetState, PoolState, Presence, SiteState, TenantState, Totals
from models.wording import printable

_BAR, _SHORT_BAR = 12, 6
_TIGHT, _FULL = 0.9, 1.0
"""Shares of the supply from which the power bar turns yellow, and red."""

_LONGEST_NAME, _LONGEST_WIDE_NAME = 18, 40
"""Columns for a name; what is longer is cut, so that the figures beside it are not."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; one that is `only_wide` is for wide terminals."""

    name: str
    only_wide: bool = False


def table_of(
    columns: Sequence[Column], rows: Sequence[Sequence[Text]], *, wide: bool, last: Sequence[Text] = ()
) -> Table:
    """A table whose first column, of names, stands left and is cut where it is long; `last` is set apart below."""
    shown = [number for number, column in enumerate(columns) if wide or not column.only_wide]
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, expand=True, padding=(0, 1) if wide else (0, 0, 0, 1)
    )
    for number in shown:
        longest = None if number else _LONGEST_WIDE_NAME if wide else _LONGEST_NAME
        table.add_column(columns[number].name, justify="right" if number else "left", no_wrap=True, max_width=longest)
    for row in rows:
        table.add_row(*(row[number] for number in shown))
    if last:
        table.add_section()
        table.add_row(*(last[number] for number in shown))
    return table


_SITES = (
    Column("site"),
    Column("of supply"),
    Column("MW"),
    Column("headroom"),
    Column("in service", only_wide=True),
    Column("allocated", only_wide=True),
    Column("free"),
    Column("busy", only_wide=True),
    Column("nodes"),
    Column("stale", only_wide=True),
    Column("lost"),
    Column("unseen", only_wide=True),
    Column("short"),
)


def sites_table(sites: Sequence[SiteState], fleet: FleetState, more: int, *, wide: bool) -> Table:
    """The sites, and the fleet below them; `more` are not shown."""
    rows = [[_site_name(site), *_totals(site, wide=wide)] for site in sites]
    if more:
        rows.append(_and_more(more, "sites", len(_SITES)))
    return table_of(_SITES, rows, wide=wide, last=[Text("fleet", style="bold"), *_totals(fleet, wide=wide)])


def _site_name(site: SiteState) -> Text:
    mark = "" if site.presence is Presence.PRESENT else f" ({site.presence.value.replace('_', ' ')})"
    return Text(printable(site.site) + mark)


def _totals(totals: Totals, *, wide: bool) -> list[Text]:
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


_TENANTS = tuple(map(Column, ("tenant", "deserved", "granted", "pending", "starved", "borrowing", "servable")))


def tenants_table(tenants: Sequence[TenantState], more: int, *, wide: bool) -> Table:
    """Who has what and who waits, in accelerators; `more` are not shown."""
    rows = [
        [
            Text(printable(tenant.tenant)),
            _count(tenant.deserved),
            _count(tenant.granted),
            _count(tenant.pending),
            _count(tenant.starved, "red"),
            _count(tenant.borrowing, "cyan"),
            _count(tenant.servable, "yellow"),
        ]
        for tenant in tenants
    ]
    if more:
        rows.append(_and_more(more, "tenants", len(_TENANTS)))
    return table_of(_TENANTS, rows, wide=wide)


def _count(count: int | None, style: str = "") -> Text:
    """`?` where it is not known; a zero is no reason to look."""
    return Text("?" if count is None else f"{count:,}", style=style if count else "dim")


_POOLS = (
    Column("type"),
    Column("installed", only_wide=True),
    Column("in service"),
    Column("allocated"),
    Column("free"),
    Column("held idle", only_wide=True),
    Column("unknown", only_wide=True),
    Column("H100e free", only_wide=True),
    Column("busy"),
)


def pools_table(pools: Sequence[PoolState], more: int, *, wide: bool) -> Table:
    """The accelerators by type; `more` types are not shown."""
    rows = [
        [
            Text(printable(pool.type)),
            Text(f"{pool.installed:,}"),
            Text(f"{pool.in_service:,}"),
            Text(f"{pool.allocated:,}"),
            Text(f"{pool.free:,}", style="" if pool.free else "red"),
            Text(f"{pool.held_idle:,}"),
            Text(f"{pool.unknown:,}"),
            Text(f"{pool.h100e_free:,.0f}"),
            Text("?" if pool.utilization is None else f"{pool.utilization:.0%}"),
        ]
        for pool in pools
    ]
    if more:
        rows.append(_and_more(more, "types", len(_POOLS)))
    return table_of(_POOLS, rows, wide=wide)


def _and_more(more: int, what: str, columns: int) -> list[Text]:
    return [Text(f"and {more:,} more {what}", style="dim"), *[Text()] * (columns - 1)]
