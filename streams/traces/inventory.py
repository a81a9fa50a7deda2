"""Traces that say what there is and what is asked for, instead of watts: as the records a live fleet would have sent.

Nothing is said of power: a node that names neither watts nor utilisation draws what is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from models.demand import DemandEnded, DemandRevised
from models.facts import SiteFacts
from models.frame import MOST_ROWS
from models.instants import tick_at_or_after, tick_at_or_before
from models.reading import NodeState
from models.record import Record
from streams.traces.records import clock_records, demand_record, facts_record, frame_record


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """What a node says of its accelerators; `installed` is at least 1, and no other count exceeds it."""

    node: str
    type: str
    installed: int
    in_service: int
    allocated: int
    state: NodeState = NodeState.IN_SERVICE


@dataclass(frozen=True, slots=True)
class SiteCounts:
    """Nodes of one site that report at an instant, no node twice."""

    site: str
    nodes: tuple[NodeCounts, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What is said at one instant of a trace: of sites, of nodes, of demand. What nobody repeats or revises stands."""

    at: int
    """Milliseconds since 1970; what stands in `facts` and `demands` has the same time or an earlier one."""
    sites: tuple[SiteCounts, ...] = ()
    demands: tuple[DemandRevised | DemandEnded, ...] = ()
    facts: tuple[SiteFacts, ...] = ()


@dataclass
class Reporting:
    """Who has to report: a node with news, and one that has been silent for `repeat_after` milliseconds."""

    repeat_after: int
    _said: dict[tuple[str, str], tuple[int, NodeCounts]] = field(default_factory=dict)

    def due(self, site: str, nodes: Iterable[NodeCounts], at: int) -> SiteCounts | None:
        """Of all nodes of a site those that report at this instant, if any do."""
        due = []
        for node in nodes:
            said = self._said.get((site, node.node))
            if said is None or said[1] != node or at - said[0] >= self.repeat_after:
                self._said[site, node.node] = at, node
                due.append(node)
        return SiteCounts(site, tuple(due)) if due else None


def inventory_records(steps: Iterable[Step], source: str, tick: int) -> Iterator[Record]:
    """The records of these steps, none of them placed yet.

    Each step's facts, frames and demands are sent at its time. A clock of each multiple of `tick` milliseconds
    follows on all that was sent up to it, with one before the first step. The last clock stands just before the
    tick after the last step: whatever the grace, as long as it is shorter than a tick, all that was said counts,
    and no tick is closed of which the trace says nothing.

    Args:
        steps: In order of time.
        source: Of the CloudEvents: which trace this is.
        tick: Of the rules that the log is meant for.

    Raises:
        ValueError: a step is not after the one before.
    """
    clock: int | None = None
    last = -1
    for number, step in enumerate(steps):
        if step.at <= last:
            raise ValueError(f"a step at {step.at} follows on {last}")
        before = int(tick_at_or_before(step.at - 1, tick))
        for until in range(before if clock is None else clock + tick, before + 1, tick):
            yield from clock_records(until, source)
        clock, last = before, step.at
        yield from _said(step, number, source)
    if clock is not None:
        end = int(tick_at_or_after(last, tick))
        yield from chain(clock_records(end, source), clock_records(end + tick - 1, source))


def _said(step: Step, number: int, source: str) -> Iterator[Record]:
    for facts in step.facts:
        yield facts_record(facts, source)
    for counts in step.sites:
        for part in range(0, len(counts.nodes), MOST_ROWS):
            yield _frame(counts.site, counts.nodes[part : part + MOST_ROWS], step.at, number, source, part)
    for demand in step.demands:
        yield demand_record(demand, source)


def _frame(site: str, nodes: Sequence[NodeCounts], at: int, number: int, source: str, part: int) -> Record:
    count = len(nodes)
    columns = {
        "node": [node.node for node in nodes],
        "type": [node.type for node in nodes],
        "at": [at] * count,
        "sequence": [number] * count,
        "installed": [node.installed for node in nodes],
        "in_service": [node.in_service for node in nodes],
        "allocated": [node.allocated for node in nodes],
        "state": [node.state.value for node in nodes],
    }
    return frame_record(site, columns, source, at, part)
