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
from models.instants import tick_at_or_after
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
    """Who has to report: nodes with news, and after `repeat_after` milliseconds all nodes of their site at once."""

    repeat_after: int
    _said: dict[tuple[str, str], NodeCounts] = field(default_factory=dict)
    _repeated: dict[str, int] = field(default_factory=dict)
    """When all nodes of a site last reported together."""

    def due(self, site: str, nodes: Sequence[NodeCounts], at: int) -> SiteCounts | None:
        """Of all nodes of a site those that report at this instant, if any do."""
        repeated = self._repeated.get(site)
        if repeated is None or at - repeated >= self.repeat_after:
            self._repeated[site] = at
            due = tuple(nodes)
        else:
            due = tuple(node for node in nodes if self._said.get((site, node.node)) != node)
        self._said.update({(site, node.node): node for node in due})
        return SiteCounts(site, due) if due else None


def inventory_records(steps: Iterable[Step], source: str, tick: int) -> Iterator[Record]:
    """The records of these steps, none of them placed yet.

    Each step's facts, frames and demands are sent at its time. A clock of each multiple of `tick` milliseconds follows
    on all that was sent up to it. The first clock stands just before the first step, the last one just before the tick
    that follows on the last step: with any grace shorter than a tick all ticks of the trace are closed, and no other.

    Args:
        steps: In order of time.
        source: Of the CloudEvents: which trace this is.
        tick: Of the rules that the log is meant for.

    Raises:
        ValueError: a step is not after the one before.
    """
    last: int | None = None
    for number, step in enumerate(steps):
        if last is None:
            yield from clock_records(step.at - 1, source)
        elif step.at <= last:
            raise ValueError(f"a step at {step.at} follows on {last}")
        else:
            for until in range(int(tick_at_or_after(last, tick)), step.at, tick):
                yield from clock_records(until, source)
        last = step.at
        yield from _said(step, number, source)
    if last is not None:
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
