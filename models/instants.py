"""Event time as whole milliseconds since 1970 UTC: what the machines count in, and its form on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NewType

Instant = NewType("Instant", int)
"""Milliseconds since 1970-01-01T00:00:00Z."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

LAST = 253_402_214_400_000
"""9999-12-31: what is later may have no datetime in another time zone, or after the next tick."""


def ticks_have(moment: datetime) -> bool:
    """Whether it is one of the times that ticks can have: from 1970 to `LAST`."""
    return 0 <= instant_of(moment) <= LAST


def instant_of(moment: datetime) -> Instant:
    """The instant of an aware datetime; what is finer than a millisecond is cut off."""
    return Instant((moment - EPOCH) // _MILLISECOND)


def moment_of(instant: int) -> datetime:
    """The aware datetime (UTC) of an instant."""
    return EPOCH + instant * _MILLISECOND


def tick_at_or_after(instant: int, tick: int) -> Instant:
    """The first multiple of `tick` milliseconds that is not before `instant`."""
    return Instant(-(-instant // tick) * tick)


def tick_at_or_before(instant: int, tick: int) -> Instant:
    """The last multiple of `tick` milliseconds that is not after `instant`."""
    return Instant(instant // tick * tick)
