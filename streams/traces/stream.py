"""A trace as the records that its nodes would have sent live: a frame a second, with the clock after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.facts import SiteFacts
from models.frame import MOST_ROWS
from models.instants import moment_of, tick_at_or_after, tick_at_or_before
from models.record import Record
from streams.traces.records import clock_records, facts_record, frame_record

SECOND = 1000
LONGEST_SILENCE = 120 * SECOND
"""How long the clock goes on after the last reading: long enough for every node to be lost."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NodePower:
    """Watts of the nodes of one site, row by row; the rows of a node stand in the order in which it wrote them."""

    nodes: tuple[str, ...]
    node: Integers
    """The row's place in `nodes`."""
    at: Integers
    sequence: Integers
    power_watts: NDArray[np.float64]

    def sent_at(self) -> Integers:
        """When each row was sent at the earliest: not before any row that its node wrote before it."""
        sent = self.at.copy()
        for node in range(len(self.nodes)):
            rows = np.flatnonzero(self.node == node)
            sent[rows] = np.maximum.accumulate(self.at[rows])
        return sent


@dataclass(frozen=True, slots=True)
class TraceSite:
    """What a trace does not say of the nodes: what they are, and where."""

    site: str
    type: str
    accelerators: int
    """Of each node, all in service."""
    source: str
    """Of the CloudEvents: which trace this is."""
    supply_watts: float | None = None
    pue: float = 1.0

    def facts(self, at: int) -> SiteFacts | None:
        """The site's facts, if its supply is known."""
        if self.supply_watts is None:
            return None
        return SiteFacts(site=self.site, at=moment_of(at), supply_watts=self.supply_watts, pue=self.pue)


def trace_records(power: NodePower, site: TraceSite) -> Iterator[Record]:
    """The trace's records in the order in which a live fleet would have sent them, none of them placed yet.

    A frame holds what all nodes wrote within a second, and is sent at that second's end. A clock of each second, for
    telemetry, site facts and demand, follows on the frame, so nothing that was written in order is late. A row that
    its node wrote late stands where the node wrote it, behind the clocks that passed meanwhile. The first clock is
    before every reading, the last one `LONGEST_SILENCE` after them.
    """
    if not len(power.at):
        return
    window = -(-power.sent_at() // SECOND) * SECOND
    order = np.argsort(window, kind="stable")
    ends, begins = np.unique(window[order], return_index=True)
    rows_of = dict(zip(ends.tolist(), np.split(order, begins[1:]), strict=True))
    start = tick_at_or_before(int(power.at.min()) - 1, SECOND)
    facts = site.facts(start)
    if facts is not None:
        yield facts_record(facts, site.source)
    for end in range(start, tick_at_or_after(int(ends[-1]) + LONGEST_SILENCE, SECOND) + 1, SECOND):
        rows = rows_of.get(end, ())
        for part in range(0, len(rows), MOST_ROWS):
            yield _frame(power, rows[part : part + MOST_ROWS], site, end, part)
        yield from clock_records(end, site.source)


def _frame(power: NodePower, rows: Integers, site: TraceSite, end: int, part: int) -> Record:
    count = len(rows)
    columns = {
        "node": [power.nodes[node] for node in power.node[rows].tolist()],
        "type": [site.type] * count,
        "at": power.at[rows],
        "sequence": power.sequence[rows],
        "installed": [site.accelerators] * count,
        "in_service": [site.accelerators] * count,
        "power_watts": power.power_watts[rows],
    }
    return frame_record(site.site, columns, site.source, end, part)
