"""Nodes that are not there: deterministic from a seed and the time, to see publishing at work without a machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models.catalogue import AcceleratorType
from models.errors import ConfigurationError
from streams.publish.measures import AcceleratorMeasure, Component, Identity, NodeMeasure, Sampled, Throttle
from streams.publish.options import SourceOptions, Target, extra_of

JOB_SECONDS, STEP_SECONDS = 600.0, 37.0
"""How long a node's load takes to rise and fall, and each accelerator's around it."""

MEAN, SWING, SWAY = 0.6, 0.25, 0.08
"""Of the load: it stays within 0 and 1."""

THROTTLED_ABOVE = 0.88
"""A load at which an accelerator meets its power limit."""

MEMORY_BYTES = 80 * 10**9
COOLEST, WARMED_BY_WORK = 32.0, 38.0


class SimulatedOptions(BaseModel):
    """What the configuration's `options` may say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 1
    """Another one is another fleet."""
    nodes: Annotated[int, Field(ge=1, le=100_000)] = 1
    """For each target; the nodes of one of several are called by its name and their number."""


@dataclass(frozen=True, slots=True)
class _Wave:
    """A load that rises and falls, and what it adds up to."""

    mean: float
    parts: tuple[tuple[float, float, float], ...]
    """Height, seconds of a turn, and phase of each."""

    def at(self, seconds: float) -> float:
        return self.mean + sum(h * math.sin(2 * math.pi * seconds / turn + phase) for h, turn, phase in self.parts)

    def until(self, seconds: float) -> float:
        """The integral from 0: load times seconds."""
        return self.mean * seconds - sum(
            h * turn / (2 * math.pi) * (math.cos(2 * math.pi * seconds / turn + phase) - math.cos(phase))
            for h, turn, phase in self.parts
        )


@dataclass(frozen=True)
class SimulatedNode:
    """One node, whose measures are those of any other of its name, seed and time."""

    component: Component
    kind: AcceleratorType
    waves: Sequence[_Wave]

    @classmethod
    def of(cls, identity: Identity, kind: AcceleratorType, installed: int, seed: int) -> SimulatedNode:
        """A node, by its names and the seed alone."""
        chance = Random(f"{seed}/{identity.site}/{identity.node}")  # noqa: S311  # for looks
        job = (SWING, JOB_SECONDS, chance.uniform(0, 2 * math.pi))
        waves = [_Wave(MEAN, (job, (SWAY, STEP_SECONDS, chance.uniform(0, 2 * math.pi)))) for _ in range(installed)]
        return cls(Component(identity, kind.id, installed, f"simulated {kind.name}"), kind, waves)

    def measure(self, at: int) -> NodeMeasure:
        """What it measures at an instant in milliseconds."""
        seconds, kind, count = at / 1000, self.kind, len(self.waves)
        loads = [wave.at(seconds) for wave in self.waves]
        sums = [wave.until(seconds) for wave in self.waves]
        host, host_range = kind.host_idle_watts, kind.host_max_watts - kind.host_idle_watts
        each, each_range = kind.idle_watts, kind.max_watts - kind.idle_watts
        return NodeMeasure(
            self.component,
            at,
            tuple(
                AcceleratorMeasure(
                    power_watts=each + each_range * load,
                    energy_joules=each * seconds + each_range * total,
                    utilization=load,
                    memory_used_bytes=round(MEMORY_BYTES * (0.5 + 0.4 * load)),
                    temperature_celsius=COOLEST + WARMED_BY_WORK * load,
                    throttled=frozenset({Throttle.POWER} if load > THROTTLED_ABOVE else ()),
                )
                for load, total in zip(loads, sums, strict=True)
            ),
            power_watts=host + host_range * sum(loads) / count + each * count + each_range * sum(loads),
            energy_joules=(host + each * count) * seconds + (host_range / count + each_range) * sum(sums),
            allocated=count,
        )


class SimulatedSource:
    """Always answers.

    Args:
        nodes: Which ones.
        clock: Seconds since 1970.
    """

    name = "simulated"

    def __init__(self, nodes: Sequence[SimulatedNode], clock: Callable[[], float] = time.time) -> None:
        self._nodes, self._clock = nodes, clock

    async def discover(self) -> Sequence[Component]:
        """All of them."""
        return [node.component for node in self._nodes]

    async def sample(self) -> Sampled:
        """What they would measure now."""
        at = int(self._clock() * 1000)
        return Sampled(tuple(node.measure(at) for node in self._nodes))

    async def close(self) -> None:
        """Nothing is held."""


def source_of(options: SourceOptions) -> SimulatedSource:
    """The source.

    Raises:
        ConfigurationError: no type, an option that there is none of, or a target that is a meter.
    """
    extra = extra_of(options, SimulatedOptions)
    return SimulatedSource([node for target in options.targets for node in _nodes(target, options, extra)])


def _nodes(target: Target, options: SourceOptions, extra: SimulatedOptions) -> Iterator[SimulatedNode]:
    if target.type is None:
        raise ConfigurationError("--type", None, "a type of the catalogue, since nothing is there to tell it")
    if target.meter:
        raise ConfigurationError("meter", target.identity.node, "a node: no meters are simulated")
    kind, named = options.catalogue[target.type], target.identity
    for number in range(extra.nodes):
        name = named.node if extra.nodes == 1 else f"{named.node}-{number:05d}"
        identity = Identity(named.site, name, named.rack)
        yield SimulatedNode.of(identity, kind, target.installed or kind.per_node, extra.seed)
