"""The latest word of every node of a site, as columns: how readings are folded in, and energy with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.catalogue import Catalogue
from models.columns import UNKNOWN as NOT_SAID
from models.columns import VALUE_NAMES, AcceleratorColumns, Integers, ReadingColumns
from twin.accelerators import AcceleratorTable
from twin.rows import READING_ROWS, TABLE_ROWS, Row, Rows
from twin.rules import Rules

NEVER = -1
"""Stands for an instant that has not come, and for watts that are not known."""

HALF_MICROJOULES = 2_000_000
"""In a joule. Milliwatts of two readings, added, times milliseconds are halves of a microjoule: no rounding."""


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
    accelerators: AcceleratorTable = field(default_factory=AcceleratorTable)
    _slots: dict[str, int] = field(default_factory=dict)
    _rack_codes: dict[str, int] = field(default_factory=dict)
    _rosters: dict[bytes, Integers] = field(default_factory=dict)
    _by_name: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def known(self) -> Integers:
        """The table without its unused end."""
        return self.table[:, : len(self.names)]

    def rows_of(self, columns: ReadingColumns) -> Rows:
        """The readings as rows of the table's upper part."""
        who = self._roster_rows(columns)[:, columns.who]
        return Rows(np.vstack([who, *(getattr(columns, name) for name in VALUE_NAMES)]), columns.accelerators)

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

    def slot_of(self, node: str) -> int | None:
        """Where a node stands in the table; none where nothing was ever folded of it."""
        slot = self._slots.get(node)
        return None if slot is None or self.table[Row.AT, slot] == NEVER else slot

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

    def fold(self, rows: Rows, rules: Rules) -> None:
        """Take in the readings of one tick, whatever their order."""
        for turn in rows.turns(self.racks):
            self._apply(turn, rules)

    def are_news(self, rows: Integers) -> NDArray[np.bool_]:
        """Which of the readings are newer than what their nodes have said; the others change nothing."""
        at, sequence = self.table[Row.AT, rows[Row.SLOT]], self.table[Row.SEQUENCE, rows[Row.SLOT]]
        news: NDArray[np.bool_] = (rows[Row.AT] > at) | ((rows[Row.AT] == at) & (rows[Row.SEQUENCE] > sequence))
        return news

    def _apply(self, taken: Rows, rules: Rules) -> None:
        """Take in readings of which no two are of one node."""
        rows, accelerators = taken.numbers, taken.accelerators
        slots = rows[Row.SLOT]
        before = self.table[:, slots]
        newer = self.are_news(rows)
        if not newer.all():
            same_time = rows[Row.AT] == before[Row.AT]
            repeated = int((same_time & (rows[Row.SEQUENCE] == before[Row.SEQUENCE])).sum())
            self.counts.duplicate += repeated
            self.counts.superseded += int((~newer).sum()) - repeated
            taken = taken.part(newer)
            rows, accelerators, before, slots = taken.numbers, taken.accelerators, before[:, newer], slots[newer]
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
        self.accelerators.put(slots, accelerators)

    def _drawn(self, rows: Integers) -> Integers:
        """Milliwatts as measured, else as modelled from utilisation, else `NEVER`."""
        measured: Integers = rows[Row.POWER]
        if (measured != NOT_SAID).all():
            return measured
        utilization = rows[Row.UTILIZATION]
        modelled = self.catalogue.columns.modelled(rows[Row.CODE], rows[Row.INSTALLED], np.maximum(utilization, 0))
        return np.where(measured != NOT_SAID, measured, np.where(utilization != NOT_SAID, modelled, NEVER))

    @property
    def by_name(self) -> Integers:
        """The slots of all nodes in the order of their names."""
        if self._by_name.size != len(self.names):
            self._by_name = np.array(sorted(range(len(self.names)), key=self.names.__getitem__), dtype=np.int64)
        return self._by_name

    def canonical(self) -> Iterator[tuple[Any, ...]]:
        """Every node as `told`, in the order of the nodes' names: equal for equal states, however they came."""
        slots = self.by_name[self.table[Row.AT, self.by_name] != NEVER]
        numbers = self.table[:, slots]
        numbers[Row.SLOT] = slots
        yield from self.told(numbers, self.accelerators.of(slots))

    def told(self, numbers: Integers, accelerators: AcceleratorColumns | None) -> Iterator[tuple[Any, ...]]:
        """Rows with node, rack and type by their names: equal for equal rows, however the numbers were given.

        What a node says of its accelerators stands at the end, by measure.
        """
        lists = (accelerators or AcceleratorColumns.none(numbers.shape[1])).each()
        for row, list_ in zip(numbers.T.tolist(), lists, strict=True):
            who = self.names[row[Row.SLOT]], self.racks[row[Row.RACK]], self.catalogue.ids[row[Row.CODE]]
            yield (*who, *row[Row.AT :], *list_)

    def head(self) -> dict[str, Any]:
        """What a snapshot needs beside `known`."""
        counts = self.counts
        return {
            "names": self.names,
            "racks": self.racks,
            "types": self.catalogue.ids,
            "counts": [counts.duplicate, counts.superseded, counts.gaps],
        }

    def restore(self, head: dict[str, Any], table: Integers, accelerators: AcceleratorColumns | None) -> None:
        """Become what `head`, `known` and `accelerators` were taken from; types are found again by their ids."""
        self.names, self.racks, self.counts = head["names"], head["racks"], Counts(*head["counts"])
        self._slots = {name: slot for slot, name in enumerate(self.names)}
        self._rack_codes = {rack: code for code, rack in enumerate(self.racks)}
        self._rosters.clear()
        self._by_name = self._by_name[:0]
        self.table = np.hstack([table, _empty(64)])
        self.accelerators = AcceleratorTable() if accelerators is None else AcceleratorTable.holding(accelerators)


def _empty(slots: int) -> Integers:
    table = np.zeros((TABLE_ROWS, slots), dtype=np.int64)
    table[[Row.AT, Row.DRAWN, Row.IDLE_SINCE]] = NEVER
    return table
