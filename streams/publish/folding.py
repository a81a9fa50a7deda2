"""From what a source says to what is told: readings of nodes, their events, and readings of meters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from models.catalogue import Catalogue
from models.instants import moment_of
from models.meter_reading import MeterLevel, MeterReading
from models.node_event import NodeEvent
from models.reading import NodeState, Reading
from streams.publish.beliefs import Beliefs, endpoint_of
from streams.publish.conditions import Conditions
from streams.publish.measures import Failure, Identity, MeterMeasure, NodeMeasure, Sampled
from streams.publish.readings import ReadingMaker
from streams.publish.sequences import Sequence
from streams.publish.xids import with_faults


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one beat."""

    readings: tuple[Reading, ...] = ()
    events: tuple[NodeEvent, ...] = ()
    meters: tuple[MeterReading, ...] = ()
    failures: tuple[Failure, ...] = ()
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By node: what its source asked for and did not get."""


class Folding:
    """Folds one sample after the other.

    Args:
        catalogue: The types that there are.
        sequence: Numbers readings and events.
        states: What the user says of nodes.
        conditions: What was the matter with nodes before.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        sequence: Sequence,
        states: Mapping[Identity, NodeState],
        conditions: Conditions | None = None,
    ) -> None:
        self._failures: list[Failure] = []
        self._beliefs = Beliefs(catalogue, self._failures.append)
        self._readings = ReadingMaker(self._beliefs, states)
        self._sequence = sequence
        self.conditions = conditions or Conditions()

    def fold(self, sampled: Sampled, now: int) -> Told:
        """What to tell of a sample; `now` is the publisher's clock, in milliseconds."""
        self._failures.extend(sampled.failures)
        number = self._sequence.following()
        readings: list[Reading] = []
        events: list[NodeEvent] = []
        for measure in self._believed(sampled.nodes, now):
            reading = self._readings.reading(measure, number)
            if reading is not None:
                readings.append(reading)
                events += self.conditions.changed(measure, self._sequence.following)
        meters = [believed for one in sampled.meters if (believed := self._beliefs.meter(one, now)) is not None]
        told = Told(
            readings=tuple(readings),
            events=tuple(events),
            meters=tuple(map(_meter_reading, meters)),
            failures=tuple(self._failures),
            missing={endpoint_of(one): one.missing for one in sampled.nodes if one.missing},
        )
        self._failures.clear()
        return told

    def note(self, sampled: Sampled, now: int) -> bool:
        """Only read the counters of energy, for the sample that follows; says whether there are any."""
        counted = [self._readings.note(measure) for measure in self._believed(sampled.nodes, now)]
        self._failures.clear()  # what is wrong is wrong in the next sample, too
        return any(counted)

    def _believed(self, measures: Iterable[NodeMeasure], now: int) -> list[NodeMeasure]:
        """Each node once: two readings of one number would be one and the same to the twin."""
        some = list(measures)
        times = Counter(one.component.identity for one in some)
        for identity, count in times.items():
            if count > 1:
                self._failures.append(Failure(f"{identity.site}/{identity.node}", f"it was measured {count} times"))
        once = {one.component.identity: one for one in some}.values()
        believed = (self._beliefs.node(one, now) for one in once)
        return [with_faults(one) for one in believed if one is not None]


def _meter_reading(measure: MeterMeasure) -> MeterReading:
    return MeterReading(
        site=measure.site,
        meter=measure.meter,
        rack=measure.rack,
        level=MeterLevel(measure.level.value),
        at=moment_of(measure.at),
        power_watts=measure.power_watts,
        energy_joules=measure.energy_joules,
    )
