"""Builders of consoles that need no Kafka: fed with records, over machines that fold them, asked without a socket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from models.cloudevents import EventType
from models.instants import moment_of
from models.names import FLEET
from models.owner import Owner
from models.partitioning import partition_of
from models.record import Record
from models.shortage import (
    Binding,
    Change,
    Constraint,
    Power,
    Quantity,
    Scope,
    ScopeKind,
    Severity,
    Shortage,
    Status,
)
from models.topics import SHORTAGES, STATE, WORKERS
from streams.console.access import Hosts
from streams.console.answers import Answers
from streams.console.app import console_app
from streams.console.console import Console
from streams.console.limiting import Pace
from streams.console.live import LiveFleet
from streams.console.metrics import Metrics
from streams.console.owners import Owners
from streams.console.passing import Others
from tests.builders import CATALOGUE, SITE, T0, clock, frame, numbered, record, row, view
from twin.rules import Rules
from twin.site import SiteTwin
from twin.states import fleet_state, site_state
from twin.telemetry import TelemetryMachine
from twin.tenants import Claims

PARTITIONS = 4
NOW = moment_of(T0 + 700)


def site_record(site: str = SITE, tick: int = T0, offset: int = 0, **said: Any) -> Record:
    """A site's state as it stands on its topic."""
    state = site_state(view(site, **said), tick, CATALOGUE, 0)
    record_ = record(state.model_dump_json().encode(), EventType.SITE_STATE, STATE, site, timestamp=tick + 600)
    named = (*record_.headers, ("ce_id", f"site/{site}@{tick}".encode()))
    return Record(STATE, 0, offset, tick + 600, record_.key, record_.value, named)


def fleet_record(tick: int = T0, offset: int = 0, sites: Sequence[str] = (SITE,)) -> Record:
    """The fleet's state as it stands on its topic."""
    state = fleet_state([view(site) for site in sites], tick, CATALOGUE, Claims(), 0)
    return record(state.model_dump_json().encode(), EventType.FLEET_STATE, STATE, FLEET, offset=offset)


def tick_records(tick: int = T0, offset: int = 0, sites: Sequence[str] = (SITE,)) -> list[Record]:
    """All that a tick puts on the topic of states."""
    states = [site_record(site, tick, offset + number) for number, site in enumerate(sites)]
    return [*states, fleet_record(tick, offset + len(sites), sites)]


def event(id_: str = "i", sequence: int = 0, change: Change = Change.OPENED, at: int = T0, **said: Any) -> Shortage:
    """A shortage of power at the site."""
    unsaid: dict[str, Any] = {
        "status": Status.RESOLVED if change is Change.RESOLVED else Status.OPEN,
        "severity": Severity.WARNING,
        "scope": Scope(kind=ScopeKind.SITE, name=SITE),
        "resource": Power(),
        "demanded": Quantity(),
        "served": Quantity(),
        "missing": Quantity(),
        "binding": Binding(constraint=Constraint.POWER, sites=(SITE,), types=(), summary="no power"),
        "since": moment_of(T0),
        "at": moment_of(at),
        "resolved_at": moment_of(at) if change is Change.RESOLVED else None,
        "projects": (),
    }
    return Shortage(id=id_, sequence=sequence, change=change, **unsaid | said)


def shortage_record(one: Shortage, offset: int = 0, topic: str = SHORTAGES) -> Record:
    """A shortage event as it stands on its topic."""
    return record(one.model_dump_json().encode(), EventType.SHORTAGE, topic, one.id, offset=offset)


def owner_record(partition: int, worker: str, url: str) -> Record:
    """What a worker says of a partition that it folds."""
    owner = Owner(partition=partition, worker=worker, url=url, at=NOW)
    return record(owner.model_dump_json().encode(), EventType.OWNER, WORKERS, str(partition))


@dataclass
class FakeHere:
    """The machines of the partitions that are folded here."""

    machines: dict[int, TelemetryMachine]
    ready: bool = True

    def partitions(self) -> Set[int]:
        return self.machines.keys()

    def sites(self) -> Iterator[SiteTwin]:
        return (twin for machine in self.machines.values() for twin in machine.sites.values())

    def site(self, name: str) -> SiteTwin | None:
        return next((twin for twin in self.sites() if twin.site == name), None)


def folding(sites: Mapping[str, Iterable[str]], partitions: Iterable[int] = range(PARTITIONS)) -> FakeHere:
    """A worker that owns these partitions and has heard of these nodes, each in the partition of its site."""
    machines = {one: TelemetryMachine(one, PARTITIONS, Rules(), CATALOGUE) for one in partitions}
    frames = [frame([row(node, power_watts=6000.0) for node in nodes], site) for site, nodes in sites.items()]
    for one in numbered([clock(T0 - 500), *frames, clock(T0 + 500)], PARTITIONS):
        if one.partition in machines:
            machines[one.partition].fold(one)
    return FakeHere(machines)


def site_in(partition: int, prefix: str = "site") -> str:
    """A site whose readings go to that partition."""
    names = (f"{prefix}-{number}" for number in range(1000))
    return next(name for name in names if partition_of(name.encode(), PARTITIONS) == partition)


@dataclass
class Built:
    """A console, and what a test puts into it."""

    console: Console
    owners: Owners
    caught_up: bool = True
    asked: list[httpx.Request] = field(default_factory=list)
    """What it has asked of other workers."""

    @property
    def live(self) -> LiveFleet:
        return self.console.live

    def take(self, *records: Record) -> None:
        for one in records:
            self.live.take(one)


def built(
    here: FakeHere | None = None,
    *records: Record,
    worker: str = "twin@a/1",
    others: httpx.AsyncBaseTransport | None = None,
    token: str | None = None,
) -> Built:
    """A console over these machines that has read these records; `others` is how it reaches other workers."""
    live, owners = LiveFleet(), Owners()
    here = here or folding({})
    made: Built

    async def note(request: httpx.Request) -> None:
        made.asked.append(request)

    client = httpx.AsyncClient(trust_env=False, transport=others or _nobody(), event_hooks={"request": [note]})
    console = Console(
        worker,
        live,
        here,
        Answers(live, here, worker, lambda: NOW),
        Others(worker, PARTITIONS, here, owners, client, token),
        lambda: made.caught_up,
        Metrics(live, lambda: {("fleet.telemetry.v1", 0): 3, ("fleet.telemetry.v1", 1): None}).text,
    )
    made = Built(console, owners)
    made.take(*records)
    live.settle()
    return made


def _nobody() -> httpx.MockTransport:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody listens", request=request)

    return httpx.MockTransport(refuse)


def transport(
    made: Built,
    *,
    token: str | None = None,
    hosts: Hosts | None = None,
    pages: Path | None = None,
    pace: Pace | None = None,
) -> httpx.ASGITransport:
    """Straight into the application."""
    return httpx.ASGITransport(console_app(made.console, token, hosts, pages, pace), raise_app_exceptions=False)


async def ask(made: Built, path: str, method: str = "GET", **said: Any) -> httpx.Response:
    """One question."""
    app = {name: said.pop(name) for name in ("token", "hosts", "pages", "pace") if name in said}
    async with httpx.AsyncClient(
        trust_env=False, transport=transport(made, **app), base_url="http://127.0.0.1:8470"
    ) as client:
        return await client.request(method, path, **said)
