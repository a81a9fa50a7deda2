"""One exporter over time: which map it needs, which accelerators it has had, and what each of its answers says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from models.errors import ConfigurationError
from models.names import usable
from models.reading import MOST_ACCELERATORS
from streams.publish.addresses import shown
from streams.publish.measures import AcceleratorMeasure, Identity
from streams.publish.models import type_of, type_of_all
from streams.publish.options import Target
from streams.publish.scraping.exposition import SeriesReader, names_in
from streams.publish.scraping.fetching import Answer
from streams.publish.scraping.field_map import FieldMap
from streams.publish.scraping.joining import Heard
from streams.publish.scraping.measuring import Figures, NodeFigures, figures_of
from streams.publish.scraping.placing import Misplaced, Place, Placing

GONE = AcceleratorMeasure(fault="not in the exporter's answer any more")
NEVER_SEEN = AcceleratorMeasure(fault="never in the exporter's answer")


class Senseless(Exception):
    """An answer of which no measure can be made."""


@dataclass
class Endpoint:
    """One target of the user's.

    Args:
        target: As the user has said.
        url: Its address, which can be asked.
        maps: Those to choose from by what the exporter says.
        node_label: Which label names the node; none where the exporter answers for one node.
    """

    target: Target
    url: str
    maps: Sequence[FieldMap]
    node_label: str | None = None
    _map: FieldMap | None = None
    _reader: SeriesReader[Place | Misplaced | None] | None = None
    _had: dict[str | None, set[int]] = field(default_factory=dict)
    """The numbers of the accelerators that each node has had."""
    _types: dict[tuple[tuple[str, ...], ...], str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """For people, without secrets."""
        return f"{shown(self.url)} ({self.target.identity.node})"

    def heard(self, answer: Answer, at: int) -> tuple[list[Heard], list[str]]:
        """What an answer says of each node, and what makes no sense in it; `at` in milliseconds since 1970.

        Raises:
            Senseless: nothing can be made of it.
            Garbled: it is not of its format.
            ConfigurationError: the user must say more.
        """
        field_map, figures = self._figures(answer)
        if not figures.nodes:
            raise Senseless("; ".join(figures.doubts) or "none of its series is one that the map takes")
        doubts = list(figures.doubts)
        heard = []
        for node, said in figures.nodes.items():
            try:
                heard.append(self._of_node(node, said, field_map, at))
            except Senseless as why:
                doubts.append(str(why))
        doubts += [f"node {node} is not in its answer any more" for node in self._had.keys() - figures.nodes.keys()]
        return heard, doubts

    def _figures(self, answer: Answer) -> tuple[FieldMap, Figures]:
        """A map is kept while anything of it is in the answers."""
        if self._map is not None and self._reader is not None:
            values = self._reader.read(answer.text, answer.content_type)
            if values:
                return self._map, figures_of(values, self._map)
        field_map = self._chosen(answer.text)
        if field_map is not self._map or self._reader is None:
            self._map = field_map
            self._reader = SeriesReader(field_map.mapped, Placing(field_map, self.node_label).place)
        return field_map, figures_of(self._reader.read(answer.text, answer.content_type), field_map)

    def _chosen(self, text: str) -> FieldMap:
        every = frozenset(name for one in self.maps for name in one.recognised)
        there = names_in(text, every)
        fitting = [one for one in self.maps if one.recognised & there]
        if not fitting:
            raise Senseless(f"none of the metrics of {', '.join(one.name for one in self.maps)} is in its answer")
        if len(fitting) > 1:
            names = ", ".join(one.name for one in fitting)
            raise ConfigurationError("map", None, f"one of {names}, as {self.shown} has metrics of each")
        return fitting[0]

    def _of_node(self, node: str | None, said: NodeFigures, field_map: FieldMap, at: int) -> Heard:
        identity = self._identity(node)
        had = self._had.setdefault(node, set())
        if had and not said.accelerators:
            raise Senseless(f"none of the {len(had)} accelerators of {identity.node} is in its answer any more")
        had.update(said.accelerators)
        if len(had) > MOST_ACCELERATORS:
            raise Senseless(f"{len(had)} accelerators of {identity.node}, expected no more than {MOST_ACCELERATORS}")
        accelerators = [said.accelerators.get(number, GONE) for number in sorted(had)]
        if accelerators and self.target.installed is not None:
            if len(had) > self.target.installed:
                numbers = ", ".join(map(str, sorted(had)))
                raise Senseless(f"accelerators {numbers}, where the configuration says {self.target.installed}")
            accelerators += [NEVER_SEEN] * (self.target.installed - len(had))
        type_ = self.target.type or (self._type(said.models) if accelerators else None)
        about = f"{field_map.name}: {', '.join(dict.fromkeys(name for names in said.models for name in names))}"
        return Heard(
            identity=identity,
            at=at,
            type=type_,
            installed=len(accelerators) or self.target.installed,
            accelerators=tuple(accelerators),
            power_watts=said.power_watts,
            energy_joules=said.energy_joules,
            missing=said.missing,
            about=f"{about.removesuffix(': ')}, {shown(self.url)}",
        )

    def _identity(self, node: str | None) -> Identity:
        if node is None:
            return self.target.identity
        if not usable(node):
            raise Senseless(f"label {self.node_label} is {node[:40]!r}, which cannot be a node's name")
        return replace(self.target.identity, node=node)

    def _type(self, models: tuple[tuple[str, ...], ...]) -> str:
        """Of several labels the first whose value is a known product counts.

        Raises:
            ConfigurationError: none is, or the accelerators are of several types.
        """
        if models not in self._types:
            setting = f"targets: {self.target.identity.node}: type"
            if not all(models):
                expected = (
                    "an id of the catalogue, by --type or the target's `type`: the exporter does not say the model"
                )
                raise ConfigurationError(setting, None, expected)
            self._types[models] = type_of_all((_best(names) for names in models), setting)
        return self._types[models]


def _best(names: Sequence[str]) -> str:
    return next((name for name in names if type_of(name) is not None), names[0])
