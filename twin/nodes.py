"""The latest word of every node of a site, as columns: how readings are folded in, and energy with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.catalogue import Catalogue
from models.columns import UNKNOWN as NOT_SAID
from models.columns import VALUE_NAMES, AcceleratorColumns, Integers, ReadingColumns, Roster
from twin.accelerators import AcceleratorTable
from twin.heads import NodesHead
from twin.rows import READING_ROWS, TABLE_ROWS, Row, Rows
from twin.rules import Rules

NEVER = -1
"""Stands for an instant that has not come, and for watts that are not known."""


HALF_MICROJOULES = 2_000_000
"""In a joule. Milliwatts of two readings, added, times milliseconds are halves of a microjoule: no rounding."""


_CARRIED = (Row.AT, Row.DRAWN, Row.IDLE_SINCE, Row.JOULES, Row.REST)
"""What of a node's row before a reading decides the row after it."""


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
    _rosters: WeakKeyDictionary[Roster, Integers] = field(default_factory=WeakKeyDictionary)
    """The table's rows of the rosters that whoever decodes still keeps."""
    _racks_by_name: list[int] = field(default_factory=list)
    _by_name: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _names: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def known(self) -> Integers:
        """The table without its unused end."""
        return self.table[:, : len(self.names)]

    def of(self, slots: Integers) -> Integers:
        """The table of these nodes alone, to be read only: a part of the table itself where they follow one another."""
        return self.table[:, run_of(slots)]

    def rows_of(self, columns: ReadingColumns) -> Rows:
        """The readings as rows of the table's upper part."""
        numbers = np.empty((READING_ROWS, len(columns)), dtype=np.int64)
        numbers[: Row.AT] = self._roster_rows(columns)[:, run_of(columns.who)]
        for row, name in enumerate(VALUE_NAMES, start=Row.AT):
            numbers[row] = getattr(columns, name)
        return Rows(numbers, columns.accelerators)

    def _roster_rows(self, columns: ReadingColumns) -> Integers:
        roster = columns.roster
        known = self._rosters.get(roster)
        if known is None:
            # Only nodes with a good row become known: a slot is given when the row is first used.
            used = set(columns.who.tolist())
            slots = [self._slot(node) if i in used else NOT_SAID for i, node in enumerate(roster.nodes)]
            racks = [self._rack(rack) if i in used else NOT_SAID for i, rack in enumerate(roster.racks)]
            known = np.array([slots, racks, roster.codes], dtype=np.int64)
            if len(used) == len(roster.nodes):
                self._rosters[roster] = known
        return known

    def slot_of(self, node: str) -> int | None:
        """Where a node stands in the table; none where nothing was ever folded of it."""
        slot = self._slots.get(node)
        return None if slot is None or self.table[Row.AT, slot] == NEVER else slot

    def place(self, node: str, rack: str) -> tuple[int, int]:
        """The slot of a node and the code of a rack, which become known by that."""
        return self._slot(node), self._rack(rack)

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
        for turn in rows.turns(self.racks_by_name):
            self._apply(turn, rules)

    def are_news(self, rows: Integers) -> NDArray[np.bool_]:
        """Which of the readings are newer than what their nodes have said; the others change nothing."""
        slots = run_of(rows[Row.SLOT])
        at, sequence = self.table[Row.AT, slots], self.table[Row.SEQUENCE, slots]
        news: NDArray[np.bool_] = rows[Row.AT] > at
        if not news.all():
            news |= (rows[Row.AT] == at) & (rows[Row.SEQUENCE] > sequence)
        return news

    def _apply(self, taken: Rows, rules: Rules) -> None:
        """Take in readings of which no two are of one node."""
        rows = taken.numbers
        newer = self.are_news(rows)
        if not newer.all():
            known = self.table[:, rows[Row.SLOT]]
            same = (rows[Row.AT] == known[Row.AT]) & (rows[Row.SEQUENCE] == known[Row.SEQUENCE])
            repeated = int(same.sum())
            self.counts.duplicate += repeated
            self.counts.superseded += int((~newer).sum()) - repeated
            taken = taken.part(newer)
            rows = taken.numbers
        slots = run_of(rows[Row.SLOT])
        drawn, at = self._drawn(rows), rows[Row.AT]
        before = {row: self.table[row, slots] for row in _CARRIED}
        seen, elapsed = before[Row.AT] != NEVER, at - before[Row.AT]
        far = seen & (elapsed > rules.longest_gap)
        self.counts.gaps += int(np.count_nonzero(far))
        counted = seen & ~far & (drawn != NEVER) & (before[Row.DRAWN] != NEVER)
        rest = before[Row.REST] + np.where(counted, (drawn + before[Row.DRAWN]) * elapsed, 0)
        joules = rest // HALF_MICROJOULES
        rest -= joules * HALF_MICROJOULES  # several times as fast as NumPy's divmod, which is the same
        joules += before[Row.JOULES]
        idles = (rows[Row.ALLOCATED] > 0) & (rows[Row.UTILIZATION] != NOT_SAID)
        idles &= rows[Row.UTILIZATION] < rules.idle_below
        began = np.where(before[Row.IDLE_SINCE] != NEVER, before[Row.IDLE_SINCE], at)
        self.table[:READING_ROWS, slots] = rows
        self.table[Row.DRAWN, slots] = drawn
        self.table[Row.IDLE_SINCE, slots] = np.where(idles, began, NEVER)
        self.table[Row.JOULES, slots] = joules
        self.table[Row.REST, slots] = rest
        self.accelerators.put(rows[Row.SLOT], taken.accelerators)

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

    @property
    def racks_by_name(self) -> list[int]:
        """The codes of all racks in the order of their names."""
        if len(self._racks_by_name) != len(self.racks):
            self._racks_by_name = sorted(range(len(self.racks)), key=self.racks.__getitem__)
        return self._racks_by_name

    def named(self, slots: Integers) -> pa.Array:
        """The names of these nodes as an Arrow column."""
        if len(self._names) != len(self.names):
            self._names = pa.array(self.names, pa.string())
        return self._names.take(pa.array(slots))

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

    def restore(self, head: NodesHead, table: Integers, accelerators: AcceleratorColumns | None) -> None:
        """Become what `head`, `known` and `accelerators` were taken from; types are found again by their ids."""
        self.names, self.racks, self.counts = head.names, head.racks, Counts(*head.counts)
        self._slots = {name: slot for slot, name in enumerate(self.names)}
        self._rack_codes = {rack: code for code, rack in enumerate(self.racks)}
        self._rosters.clear()
        self._by_name, self._names, self._racks_by_name = self._by_name[:0], self._names[:0], []
        self.table = np.hstack([table, _empty(64)])
        self.accelerators = AcceleratorTable() if accelerators is None else AcceleratorTable.holding(accelerators)


def run_of(slots: Integers) -> Integers | slice:
    """The slots, as a slice where they follow one another: those of a frame mostly do, and need no gathering then."""
    if slots.size and slots[-1] - slots[0] == slots.size - 1 and (np.diff(slots) == 1).all():
        return slice(int(slots[0]), int(slots[-1]) + 1)
    return slots


def _empty(slots: int) -> Integers:
    table = np.zeros((TABLE_ROWS, slots), dtype=np.int64)
    table[[Row.AT, Row.DRAWN, Row.IDLE_SINCE]] = NEVER
    return table
