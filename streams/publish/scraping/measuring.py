"""What the placed series of one answer say of each node, accelerator by accelerator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.publish.measures import AcceleratorMeasure, Throttle
from streams.publish.scraping.field_map import Bits, FieldMap, Use
from streams.publish.scraping.judging import Doubtful, Said, judged
from streams.publish.scraping.placing import Misplaced, Place

_Said = Mapping[tuple[str, str], Said]
"""By the place in the map and the metric."""


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """What an answer says of one node."""

    accelerators: Mapping[int, AcceleratorMeasure]
    """By number."""
    models: tuple[tuple[str, ...], ...] = ()
    """What may be the products' names, each combination once."""
    power_watts: float | None = None
    energy_joules: float | None = None
    missing: tuple[str, ...] = ()
    """Measures that the map has and an accelerator, or for those that begin with `node_` the node, lacks."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What an answer says."""

    nodes: Mapping[str | None, NodeFigures]
    """By what its label says; by None where an endpoint answers for one node."""
    doubts: tuple[str, ...]
    """What makes no sense in it."""


def figures_of(values: Iterable[tuple[Place | Misplaced | None, float]], field_map: FieldMap) -> Figures:
    """Of all nodes in the answer."""
    said: dict[str | None, dict[int | None, dict[tuple[str, str], Said]]] = {}
    models: dict[str | None, dict[tuple[str, ...], None]] = defaultdict(dict)
    doubts = _Doubts()
    for place, value in values:
        if isinstance(place, Misplaced):
            doubts.misplaced(place)
        elif place is not None:
            subject = said.setdefault(place.node, {}).setdefault(place.number, {})
            one = subject.setdefault((place.use.path, place.metric), Said())
            (one.parts if place.part else one.whole).append(value)
            if place.number is not None:
                models[place.node].setdefault(place.models)
    judge = _Judge(field_map, doubts)
    nodes = {node: judge.node(subjects, tuple(models[node])) for node, subjects in said.items()}
    return Figures(nodes, doubts.told())


@dataclass
class _Doubts:
    """The same doubt of many accelerators is told once."""

    found: dict[tuple[str, str], list[int | None]] = field(default_factory=dict)

    def misplaced(self, series: Misplaced) -> None:
        self.found.setdefault((series.metric, series.why), [])

    def doubtful(self, metric: str, why: str, number: int | None) -> None:
        self.found.setdefault((metric, why), []).append(number)

    def told(self) -> tuple[str, ...]:
        return tuple(f"{metric}: {why}{_of(numbers)}" for (metric, why), numbers in self.found.items())


def _of(numbers: Sequence[int | None]) -> str:
    accelerators = ", ".join(str(number) for number in numbers if number is not None)
    return f" of accelerator {accelerators}" if accelerators else ""


class _Judge:
    def __init__(self, field_map: FieldMap, doubts: _Doubts) -> None:
        self._blanks, self._doubts = field_map.blanks, doubts
        self._of_accelerator: dict[str, list[Use]] = {}
        self._of_node: dict[str, list[Use]] = {}
        for use in field_map.uses():
            (self._of_node if use.of_node else self._of_accelerator).setdefault(use.measure, []).append(use)

    def node(self, subjects: Mapping[int | None, _Said], models: tuple[tuple[str, ...], ...]) -> NodeFigures:
        missing: dict[str, None] = {}
        accelerators = {}
        for number in sorted(number for number in subjects if number is not None):
            measures = self._measures(self._of_accelerator, subjects[number], number)
            missing |= dict.fromkeys(measure for measure, value in measures.items() if value is None)
            accelerators[number] = _accelerator(measures)
        own = self._measures(self._of_node, subjects.get(None, {}), None)
        missing |= dict.fromkeys(f"node_{measure}" for measure, value in own.items() if value is None)
        return NodeFigures(accelerators, models, own.get("power_watts"), own.get("energy_joules"), tuple(missing))

    def _measures(self, uses: Mapping[str, list[Use]], said: _Said, number: int | None) -> dict[str, Any]:
        return {measure: self._first(several, said, number) for measure, several in uses.items()}

    def _first(self, uses: Sequence[Use], said: _Said, number: int | None) -> float | frozenset[Throttle] | None:
        """The first usable value in order of preference; a doubtful one does not make way for the next."""
        for use in uses:
            for metric in use.metrics.metrics:
                one = said.get((use.path, metric))
                if one is None:
                    continue
                try:
                    value = judged(one, use, self._blanks)
                except Doubtful as doubt:
                    self._doubts.doubtful(metric, str(doubt), number)
                    return None
                if value is not None:
                    return _throttles(int(value), use.metrics) if isinstance(use.metrics, Bits) else value
        return None


def _throttles(reasons: int, metrics: Bits) -> frozenset[Throttle]:
    return frozenset(throttle for bit, throttle in metrics.bits.items() if reasons & bit)


def _accelerator(measures: Mapping[str, Any]) -> AcceleratorMeasure:
    known = dict(measures)
    if known.get("memory_used_bytes") is not None:
        known["memory_used_bytes"] = int(known["memory_used_bytes"])
    known["xid"] = int(known.get("xid") or 0) or None  # 0 says that there was none
    return AcceleratorMeasure(**known)
