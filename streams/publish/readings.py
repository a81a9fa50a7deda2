"""From what was measured of a node to its reading: what is not known stays out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from models.errors import first_doubt
from models.instants import moment_of
from models.names import FLEET
from models.reading import AcceleratorReadings, NodeState, PowerMethod, Reading
from streams.publish.beliefs import Beliefs, endpoint_of
from streams.publish.measures import Failure, Identity, NodeMeasure
from streams.publish.power import EnergyCounters

_OF_EACH = ("utilization", "sm_active", "memory_used_bytes", "temperature_celsius")


@dataclass
class ReadingMaker:
    """Makes readings; remembers the counters of energy.

    Args:
        beliefs: Judges watts that follow from counters, and hears of what can be no reading.
        states: What the user says of nodes, where that is not `in_service`.
    """

    beliefs: Beliefs
    states: Mapping[Identity, NodeState] = field(default_factory=dict)
    _counters: EnergyCounters = field(default_factory=EnergyCounters)

    def note(self, measure: NodeMeasure) -> bool:
        """Only read the counters, for the next time; says whether there are any."""
        identity = measure.component.identity
        counted = {None: measure.energy_joules} | {
            index: one.energy_joules for index, one in enumerate(measure.accelerators)
        }
        for which, joules in counted.items():
            if joules is not None:
                self._counters.watts((identity, which), joules, measure.at)
        return any(joules is not None for joules in counted.values())

    def reading(self, measure: NodeMeasure, sequence: int) -> Reading | None:
        """The reading of a measure that can be believed; none where its names cannot be, which is told."""
        component = measure.component
        identity = component.identity
        watts, method = self._watts(measure, None, measure.energy_joules, measure.power_watts)
        each, methods = self._of_accelerators(measure)
        if watts is None:
            method = _together(methods)
        said: dict[str, Any] = {
            "site": identity.site,
            "node": identity.node,
            "rack": identity.rack,
            "type": component.type,
            "at": moment_of(measure.at),
            "sequence": sequence,
            "installed": component.installed,
            "in_service": component.installed - _faulty(measure),
            "allocated": measure.allocated,
            "power_watts": watts,
            "power_method": method,
            "state": self._state(measure),
            "accelerators": each,
        }
        try:
            reading = Reading.model_validate(said)
        except ValidationError as invalid:
            self.beliefs.doubted(Failure(endpoint_of(measure), first_doubt(invalid)))
            return None
        if identity.site == FLEET:
            self.beliefs.doubted(Failure(endpoint_of(measure), f"a site cannot be called {FLEET!r}"))
            return None
        return reading

    def _state(self, measure: NodeMeasure) -> NodeState:
        if measure.accelerators and _faulty(measure) == len(measure.accelerators):
            return NodeState.FAILED
        return self.states.get(measure.component.identity, NodeState.IN_SERVICE)

    def _of_accelerators(self, measure: NodeMeasure) -> tuple[AcceleratorReadings | None, set[PowerMethod]]:
        """The lists of which any value is known, and how their watts were come by."""
        lists: dict[str, tuple[float | int | None, ...]] = {
            name: tuple(getattr(one, name) for one in measure.accelerators) for name in _OF_EACH
        }
        watts = [
            self._watts(measure, index, one.energy_joules, one.power_watts)
            for index, one in enumerate(measure.accelerators)
        ]
        lists["power_watts"] = tuple(value for value, _ in watts)
        known = {name: values for name, values in lists.items() if any(value is not None for value in values)}
        methods = {method for _, method in watts if method is not None}
        return (AcceleratorReadings.model_validate(known) if known else None), methods

    def _watts(
        self, measure: NodeMeasure, which: int | None, joules: float | None, instantaneous: float | None
    ) -> tuple[float | None, PowerMethod | None]:
        """Of the node, or of one of its accelerators: by its counter where that says something, else as it is."""
        identity = measure.component.identity
        counted = None if joules is None else self._counters.watts((identity, which), joules, measure.at)
        if counted is not None:
            counted = self.beliefs.watts(measure, counted, "the node" if which is None else f"accelerator {which}")
        if counted is not None:
            return counted, PowerMethod.ENERGY_COUNTER
        return instantaneous, None if instantaneous is None else PowerMethod.INSTANTANEOUS


def _faulty(measure: NodeMeasure) -> int:
    return sum(one.fault is not None for one in measure.accelerators)


def _together(methods: set[PowerMethod]) -> PowerMethod | None:
    """The method of accelerators' watts, of which some may have been counted: the weaker one."""
    if PowerMethod.INSTANTANEOUS in methods:
        return PowerMethod.INSTANTANEOUS
    return next(iter(methods), None)
