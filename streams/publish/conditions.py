"""What is the matter with nodes, and the events that say when it begins and when it ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field

import orjson

from models.instants import moment_of
from models.node_event import NodeEvent, NodeEventChange, NodeEventKind, ThrottleReason
from streams.publish.measures import AcceleratorMeasure, NodeMeasure


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is the matter with an accelerator; the same one while kind, place and word are."""

    kind: str
    accelerator: int
    word: str = ""
    """The number of an XID, the reason of a throttle."""
    detail: str | None = field(default=None, compare=False)


@dataclass
class Conditions:
    """What is the matter with each node as it was seen last, by site and node."""

    _standing: dict[tuple[str, str], frozenset[Condition]] = field(default_factory=dict)

    def changed(self, measure: NodeMeasure, sequence: Callable[[], int]) -> tuple[NodeEvent, ...]:
        """Events for what has begun and ended since this node was seen last; each takes a sequence number."""
        if not measure.accelerators:
            return ()
        identity = measure.component.identity
        place = identity.site, identity.node
        before = self._standing.pop(place, frozenset())
        now = frozenset(
            condition for index, one in enumerate(measure.accelerators) for condition in _found(index, one, before)
        )
        if now:
            self._standing[place] = now
        return tuple(
            NodeEvent(
                site=identity.site,
                node=identity.node,
                rack=identity.rack,
                at=moment_of(measure.at),
                sequence=sequence(),
                kind=NodeEventKind(kind),
                change=change,
                accelerator=accelerator,
                code=int(some[0].word) if kind == NodeEventKind.XID else None,
                reasons=tuple(ThrottleReason(one.word) for one in some) if kind == NodeEventKind.THROTTLE else (),
                detail=some[0].detail,
            )
            for change, conditions in ((NodeEventChange.ENDED, before - now), (NodeEventChange.BEGAN, now - before))
            for (kind, accelerator), some in _grouped(conditions)
        )

    def dumped(self) -> bytes:
        """As JSON, to be restored after a restart."""
        return orjson.dumps([[*place, *map(asdict, some)] for place, some in sorted(self._standing.items())])

    @classmethod
    def restored(cls, dumped: bytes) -> Conditions:
        """Those that `dumped` wrote."""
        return cls(
            {(site, node): frozenset(Condition(**one) for one in some) for site, node, *some in orjson.loads(dumped)}
        )


def _found(index: int, measured: AcceleratorMeasure, before: Iterable[Condition]) -> Iterator[Condition]:
    if measured.xid is not None:
        yield Condition(NodeEventKind.XID, index, str(measured.xid))
    if measured.fault is not None:
        yield Condition(NodeEventKind.FAULT, index, detail=measured.fault)
    if measured.throttled is None:  # not said: what was the matter may still be
        yield from (one for one in before if (one.kind, one.accelerator) == (NodeEventKind.THROTTLE, index))
        return
    for reason in measured.throttled:
        yield Condition(NodeEventKind.THROTTLE, index, reason.value)


def _grouped(conditions: Iterable[Condition]) -> list[tuple[tuple[str, int], list[Condition]]]:
    """The reasons of one accelerator's throttle together; all else by itself, in one order."""
    groups: dict[tuple[str, int], list[Condition]] = defaultdict(list)
    for one in sorted(conditions, key=lambda one: (one.accelerator, one.kind, one.word)):
        groups[one.kind, one.accelerator].append(one)
    return list(groups.items())
