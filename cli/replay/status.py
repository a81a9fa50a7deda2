"""Where a replay stands, in one line on the terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from streams.logs.parts import told
from streams.logs.playback import Command, Status
from streams.logs.replaying import Desk

_LATE_SECONDS = 0.5
"""Less is no more than the time between two looks."""


def in_words(status: Status, sent: int) -> str:
    """`2026-01-01T00:00:05.000Z  x4, 1,234 sent, 2.0 s behind`."""
    speed = "as fast as it goes" if status.speed is None else f"x{status.speed:g}"
    parts = ["paused" if status.paused else speed, f"{sent:,} sent"]
    if status.behind_seconds >= _LATE_SECONDS:
        parts.append(f"{status.behind_seconds:,.1f} s behind")
    return f"{'-' if status.log_time is None else told(status.log_time)}  {', '.join(parts)}"


class StatusLine:
    """Shows what another desk's replay does, on a terminal, as a context manager; the line is gone afterwards."""

    def __init__(self, desk: Desk, console: Console, hint: str) -> None:
        self._desk, self._hint = desk, hint
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def look(self, seconds: float | None, *, stepping: bool) -> Command | None:
        """The other desk's command."""
        return self._desk.look(seconds, stepping=stepping)

    def show(self, status: Status, sent: int) -> None:
        """Draw the line."""
        line = Text(in_words(status, sent), no_wrap=True, overflow="ellipsis")
        line.append(f"   {self._hint}", style="dim")
        self._live.update(line, refresh=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
