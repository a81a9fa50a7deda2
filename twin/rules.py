"""The rules that the machines follow: the same rules and the same log give the same result."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

import orjson

_REVISION = 2
"""Counted up when the machines come to something else under the same rules."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All durations in milliseconds of event time, all fractions in parts per million."""

    tick: int = 1000
    grace: int = 500
    """A tick closes when the clock has passed it by so much."""
    stale_after: int = 15_000
    lost_after: int = 60_000
    longest_gap: int = 60_000
    """No energy is counted between two readings of a node that are further apart."""
    node_interval: int = 10_000
    """Node frames of a site are put out once in it, at a tick that its name tells."""
    idle_below: int = 50_000
    """An allocated node with less utilisation is held idle, once it has lasted `idle_after`."""
    idle_after: int = 300_000
    longest_jump: int = 600_000
    """A clock that jumps further over a time with nothing to fold closes its last tick alone."""
    open_after: int = 5000
    resolve_after: int = 5000
    unplaced_after: int = 60_000
    """As `open_after`, for demand that could be served and is not granted: a scheduler has so long."""
    escalate_after: int = 3_600_000
    """A shortage that has lasted so long is one step more severe; 0: age never counts."""
    unknown_above: int = 100_000
    """A site with more of its accelerators unknown has a visibility shortage."""

    @property
    def digest(self) -> str:
        """Tells one set of rules from another; a checkpoint is good for the rules that made it."""
        rules = {**asdict(self), "revision": _REVISION}
        return hashlib.sha256(orjson.dumps(rules, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
