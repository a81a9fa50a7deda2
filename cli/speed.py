"""`--speed`: how many seconds of event time pass in a second."""

from __future__ import annotations

import math

from models.errors import ConfigurationError

FASTEST = "max"


def speed_of(text: str) -> float | None:
    """The speed that an option says; none means as fast as it goes.

    Raises:
        ConfigurationError: it is neither a number above 0 nor `max`.
    """
    if text == FASTEST:
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise ConfigurationError("--speed", text, f"a number above 0, or {FASTEST}")
    return speed
