"""The same readings twice: as our frames for those who read columns, one by one as JSON for those who read records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import orjson

from benchmarks.fleets import uniform_fleet
from benchmarks.rivals.sums import SECOND
from benchmarks.stage import Stage
from infra.kafka_clients import opened_producer
from infra.kafka_sender import KafkaSender
from models.cloudevents import JSON, EventType
from models.frame import read_frame
from models.record import Outgoing
from streams.simulator.clocks import clocked
from streams.simulator.publisher import publish
from streams.simulator.telemetry import Step, telemetry

SINGLES = "rivals.readings"
"""The topic with a reading in each record, beside ours."""

START = 1_767_225_600_000


@dataclass(frozen=True, slots=True)
class Load:
    """How much there is to read. One second more is written than is said here, since the next one closes a second."""

    nodes: int = 125_000
    """With eight accelerators each."""
    sites: int = 20
    frame_rows: int = 8192
    """One frame a site and second, as in the scenario `million`."""
    seconds: int = 30
    single_sites: int = 4
    """Of which the readings are written one by one, too; those who read them are far slower, so they get fewer."""
    single_seconds: int = 2

    @property
    def ticks(self) -> range:
        """The ends of the seconds that are closed."""
        return self._ends(self.seconds)

    @property
    def single_ticks(self) -> range:
        """Those of the readings that are written one by one."""
        return self._ends(self.single_seconds)

    def _ends(self, seconds: int) -> range:
        return range(START + SECOND, START + (seconds + 1) * SECOND, SECOND)


@dataclass(frozen=True, slots=True)
class Written:
    """What lies on the two topics."""

    sites: tuple[str, ...]
    readings: int
    single_sites: tuple[str, ...]
    single_readings: int


def write(stage: Stage, load: Load) -> Written:
    """Write both topics, which must be there and empty; frames are followed by clocks, each reading comes once."""
    fleet = uniform_fleet(load.nodes, load.sites, frame_rows=load.frame_rows)
    sites = tuple(fleet.sites)
    chosen = sites[: load.single_sites]
    kafka = stage.settings.kafka
    steps = clocked(telemetry(fleet, START, seconds=load.seconds + 1), kafka.telemetry_partitions)
    with opened_producer(stage.settings) as producer:
        sent = publish(_doubled(steps, chosen, load.single_ticks.stop), KafkaSender(producer, kafka.topic_prefix))
    singles = sum(fleet.sites[site].nodes for site in chosen) * (load.single_seconds + 1)
    return Written(sites, sent.readings, chosen, singles)


def _doubled(steps: Iterator[Step], sites: tuple[str, ...], until: int) -> Iterator[Step]:
    """The steps up to the last reading, those until then with the readings of these sites one by one as well."""
    for step in steps:
        if step.closing:
            return
        again = _one_by_one(step, sites) if step.at <= until else ()
        yield replace(step, records=(*step.records, *again))


def _one_by_one(step: Step, sites: tuple[str, ...]) -> Iterator[Outgoing]:
    frame = ("ce_type", EventType.FRAME.encode())
    for record in step.records:
        if frame not in record.headers or (record.key or b"").decode() not in sites:
            continue
        site, batch = read_frame(record.value or b"")
        for row in batch.to_pylist():
            said = {name: value for name, value in row.items() if value is not None}
            identity = f"{site}/{row['node']}/{row['sequence']}"
            described = (("content-type", JSON.encode()),)
            yield Outgoing(SINGLES, record.key, orjson.dumps({"site": site, **said}), described, identity)
