"""Where in a node a series belongs: which accelerator or the node itself, and which measure it is one of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.publish.scraping.field_map import FieldMap, Parts, Use


@dataclass(frozen=True, slots=True)
class Place:
    """Where a series belongs."""

    use: Use
    metric: str
    node: str | None
    """As its label says, where labels name nodes."""
    number: int | None
    """Of the accelerator; none where it is the node's own."""
    part: bool = False
    """Whether it is only of a part of the accelerator."""
    models: tuple[str, ...] = ()
    """What may be the product's name."""


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A series that belongs nowhere."""

    metric: str
    why: str


@dataclass(frozen=True)
class Placing:
    """Finds the place of a series by a field map.

    Args:
        field_map: Of the exporter.
        node_label: Which label names the node; none where an endpoint answers for one node.
    """

    field_map: FieldMap
    node_label: str | None = None
    _by_metric: dict[str, list[Use]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for use in self.field_map.uses():
            for metric in use.metrics.metrics:
                self._by_metric.setdefault(metric, []).append(use)

    def place(self, metric: str, labels: Mapping[str, str]) -> Place | Misplaced | None:
        """None where the map leaves the series out."""
        use = next((use for use in self._by_metric.get(metric, ()) if _has(labels, use.metrics.where)), None)
        if use is None:
            return None
        node = None
        if self.node_label is not None:
            node = labels.get(self.node_label)
            if not node:
                return Misplaced(metric, f"no label {self.node_label}, which is to name the node")
        if use.of_node or self.field_map.accelerators is None:
            return Place(use, metric, node, None)
        accelerators = self.field_map.accelerators
        part = _is_part(labels, accelerators.parts)
        if part and accelerators.parts is not None and not accelerators.parts.numbered_as_whole:
            return None
        said = labels.get(accelerators.label, "")
        if not (said.isascii() and said.isdecimal() and len(said) <= 9):
            return Misplaced(metric, f"label {accelerators.label} is {said[:40]!r}, expected the accelerator's number")
        models = tuple(labels[label] for label in accelerators.model if labels.get(label))
        return Place(use, metric, node, int(said), part, models)


def _has(labels: Mapping[str, str], where: Mapping[str, tuple[str, ...]]) -> bool:
    return all(labels.get(label, "") in values for label, values in where.items())


def _is_part(labels: Mapping[str, str], parts: Parts | None) -> bool:
    return parts is not None and labels.get(parts.label, "") not in parts.whole
