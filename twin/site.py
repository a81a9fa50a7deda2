"""One site's twin: readings are held until their tick closes, so that order within the grace does not matter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson
from numpy.typing import NDArray

from models.catalogue import Catalogue
from models.columns import AcceleratorColumns, Integers, ReadingColumns
from models.instants import tick_at_or_after
from models.sample import SiteSample
from models.single import SingleReading
from twin.heads import SiteHead
from twin.nodes import NodeTable
from twin.packing import pack, unpack
from twin.rows import READING_ROWS, TABLE_ROWS, Row, Rows
from twin.rules import Rules
from twin.sampling import sample_site
from twin.singles import Singles
from twin.soundness import check_accelerators, check_table


@dataclass
class SiteTwin:
    """The site machine's state of one site. Time comes from outside: ticks are closed one after the other."""

    site: str
    rules: Rules
    catalogue: Catalogue
    nodes: NodeTable = field(init=False)
    held: dict[int, list[Rows | Singles]] = field(default_factory=dict)
    """Readings by the tick they count for, in the order in which they came."""
    first: int | None = None
    """The first tick that is sampled."""
    closed: int | None = None
    """The last tick that is closed."""
    observed: int = 0
    late: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.nodes = NodeTable(self.catalogue)

    def observe(self, columns: ReadingColumns, open_tick: int | None) -> None:
        """Hold readings for their ticks; those of ticks before `open_tick`, the first not closed, count for that."""
        if not len(columns):
            return
        rows = self.nodes.rows_of(columns)
        at, tick = rows.numbers[Row.AT], self.rules.tick
        earliest, latest = tick_at_or_after(int(at.min()), tick), tick_at_or_after(int(at.max()), tick)
        if earliest == latest and (open_tick is None or earliest >= open_tick):
            self._hold(earliest, rows)
            return
        ticks = -(-at // tick) * tick
        if open_tick is not None:
            self.late += int((ticks < open_tick).sum())
            ticks = np.maximum(ticks, open_tick)
        for due in np.unique(ticks).tolist():
            self._hold(due, rows.part(ticks == due))

    def _hold(self, tick: int, rows: Rows) -> None:
        self.observed += len(rows)
        self.first = tick if self.first is None else min(self.first, tick)
        self.held.setdefault(tick, []).append(rows)

    def observe_single(self, reading: SingleReading, open_tick: int | None) -> None:
        """Hold one reading as `observe` does."""
        tick: int = tick_at_or_after(reading.at, self.rules.tick)
        if open_tick is not None and tick < open_tick:
            self.late += 1
            tick = open_tick
        self.observed += 1
        if self.first is None or tick < self.first:
            self.first = tick
        lots = self.held.setdefault(tick, [])
        if lots and isinstance(lots[-1], Singles):
            singles = lots[-1]
        else:
            singles = Singles()
            lots.append(singles)
        singles.add(*self.nodes.place(reading.node, reading.rack), reading)

    def close(self, tick: int) -> SiteSample | None:
        """Fold what is held for the tick and sample the site; nothing before its first reading."""
        self.closed = tick
        if self.first is None or self.first > tick:
            return None
        for due in sorted(due for due in self.held if due <= tick):
            self.nodes.fold(_joined(self.held.pop(due)), self.rules)
        return sample_site(self.site, self.nodes, tick, self.rules, self.observed, self.late, self.refused)

    def digest(self) -> str:
        """SHA-256 of what the twin knows and holds; intake counts and repeats tell how the log was cut: left out."""
        known = hashlib.sha256(orjson.dumps([self.site, self.nodes.counts.gaps]))
        for node in self.nodes.canonical():
            known.update(orjson.dumps(node))
        for tick in sorted(self.held):
            rows = _joined(self.held[tick])
            news = rows.part(self.nodes.are_news(rows.numbers))
            held = sorted(set(self.nodes.told(news.numbers, news.accelerators)))
            if held:
                known.update(orjson.dumps([tick, held]))
        return known.hexdigest()

    def snapshot(self) -> bytes:
        """The state as bytes; `restored` turns them back."""
        ticks = sorted(self.held)
        head = {
            "site": self.site,
            "first": self.first,
            "intake": [self.observed, self.late, self.refused],
            "ticks": ticks,
            "nodes": self.nodes.head(),
        }
        arrays = {"known": self.nodes.known} | _arrays("known", self.nodes.accelerators.of(np.arange(len(self.nodes))))
        for tick in ticks:
            rows = _joined(self.held[tick])
            arrays |= {f"held{tick}": rows.numbers} | _arrays(f"held{tick}", rows.accelerators)
        return pack(head, arrays)


def ticks_between(closed: int, due: int, held: Iterable[int], rules: Rules) -> list[int]:
    """The ticks after `closed` up to `due` that a site is sampled at, which holds readings for the ticks `held`.

    All of them, unless the clock jumps further than `longest_jump` over a time for which nothing is held: that is
    skipped, up to the next readings or to the last tick.
    """
    ticks: list[int] = []
    tick = closed + rules.tick
    if tick > due:
        return ticks  # what came before the first clock may still be held, for ticks that are closed
    for target in sorted({due, *(max(wanted, tick) for wanted in held if wanted <= due)}):
        if target - tick > rules.longest_jump:
            tick = target
        ticks += range(tick, target + 1, rules.tick)
        tick = max(tick, target + rules.tick)
    return ticks


def restored(packed: bytes, rules: Rules, catalogue: Catalogue, closed: int | None) -> SiteTwin:
    """The twin that `SiteTwin.snapshot` was taken from, when `closed` was the last tick that was closed.

    Raises:
        ValueError: no twin can have left it; other errors where the bytes are something else altogether.
    """
    found, arrays = unpack(packed)
    head = SiteHead.model_validate(found)
    nodes = head.nodes
    twin = SiteTwin(head.site, rules, catalogue)
    codes = _codes(nodes.types, catalogue)
    known = {Row.SLOT: len(nodes.names), Row.RACK: len(nodes.racks), Row.CODE: len(codes)}

    def rows_of(name: str, rows: int) -> Rows:
        numbers, accelerators = arrays[name], _accelerators(name, arrays)
        check_table(numbers, rows, known)
        check_accelerators(accelerators, numbers.shape[1])
        return Rows(_recoded(numbers, codes), accelerators)

    table = rows_of("known", TABLE_ROWS)
    if len(table) != len(nodes.names):
        raise ValueError(f"{len(nodes.names)} names of {len(table)} nodes")
    twin.nodes.restore(nodes, table.numbers, table.accelerators)
    twin.held = {tick: [rows_of(f"held{tick}", READING_ROWS)] for tick in head.ticks}
    twin.first, twin.closed = head.first, closed
    twin.observed, twin.late, twin.refused = head.intake
    return twin


def _joined(lots: Sequence[Rows | Singles]) -> Rows:
    return Rows.joined([lot.rows() if isinstance(lot, Singles) else lot for lot in lots])


def _arrays(name: str, accelerators: AcceleratorColumns | None) -> dict[str, Integers]:
    """What is said of accelerators as a snapshot's arrays; none where nothing is."""
    if accelerators is None or not accelerators.lengths.any():
        return {}
    return {f"{name}/lengths": accelerators.lengths, f"{name}/values": accelerators.values}


def _accelerators(name: str, arrays: dict[str, Integers]) -> AcceleratorColumns | None:
    """What `_arrays` took; none in snapshots from before accelerators were known one by one."""
    if f"{name}/lengths" not in arrays:
        return None
    return AcceleratorColumns(arrays[f"{name}/lengths"], arrays[f"{name}/values"])


def _codes(types: list[str], catalogue: Catalogue) -> NDArray[np.int64]:
    """The catalogue's codes of types that an earlier catalogue numbered by their place in `types`."""
    return np.array([catalogue.codes[type_] for type_ in types], dtype=np.int64)


def _recoded(rows: Integers, codes: Integers) -> Integers:
    rows[Row.CODE] = codes[rows[Row.CODE]]
    return rows
