"""Where the power of a node was measured."""

from __future__ import annotations

from enum import StrEnum


class Measured(StrEnum):
    """At the wall, or behind the power supplies."""

    AC = "ac"
    """At the wall."""
    DC = "dc"
    """Behind the power supplies."""
