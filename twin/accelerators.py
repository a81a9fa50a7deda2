"""The latest word of a site's nodes on each of their accelerators: lists of any lengths end to end, written in place.

Each node has room for as many accelerators as it was ever heard to have; the lists are laid out anew when that grows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from models.columns import UNSAID, AcceleratorColumns, Integers, spread, starts_of


def _no_nodes() -> Integers:
    return np.zeros(0, dtype=np.int64)


@dataclass
class AcceleratorTable:
    """What nodes say of their accelerators, by slot; it takes no room until one of them says anything."""

    _lengths: Integers = field(default_factory=_no_nodes)
    """Of each node's lists; 0 where its latest word has none."""
    _room: Integers = field(default_factory=_no_nodes)
    _starts: Integers = field(default_factory=_no_nodes)
    _values: Integers = field(default_factory=lambda: np.repeat(UNSAID, 0, axis=1))

    @classmethod
    def holding(cls, said: AcceleratorColumns) -> Self:
        """With what the nodes of the slots 0, 1, ... say."""
        return cls(said.lengths, said.lengths.copy(), starts_of(said.lengths), said.values)

    def put(self, slots: Integers, said: AcceleratorColumns | None) -> None:
        """Take what these nodes say now, no node twice, in place of all that they said before."""
        if said is None:
            self._lengths[slots[slots < self._lengths.size]] = 0
            return
        self._make_room(slots, said.lengths)
        self._lengths[slots] = said.lengths
        self._values[:, spread(self._starts[slots], said.lengths)] = said.values

    def of(self, slots: Integers) -> AcceleratorColumns:
        """What these nodes say."""
        lengths = self.lengths_of(slots)
        starts = np.zeros_like(lengths)
        known = slots < self._lengths.size
        starts[known] = self._starts[slots[known]]
        return AcceleratorColumns(lengths, self._values[:, spread(starts, lengths)])

    def lengths_of(self, slots: Integers) -> Integers:
        """Of how many accelerators each of these nodes says anything."""
        lengths = np.zeros(slots.size, dtype=np.int64)
        known = slots < self._lengths.size
        lengths[known] = self._lengths[slots[known]]
        return lengths

    def _make_room(self, slots: Integers, lengths: Integers) -> None:
        more = int(slots.max(initial=-1)) + 1 - self._lengths.size
        if more <= 0 and (lengths <= self._room[slots]).all():
            return
        held = self.of(np.arange(self._lengths.size + max(more, 0)))
        room = np.pad(self._room, (0, max(more, 0)))
        room[slots] = np.maximum(room[slots], lengths)
        self._lengths, self._room, self._starts = held.lengths, room, starts_of(room)
        self._values = np.repeat(UNSAID, room.sum(), axis=1)
        self._values[:, spread(self._starts, held.lengths)] = held.values
