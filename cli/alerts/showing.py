"""Shortages for people: one event as a line, and what is open as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rich import box
from rich.table import Table
from rich.text import Text

from models.shortage import Severity, Shortage
from models.wording import also, amount, missing, printable, who, why

_STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: ""}


def line(shortage: Shortage) -> str:
    """One event for people: a sentence on what binds and what one more unit brings, and what else binds."""
    others = [also(shortage)] if shortage.also else []
    return "  ".join(
        (
            _when(shortage.at),
            f"{shortage.severity:<8}",
            f"{shortage.change:<8}",
            who(shortage.scope),
            "; also ".join((printable(shortage.binding.summary), *others)),
            f"missing {amount(shortage.missing)}",
        )
    )


def open_table(shortages: Sequence[Shortage], now: datetime) -> Table:
    """What is open, one episode a row."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("since", "for", "severity", "who", "short"):
        table.add_column(name, no_wrap=True)
    table.add_column("what binds")
    for shortage in shortages:
        table.add_row(
            _when(shortage.since),
            _long(now - shortage.since),
            Text(shortage.severity.value, _STYLES[shortage.severity]),
            Text(who(shortage.scope)),
            missing(shortage),
            Text(why(shortage)),
        )
    return table


def _when(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")


def _long(lasted: timedelta) -> str:
    """In the two largest units that say something: `3d 4h`, `12m 5s`; nothing of what is yet to come."""
    seconds = max(0, int(lasted.total_seconds()))
    parts = (
        (seconds // 86_400, "d"),
        (seconds // 3600 % 24, "h"),
        (seconds // 60 % 60, "m"),
        (seconds % 60, "s"),
    )
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count}{unit}" for count, unit in parts[first : first + 2])
