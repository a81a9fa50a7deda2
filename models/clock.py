"""Clock records: how time enters a log."""

from __future__ import annotations

from pydantic import AwareDatetime

from models.names import Event


class Clock(Event):
    """Everything up to `until` has been sent into this partition."""

    until: AwareDatetime
    """Ticks that end by then may close, after the grace."""
