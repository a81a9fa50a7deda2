"""Rosters that were read once need not be read again: who is in a frame is mostly who was in the one before."""

from __future__ import annotations

from typing import NamedTuple

from cachetools import LRUCache

from models.columns import Roster
from models.edge import Mask

MOST_BYTES = 192 * 1024 * 1024
"""What all rosters that are kept may take; those of a million nodes with short names take less."""

_MOST_STRANGERS = 2**16
_ROW_BYTES = 120
"""Roughly, of a row's name, its rack and its place, beside the content."""

Known = tuple[Roster, Mask]
"""A roster, and which of its rows have names that can be used."""


class _Kept(NamedTuple):
    known: Known
    bytes: int


class RosterCache:
    """Keeps rosters that came more than once; the one that was asked for longest ago goes first.

    Most come each second. A frame with a reading twice, or in another order, has one that never comes again: it would
    take the room of the others.
    """

    def __init__(self) -> None:
        self._kept: LRUCache[bytes, _Kept] = LRUCache(MOST_BYTES, getsizeof=lambda kept: kept.bytes)
        self._strangers: LRUCache[int, None] = LRUCache(_MOST_STRANGERS)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, content: bytes) -> Known | None:
        """What is known of this content."""
        kept = self._kept.get(content)
        return None if kept is None else kept.known

    def keep(self, content: bytes, known: Known) -> None:
        """Keep it, if its content has come before; two contents with the same hash do no harm."""
        stranger, size = hash(content), len(content) + _ROW_BYTES * len(known[0].nodes)
        if stranger not in self._strangers:
            self._strangers[stranger] = None
        elif size <= MOST_BYTES:
            del self._strangers[stranger]
            self._kept[content] = _Kept(known, size)
