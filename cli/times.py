"""Times as options say them: instants with an offset from UTC, and how long something is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from models.errors import ConfigurationError
from models.instants import instant_of

UNITS: Mapping[str, int] = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
"""Milliseconds in one of each."""


def instant_said(option: str, text: str, expected: str) -> int:
    """The instant that an option says, in milliseconds.

    Args:
        option: Its name, for messages.
        text: What it says.
        expected: What would have been right, where it is no time at all.

    Raises:
        ConfigurationError: it is no time in ISO 8601, or has no offset.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(option, text, expected) from None
    if moment.tzinfo is None:
        raise ConfigurationError(option, text, "an offset from UTC, such as the Z in 2026-01-01T00:00:00Z")
    return instant_of(moment)


def length_said(text: str, units: Mapping[str, int] = UNITS) -> int | None:
    """How long `90s` or `15m` is, in milliseconds; none where the text is no such length."""
    said = re.fullmatch(rf"([0-9]{{1,9}})({'|'.join(units)})", text)
    return None if said is None else int(said[1]) * units[said[2]]
