"""The latest word of every node of a site, as columns: how readings are folded in, and energy with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.catalogue import Catalogue
from models.columns import UNKNOWN as NOT_SAID
from models.columns import VALUE_NAMES, Integers, ReadingColumns
from twin.rules import Rules

NEVER = -1
"""Stands for an instant that has not come, and for watts that are not known."""

HALF_MICROJOULES = 2_000_000
"""In a joule. Milliwatts of two readings, added, times milliseconds are halves of a microjoule: no rounding."""


class Row(IntEnum):
    """The rows of the tables: what a reading brings, then what the twin keeps beside it."""

    SLOT = 0
    RACK = 1
    CODE = 2
    AT = 3
    SEQUENCE = 4
    INSTALLED = 5
    IN_SERVICE = 6
    ALLOCATED = 7
    POWER = 8
    UTILIZATION = 9
    SM_ACTIVE = 10
    MEMORY_USED = 11
    TEMPERATURE = 12
    STATE = 13
    DRAWN = 14
    IDLE_SINCE = 15
    JOULES = 16
    REST = 17


READING_ROWS = Row.STATE + 1
TABLE_ROWS = Row.REST + 1


@dataclass
class Counts:
    """What became of the rows that were folded."""

    duplicate: int = 0
    superseded: int = 0
    gaps: int = 0


@dataclass
class NodeTable:
    """The nodes of one site; `table[row, slot]` holds whole numbers in the units of `ReadingColumns`."""

    catalogue: Catalogue
    names: list[str] = field(default_factory=list)
    racks: list[str] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    table: Integers = field(default_factory=lambda: _empty(64))
    _slots: dict[str, int] = field(default_factory=dict)
    _rack_codes: dict[str, int] = field(default_factory=dict)
    _rosters: dict[bytes, Integers] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def known(self) -> Integers:
        """The table without its unused end."""
        return self.table[:, : len(self.names)]

    def rows_of(self, columns: ReadingColumns) -> Integers:
        """The readings as rows of the table's upper part, shape (READING_ROWS, n)."""
        who = self._roster_rows(columns)[:, columns.who]
        return np.vstack([who, *(getattr(columns, name) for name in VALUE_NAMES)])

    def _roster_rows(self, columns: ReadingColumns) -> Integers:
        roster = columns.roster
        known = self._rosters.get(roster.key)
        if known is None:
            # Only nodes with a good row become known: a slot is given when the row is first used.
            used = set(columns.who.tolist())
            slots = [self._slot(node) if i in used else NOT_SAID for i, node in enumerate(roster.nodes)]
            racks = [self._rack(rack) if i in used else NOT_SAID for i, rack in enumerate(roster.racks)]
            known = np.array([slots, racks, roster.codes], dtype=np.int64)
            if len(used) == len(roster.nodes):
                if len(self._rosters) >= 4096:
                    del self._rosters[next(iter(self._rosters))]
                self._rosters[roster.key] = known
        return known

    def _slot(self, node: str) -> int:
        slot = self._slots.setdefault(node, len(self.names))
        if slot == len(self.names):
            self.names.append(node)
            if slot >= self.table.shape[1]:
                self.table = np.hstack([self.table, _empty(self.table.shape[1])])
        return slot

    def _rack(self, rack: str) -> int:
        code = self._rack_codes.setdefault(rack, len(self.racks))
        if code == len(self.racks):
            self.racks.append(rack)
        return code

    def fold(self, rows: Integers, rules: Rules) -> None:
        """Take in the readings of one tick, whatever their order."""
        for turn in _turns(rows, self.racks):
            self._apply(turn, rules)

    def are_news(self, rows: Integers) -> NDArray[np.bool_]:
        """Which of the readings are newer than what their nodes have said; the others change nothing."""
        at, sequence = self.table[Row.AT, rows[Row.SLOT]], self.table[Row.SEQUENCE, rows[Row.SLOT]]
        news: NDArray[np.bool_] = (rows[Row.AT] > at) | ((rows[Row.AT] == at) & (rows[Row.SEQUENCE] > sequence))
        return news

    def _apply(self, rows: Integers, rules: Rules) -> None:
        """Take in readings of which no two are of one node."""
        slots = rows[Row.SLOT]
        before = self.table[:, slots]
        newer = self.are_news(rows)
        if not newer.all():
            same_time = rows[Row.AT] == before[Row.AT]
            repeated = int((same_time & (rows[Row.SEQUENCE] == before[Row.SEQUENCE])).sum())
            self.counts.duplicate += repeated
            self.counts.superseded += int((~newer).sum()) - repeated
            rows, before, slots = rows[:, newer], before[:, newer], slots[newer]
        after = np.empty((TABLE_ROWS, rows.shape[1]), dtype=np.int64)
        after[:READING_ROWS] = rows
        after[Row.DRAWN] = self._drawn(rows)
        seen, elapsed = before[Row.AT] != NEVER, rows[Row.AT] - before[Row.AT]
        far = seen & (elapsed > rules.longest_gap)
        self.counts.gaps += int(far.sum())
        counted = seen & ~far & (after[Row.DRAWN] != NEVER) & (before[Row.DRAWN] != NEVER)
        rest = before[Row.REST] + np.where(counted, (after[Row.DRAWN] + before[Row.DRAWN]) * elapsed, 0)
        after[Row.JOULES] = before[Row.JOULES] + rest // HALF_MICROJOULES
        after[Row.REST] = rest % HALF_MICROJOULES
        idles = (rows[Row.ALLOCATED] > 0) & (rows[Row.UTILIZATION] != NOT_SAID)
        idles &= rows[Row.UTILIZATION] < rules.idle_below
        began = np.where(before[Row.IDLE_SINCE] != NEVER, before[Row.IDLE_SINCE], rows[Row.AT])
        after[Row.IDLE_SINCE] = np.where(idles, began, NEVER)
        self.table[:, slots] = after

    def _drawn(self, rows: Integers) -> Integers:
        """Milliwatts as measured, else as modelled from utilisation, else `NEVER`."""
        measured: Integers = rows[Row.POWER]
        if (measured != NOT_SAID).all():
            return measured
        utilization = rows[Row.UTILIZATION]
        modelled = self.catalogue.columns.modelled(rows[Row.CODE], rows[Row.INSTALLED], np.maximum(utilization, 0))
        return np.where(measured != NOT_SAID, measured, np.where(utilization != NOT_SAID, modelled, NEVER))

    def canonical(self) -> Iterator[tuple[str | int, ...]]:
        """Every node as `told`, in the order of the nodes' names: equal for equal states, however they came."""
        for slot in sorted(range(len(self.names)), key=self.names.__getitem__):
            row = self.table[:, slot].tolist()
            if row[Row.AT] != NEVER:
                yield self.told([slot, *row[1:]])

    def told(self, row: list[int]) -> tuple[str | int, ...]:
        """A row with node, rack and type by their names: equal for equal rows, however the numbers were given."""
        return self.names[row[Row.SLOT]], self.racks[row[Row.RACK]], self.catalogue.ids[row[Row.CODE]], *row[Row.AT :]

    def head(self) -> dict[str, Any]:
        """What a snapshot needs beside `known`."""
        counts = self.counts
        return {
            "names": self.names,
            "racks": self.racks,
            "types": self.catalogue.ids,
            "counts": [counts.duplicate, counts.superseded, counts.gaps],
        }

    def restore(self, head: dict[str, Any], table: Integers) -> None:
        """Become what `head` and `known` were taken from; types are found again by their ids."""
        self.names, self.racks, self.counts = head["names"], head["racks"], Counts(*head["counts"])
        self._slots = {name: slot for slot, name in enumerate(self.names)}
        self._rack_codes = {rack: code for code, rack in enumerate(self.racks)}
        self._rosters.clear()
        self.table = np.hstack([table, _empty(64)])


def _empty(slots: int) -> Integers:
    table = np.zeros((TABLE_ROWS, slots), dtype=np.int64)
    table[[Row.AT, Row.DRAWN, Row.IDLE_SINCE]] = NEVER
    return table


def _turns(rows: Integers, racks: list[str]) -> Iterator[Integers]:
    """The rows in turns without two of one node, each node's in order of time; ties go by all that they say."""
    slots = rows[Row.SLOT]
    if slots.size == 0:
        return
    if np.bincount(slots).max() == 1:
        yield rows
        return
    rank = np.empty(len(racks), dtype=np.int64)  # a rack's code tells when it was first heard of, its name does not
    rank[sorted(range(len(racks)), key=racks.__getitem__)] = np.arange(len(racks))
    said = (rank[rows[Row.RACK]], rows[Row.CODE], *rows[Row.INSTALLED :])
    keys: tuple[NDArray[Any], ...] = (*said, rows[Row.SEQUENCE], rows[Row.AT], slots)
    rows = rows[:, np.lexsort(keys)]
    slots = rows[Row.SLOT]
    first = np.flatnonzero(np.r_[True, slots[1:] != slots[:-1]])
    turn = np.arange(slots.size) - np.repeat(first, np.diff(np.r_[first, slots.size]))
    for number in range(int(turn.max()) + 1):
        yield rows[:, turn == number]
