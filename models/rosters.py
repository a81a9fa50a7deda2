"""Rosters that were read once need not be read again: who is in a frame is mostly who was in the one before."""

from __future__ import annotations

from cachetools import LRUCache

from models.columns import Roster
from models.edge import Mask

MOST_NODES = 2**20
"""In all rosters that are kept, together."""

_MOST_STRANGERS = 2**16

Known = tuple[Roster, Mask]
"""A roster, and which of its rows have names that can be used."""


class RosterCache:
    """Keeps rosters that came more than once; the one that was asked for longest ago goes first.

    Most come each second. A frame with a reading twice, or in another order, has one that never comes again: it would
    take the room of the others.
    """

    def __init__(self) -> None:
        self._known: LRUCache[bytes, Known] = LRUCache(MOST_NODES, getsizeof=lambda known: len(known[0].nodes) or 1)
        self._strangers: LRUCache[int, None] = LRUCache(_MOST_STRANGERS)

    def __len__(self) -> int:
        return len(self._known)

    def get(self, content: bytes) -> Known | None:
        """What is known of this content."""
        return self._known.get(content)

    def keep(self, content: bytes, known: Known) -> None:
        """Keep it, if its content has come before; two contents with the same hash do no harm."""
        stranger = hash(content)
        if stranger in self._strangers:
            del self._strangers[stranger]
            self._known[content] = known
        else:
            self._strangers[stranger] = None
