"""A scenario as the records of its log: step by step, the same for the same scenario and start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count

import numpy as np

from models.catalogue import Catalogue, shipped_catalogue
from models.cloudevents import ARROW, EventType, headers
from models.demand import DemandEnded, DemandRevised
from models.facts import Arrival, Expected, SiteFacts
from models.instants import moment_of
from models.names import Event
from models.record import Outgoing
from models.scenario import Scenario, per_node
from models.scenario_demand import End, Revision
from models.tenant import Quota, TenantRevised
from models.topics import DEMAND, SITES, TELEMETRY
from streams.simulator.fleet import STEP, SiteFleet
from streams.simulator.frames import FrameWriter
from streams.simulator.timeline import AllocationSet, DemandSet, FaultSet, Happening, SupplySet, TenantSet, happenings


@dataclass(frozen=True, slots=True)
class Step:
    """What is sent for the time after the step before, up to and with `at`. The first step has no readings."""

    at: int
    """Event time in milliseconds."""
    records: tuple[Outgoing, ...]
    """In the order in which they are to be sent."""
    readings: int
    """In all frames together, bad ones and repeated ones too."""
    facts: int
    demands: int
    tenants: int = 0
    closing: bool = False
    """Nothing happens in it but that time has passed."""


def telemetry(
    scenario: Scenario, start: int, catalogue: Catalogue | None = None, seconds: float | None = None
) -> Iterator[Step]:
    """The steps from `start`, milliseconds since 1970, for so many seconds of event time or without end."""
    simulation = _Simulation(scenario, start, catalogue or shipped_catalogue())
    for number in count():
        if seconds is not None and number * STEP > seconds * 1000:
            return
        yield simulation.step(number)


class _Simulation:
    def __init__(self, scenario: Scenario, start: int, catalogue: Catalogue) -> None:
        self._scenario, self._start, self._catalogue = scenario, start, catalogue
        self._source = f"/fleettwin/simulator/{scenario.seed}"
        self._ahead = happenings(scenario)
        self._next = next(self._ahead, None)
        self._fleets: dict[str, SiteFleet] = {}
        self._writers: dict[str, FrameWriter] = {}
        for number, (id_, site) in enumerate(scenario.sites.items()):
            rng = np.random.default_rng([scenario.seed, number])
            self._fleets[id_] = fleet = SiteFleet(id_, site, catalogue, rng, scenario.faults.failures)
            self._writers[id_] = FrameWriter(
                fleet,
                catalogue,
                rng,
                cadence=scenario.cadence_seconds,
                frame_rows=scenario.frame_rows,
                dirty=scenario.faults.dirty,
            )

    def step(self, number: int) -> Step:
        at = self._start + number * STEP
        stated = [record for record in self._happened(number * STEP) if record is not None]
        frames: list[Outgoing] = []
        readings = 0
        for id_, writer in self._writers.items() if number else ():
            self._fleets[id_].wear(at, STEP)
            for place, (rows, value) in enumerate(writer.frames(at)):
                identity = f"{id_}/{at}/{place}"
                described = headers(EventType.FRAME, self._source, identity, at, ARROW)
                frames.append(Outgoing(TELEMETRY, id_.encode(), value, described, identity))
                readings += rows
        facts = sum(record.topic == SITES for record in stated)
        tenants = sum(("ce_type", EventType.TENANT_REVISED.encode()) in record.headers for record in stated)
        return Step(at, (*stated, *frames), readings, facts, len(stated) - facts - tenants, tenants)

    def _happened(self, until: int) -> Iterator[Outgoing | None]:
        while self._next is not None and self._next[0] <= until:
            offset, _, what = self._next
            yield self._happen(self._start + offset, what)
            self._next = next(self._ahead, None)

    def _happen(self, at: int, what: Happening) -> Outgoing | None:
        match what:
            case SupplySet(site, supply_mw):
                return self._event(SITES, EventType.SITE_FACTS, site, at, self._facts(site, supply_mw, at))
            case TenantSet(tenant, shares):
                quotas = tuple(Quota.model_validate(share.model_dump()) for share in shares)
                entitled = TenantRevised(tenant=tenant, at=moment_of(at), quotas=quotas)
                return self._event(DEMAND, EventType.TENANT_REVISED, tenant, at, entitled, f"tenant/{tenant}/{at}")
            case DemandSet(demand, End()):
                ended = DemandEnded(demand=demand.demand, at=moment_of(at))
                return self._event(DEMAND, EventType.DEMAND_ENDED, demand.demand, at, ended)
            case DemandSet(demand, Revision() as revision):
                revised = DemandRevised(
                    **demand.model_dump(exclude={"timeline"}),
                    at=moment_of(at),
                    wanted=revision.wanted,
                    granted=revision.granted,
                    ends_at=None if revision.ends_at is None else _moment_after(at, revision.ends_at - revision.at),
                )
                return self._event(DEMAND, EventType.DEMAND_REVISED, demand.demand, at, revised)
            case AllocationSet(site, type_, allocated):
                self._fleets[site].allocate(type_, allocated)
            case FaultSet(index, site, True):
                self._fleets[site].strike(index, self._scenario.faults.scripted[index])
            case FaultSet(index, site, False):
                self._fleets[site].relieve(index)
        return None

    def _facts(self, id_: str, supply_mw: float, at: int) -> SiteFacts:
        site = self._scenario.sites[id_]
        expected = (
            Expected(type=pool.type, nodes=pool.nodes, accelerators=pool.nodes * per_node(pool, self._catalogue))
            for pool in site.pools
        )
        arrivals = (
            Arrival(
                type=arrival.type,
                accelerators=arrival.accelerators,
                at=_moment_after(self._start, arrival.in_seconds),
            )
            for arrival in site.arrivals
        )
        return SiteFacts(
            site=id_,
            at=moment_of(at),
            supply_watts=round(supply_mw * 1e6),
            pue=site.pue,
            expected=tuple(expected),
            arrivals=tuple(arrivals),
        )

    def _event(
        self, topic: str, kind: EventType, subject: str, at: int, event: Event, identity: str | None = None
    ) -> Outgoing:
        identity = identity or f"{subject}/{at}"
        value = event.model_dump_json(exclude_none=True).encode()
        return Outgoing(topic, subject.encode(), value, headers(kind, self._source, identity, at), identity, 0)


def _moment_after(at: int, seconds: float) -> datetime:
    return moment_of(at + round(seconds * 1000))
