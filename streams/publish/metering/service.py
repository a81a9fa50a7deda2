"""One target of the user's: looked through once and now and then again, its meters read each time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.errors import ConfigurationError
from streams.publish.measures import Component, Failure, MeterLevel, MeterMeasure, NodeMeasure, Sampled
from streams.publish.metering.choosing import NO_METER, node_meter
from streams.publish.metering.connection import Absent, Connection, Unanswered
from streams.publish.metering.resources import Metered, Resource, joules_of, watts_of
from streams.publish.metering.walking import Found, Walk
from streams.publish.options import Target

LOOK_AGAIN_SECONDS = 600.0
DOUBTFUL_SECONDS = 60.0
"""Until a service of which a part did not answer is looked through again."""


@dataclass
class Service:
    """A management controller, or a power distribution unit.

    Args:
        target: As the user has said.
        connection: To it.
        levels: What of it is read.
        node_meter: Which meter is the node's, where the user says so.
        setting: Where that is said, for messages.
    """

    target: Target
    connection: Connection
    levels: frozenset[MeterLevel]
    node_meter: str | None
    setting: str
    _found: Found | None = None
    _looked: float = 0.0
    _walk: Walk | None = None
    _walking: asyncio.Task[Found] | None = None

    @property
    def shown(self) -> str:
        """For people."""
        return f"{self.connection.url} ({self.target.identity.node})"

    @property
    def component(self) -> Component | None:
        """The node; none where the target is a meter."""
        target = self.target
        if target.meter or target.type is None or target.installed is None:
            return None
        return Component(target.identity, target.type, target.installed, f"Redfish, {self.connection.url}")

    async def discover(self, seconds: float) -> None:
        """Look through it; a look that takes longer goes on.

        Raises:
            Unanswered: it does not answer.
            ConfigurationError: the user must say more.
        """
        try:
            async with asyncio.timeout(seconds):
                found = await self._looked_through()
        except TimeoutError:
            return
        if not self.target.meter:
            node_meter(found, self.node_meter, self.setting)

    async def sample(self, seconds: float) -> Sampled:
        """What it meters, and what failed, within that time."""
        deadline = time.monotonic() + seconds
        try:
            async with asyncio.timeout(seconds):
                found = await self._looked_through()
            own = None if self.target.meter else node_meter(found, self.node_meter, self.setting)
        except TimeoutError:
            asked = self._walk.asked if self._walk is not None else 0
            return self._failed(f"still looking through it, after {asked} resources")
        except (Unanswered, ConfigurationError) as why:
            return self._failed(str(why))
        resources, failures = await self._got({meter.path for meter in found.meters}, deadline - time.monotonic())
        at = time.time_ns() // 1_000_000
        read = {meter: resources[meter.path] for meter in found.meters if meter.path in resources}
        nodes = self._node(own, read, at)
        doubts = [*found.doubts, *failures]
        if not self.target.meter and own is None:
            doubts.append(NO_METER)
        return Sampled(
            nodes=nodes,
            meters=tuple(self._meter(meter, resource, at) for meter, resource in read.items() if meter != own),
            failures=tuple(Failure(self.shown, doubt) for doubt in doubts),
        )

    async def close(self) -> None:
        """Stop looking, and log out."""
        if self._walking is not None:
            self._walking.cancel()
            await asyncio.gather(self._walking, return_exceptions=True)
        await self.connection.close()

    async def _looked_through(self) -> Found:
        """What is there. A look may take longer than a sample: it goes on, and the one before counts until then."""
        found = self._found
        if found is not None:
            good_for = DOUBTFUL_SECONDS if found.doubts else LOOK_AGAIN_SECONDS
            if time.monotonic() - self._looked < good_for:
                return found
        walking = self._walking = self._walking or self._started()
        try:
            if found is None:
                found = await asyncio.shield(walking)
            elif walking.done() and walking.exception() is None:
                found = walking.result()
        finally:
            if walking.done():
                self._walking, self._looked = None, time.monotonic()
        self._found = found
        return found

    def _started(self) -> asyncio.Task[Found]:
        self._walk = Walk(self.connection.get, self.levels)
        return asyncio.create_task(self._walk.found())

    async def _got(self, paths: Iterable[str], seconds: float) -> tuple[Mapping[str, Resource], list[str]]:
        """Each resource that answers in time, and why the others did not."""
        asked = {asyncio.create_task(self.connection.get(path)): path for path in paths}
        if not asked:
            return {}, []
        done, late = await asyncio.wait(asked, timeout=max(seconds, 0.0))
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        failures = [f"{asked[task]}: no answer within the time" for task in late]
        resources: dict[str, Resource] = {}
        for task in done:
            try:
                resources[asked[task]] = task.result()
            except Absent as why:
                self._looked = float("-inf")
                failures.append(str(why))
            except (Unanswered, ConfigurationError) as why:
                failures.append(str(why))
        return resources, list(dict.fromkeys(failures))

    def _node(self, own: Metered | None, read: Mapping[Metered, Resource], at: int) -> tuple[NodeMeasure, ...]:
        component = self.component
        if component is None or own is None or own not in read:
            return ()
        watts, joules = watts_of(read[own], own), joules_of(read[own], own)
        missing = ("node_power_watts",) if watts is None else ()
        return (NodeMeasure(component, at, power_watts=watts, energy_joules=joules, missing=missing),)

    def _meter(self, meter: Metered, resource: Resource, at: int) -> MeterMeasure:
        identity = self.target.identity
        return MeterMeasure(
            site=identity.site,
            meter=f"{identity.node}/{meter.name}",
            level=meter.level,
            at=at,
            power_watts=watts_of(resource, meter),
            energy_joules=joules_of(resource, meter),
            rack=identity.rack,
        )

    def _failed(self, why: str) -> Sampled:
        return Sampled(failures=(Failure(self.shown, why),))
