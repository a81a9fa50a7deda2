"""Rosters that were read once need not be read again: who is in a frame is mostly who was in the one before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias

import pyarrow as pa
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

_Part: TypeAlias = pa.Buffer | int | None


@dataclass(frozen=True, slots=True)
class RosterContent:
    """Who a frame's rows are, as the frame lies in memory: nothing of it is copied, or made a Python string."""

    hint: tuple[object, ...]
    """Equal for equal contents, and mostly different for others."""
    parts: tuple[_Part, ...]
    """Equal for equal contents only."""

    @classmethod
    def of(cls, nodes: pa.Array, *others: pa.Array | None) -> Self:
        """The content that is in these columns; the first one has the names of the nodes."""
        ends = [nodes[place].as_py() for place in ((0, -1) if len(nodes) else ())]
        parts = (part for array in (nodes, *others) for part in _parts(array))
        return cls((len(nodes), *ends), tuple(parts))

    @property
    def bytes(self) -> int:
        """How many it has."""
        return sum(part.size for part in self.parts if isinstance(part, pa.Buffer))

    def equals(self, other: Self) -> bool:
        """Whether all of it is the same."""
        return len(self.parts) == len(other.parts) and all(map(_same, self.parts, other.parts))

    def copied(self) -> Self:
        """The same in memory of its own: the frame can go."""
        own = (pa.py_buffer(part.to_pybytes()) if isinstance(part, pa.Buffer) else part for part in self.parts)
        return type(self)(self.hint, tuple(own))

    def digest(self) -> int:
        """A hash of all of it; two contents with the same one do no harm."""
        return hash(tuple(part.to_pybytes() if isinstance(part, pa.Buffer) else part for part in self.parts))


class _Kept(NamedTuple):
    content: RosterContent
    known: Known
    bytes: int


class RosterCache:
    """Keeps rosters that came more than once; the one that was asked for longest ago goes first.

    Most come each second. A frame with a reading twice, or in another order, has one that never comes again: it would
    take the room of the others. Of those with the same hint the newest is kept.
    """

    def __init__(self) -> None:
        self._kept: LRUCache[tuple[object, ...], _Kept] = LRUCache(MOST_BYTES, getsizeof=lambda kept: kept.bytes)
        self._strangers: LRUCache[int, None] = LRUCache(_MOST_STRANGERS)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, content: RosterContent) -> Known | None:
        """What is known of this content."""
        kept = self._kept.get(content.hint)
        return kept.known if kept is not None and kept.content.equals(content) else None

    def keep(self, content: RosterContent, known: Known) -> None:
        """Keep it, if its content has come before."""
        stranger, size = content.digest(), content.bytes + _ROW_BYTES * len(known[0].nodes)
        if stranger not in self._strangers:
            self._strangers[stranger] = None
        elif size <= MOST_BYTES:
            del self._strangers[stranger]
            self._kept[content.hint] = _Kept(content.copied(), known, size)


def _parts(array: pa.Array | None) -> Iterator[_Part]:
    """Its length and its buffers, and those of its dictionary."""
    if array is None:
        yield None
        return
    if array.offset:
        array = pa.concat_arrays([array])
    yield len(array)
    yield from array.buffers()
    if isinstance(array, pa.DictionaryArray):
        yield from _parts(array.dictionary)


def _same(one: _Part, other: _Part) -> bool:
    if isinstance(one, pa.Buffer) and isinstance(other, pa.Buffer):
        return bool(one.equals(other))
    return type(one) is type(other) and one == other
