"""Finds what a Redfish service meters: chassis, and power distribution units with phases, branches and outlets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from streams.publish.measures import MeterLevel
from streams.publish.metering.connection import Absent, Unanswered
from streams.publish.metering.resources import Metered, Resource, joules_of, link_of, links_of, part_of, watts_of

ROOT = "/redfish/v1"
MOST_RESOURCES = 5000
"""That a service is asked for; a collection that goes on for ever ends there."""

_CIRCUITS = (("Branches", MeterLevel.BRANCH), ("Outlets", MeterLevel.OUTLET))


@dataclass(frozen=True, slots=True)
class Found:
    """What a service meters."""

    meters: tuple[Metered, ...]
    systems: frozenset[str]
    """The paths of the chassis that computer systems stand in."""
    doubts: tuple[str, ...] = ()
    """What could not be looked at."""


@dataclass
class Walk:
    """One look at a service.

    Args:
        get: Gets a resource; raises Absent or Unanswered.
        levels: What is looked for.
    """

    get: Callable[[str], Awaitable[Resource]]
    levels: frozenset[MeterLevel]
    asked: int = 0
    _meters: list[Metered] = field(default_factory=list)
    _doubts: list[str] = field(default_factory=list)

    async def found(self) -> Found:
        """Everything there is; parts that do not answer are doubts.

        Raises:
            Unanswered: the service itself does not answer.
        """
        root = await self._get(ROOT)
        systems: set[str] = set()
        await asyncio.gather(
            self._each(link_of(root, "Chassis"), self._chassis),
            self._each(link_of(root, "Systems"), partial(self._system, systems=systems)),
            self._equipment(link_of(root, "PowerEquipment")),
        )
        return Found(tuple(sorted(self._meters, key=lambda one: one.id)), frozenset(systems), tuple(self._doubts))

    async def _get(self, path: str) -> Resource:
        self.asked += 1
        if self.asked > MOST_RESOURCES:
            raise Unanswered(f"more than {MOST_RESOURCES} resources")
        return await self.get(path)

    async def _optional(self, path: str | None) -> Resource | None:
        if path is None:
            return None
        try:
            return await self._get(path)
        except Absent:
            return None
        except Unanswered as why:
            self._doubts.append(str(why))
            return None

    async def _each(self, collection: str | None, look: Callable[[str], Awaitable[None]]) -> None:
        """Look at every member of a collection, which may be in several pages."""
        seen: set[str] = set()
        while collection is not None and collection not in seen:
            seen.add(collection)
            page = await self._optional(collection)
            if page is None:
                return
            await asyncio.gather(*(look(member) for member in links_of(page, "Members")))
            following = page.get("Members@odata.nextLink")
            collection = following if isinstance(following, str) else None

    async def _chassis(self, path: str) -> None:
        """By its environment metrics, else by the older resource of its power."""
        chassis = await self._optional(path)
        if chassis is None or MeterLevel.CHASSIS not in self.levels:
            return
        metrics = link_of(chassis, "EnvironmentMetrics")
        resource = await self._optional(metrics)
        if metrics is not None and resource is not None:
            whole = Metered(metrics, (), MeterLevel.CHASSIS, _name(path), path)
            if _says(resource, whole):
                self._meters.append(whole)
                return
        power = link_of(chassis, "Power")
        resource = await self._optional(power)
        controls = part_of(resource, ("PowerControl",)) if resource is not None else None
        if power is None or not isinstance(controls, list):
            return
        for place in range(len(controls)):
            name = _name(path) if len(controls) == 1 else f"{_name(path)}/PowerControl/{place}"
            control = Metered(power, ("PowerControl", place), MeterLevel.CHASSIS, name, path)
            if _says({"PowerControl": controls}, control):
                self._meters.append(control)

    async def _system(self, path: str, systems: set[str]) -> None:
        system = await self._optional(path)
        if system is not None:
            systems.update(links_of(system, "Links", "Chassis"))

    async def _equipment(self, path: str | None) -> None:
        equipment = await self._optional(path)
        if equipment is not None:
            await self._each(link_of(equipment, "RackPDUs"), self._pdu)

    async def _pdu(self, path: str) -> None:
        pdu = await self._optional(path)
        if pdu is None:
            return
        metrics = link_of(pdu, "Metrics")
        if metrics is not None and MeterLevel.PDU in self.levels:
            self._meters.append(Metered(metrics, (), MeterLevel.PDU, _name(path), path))
        if MeterLevel.PHASE in self.levels:
            await self._each(link_of(pdu, "Mains"), partial(self._phases, pdu=path))
        for collection, level in _CIRCUITS:
            if level in self.levels:
                await self._each(link_of(pdu, collection), partial(self._circuit, level=level, pdu=path))

    async def _phases(self, path: str, pdu: str) -> None:
        mains = await self._optional(path)
        phases = part_of(mains, ("PolyPhasePowerWatts",)) if mains is not None else None
        for phase in _lines(phases.keys() if isinstance(phases, dict) else ()):
            within = ("PolyPhasePowerWatts", phase)
            self._meters.append(Metered(path, within, MeterLevel.PHASE, f"{_name(path)}/{phase}", pdu))

    async def _circuit(self, path: str, level: MeterLevel, pdu: str) -> None:
        circuit = await self._optional(path)
        whole = Metered(path, (), level, _name(path), pdu)
        if circuit is not None and _says(circuit, whole):
            self._meters.append(whole)


def _says(resource: Resource, metered: Metered) -> bool:
    """Whether it meters at all; what is not metered has no such property, what is off says null."""
    part = part_of(resource, metered.within)
    return (
        watts_of(resource, metered) is not None
        or joules_of(resource, metered) is not None
        or (isinstance(part, dict) and not {"PowerWatts", "EnergykWh", "PowerConsumedWatts"}.isdisjoint(part))
    )


def _lines(phases: Iterable[str]) -> list[str]:
    """Those between a line and neutral, and where there are none those between two lines: never both."""
    to_neutral = sorted(phase for phase in phases if phase.endswith("ToNeutral"))
    return to_neutral or sorted(phase for phase in phases if phase.startswith("Line"))


def _name(path: str) -> str:
    return path.removeprefix(f"{ROOT}/").removeprefix("PowerEquipment/")
