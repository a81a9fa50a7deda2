"""Builders of what the twin reads: whatever a test does not speak of is filled in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from models.catalogue import shipped_catalogue
from models.cloudevents import ARROW, JSON, EventType
from models.columns import ReadingColumns
from models.errors import RecordRefused
from models.facts import SiteFacts
from models.frame import encode_frame
from models.instants import moment_of
from models.ledger import AdmittedDemand, AdmittedTenant
from models.partitioning import partition_of
from models.record import Outgoing, Record
from models.sample import Intake, NodeCounts, Pool, PowerSplit, SiteSample
from models.single import SingleReading
from models.state import Presence
from models.telemetry import Readings, TelemetryDecoder
from models.topics import DEMAND, LEDGER, SITES, TELEMETRY
from twin.telemetry import TelemetryMachine
from twin.view import SiteView

CATALOGUE = shipped_catalogue()
T0 = 1_800_000_000_000
"""A tick, and a whole number of minutes."""
SITE = "memphis"
NEW_TYPE = """
abacus:
  vendor: Acme
  name: Abacus
  bf16_tflops: 1
  idle_watts: 100
  typical_watts: 500
  max_watts: 700
  per_node: 8
  host_idle_watts: 1000
  host_max_watts: 2000
  power_model_error: 0.1
  sources: [made up]
"""
"""A catalogue of one type that the shipped one has not."""
Row = dict[str, Any]


def row(node: str = "n0", at: int = T0, sequence: int = 0, **said: Any) -> Row:
    """A reading as columns say it: eight H100, unless said otherwise."""
    return {
        "node": node,
        "type": "h100-sxm",
        "at": at,
        "sequence": sequence,
        "installed": 8,
        "in_service": 8,
    } | said


def of_each(installed: int, **measures: Sequence[Any] | None) -> Row:
    """What a reading says of each accelerator, as columns; values are taken in turns until all have one."""
    return {
        f"accelerator_{name}": None if not values else [values[i % len(values)] for i in range(installed)]
        for name, values in measures.items()
    }


def record(value: bytes | None, kind: EventType, topic: str = TELEMETRY, key: str = SITE, **said: Any) -> Record:
    """A record in binary mode."""
    content_type = said.pop("content_type", JSON)
    named = (("ce_type", kind.encode()), ("content-type", content_type.encode()))
    unsaid: dict[str, Any] = {"partition": 0, "offset": 0, "timestamp": T0, "headers": named}
    return Record(topic=topic, key=key.encode(), value=value, **unsaid | said)


def frame(rows: Sequence[Row], site: str = SITE, **said: Any) -> Record:
    """A record of readings as an Arrow frame, sent when the last of them was taken."""
    names = {name for one in rows for name in one}
    columns = {name: [one.get(name) for one in rows] for name in names}
    sent = max((one["at"] for one in rows if one["at"] is not None), default=T0)
    unsaid: dict[str, Any] = {"key": site, "content_type": ARROW, "timestamp": max(sent, T0)}
    return record(encode_frame(site, columns), EventType.FRAME, **unsaid | said)


def json_reading(one: Row, site: str = SITE, **said: Any) -> Record:
    """The same reading as a bare JSON record without headers."""
    known = {name: value for name, value in one.items() if value is not None}
    lists = [name for name in known if name.startswith("accelerator_")]
    if lists:
        known["accelerators"] = {name.removeprefix("accelerator_"): known.pop(name) for name in lists}
    body = {"site": site, **known, "at": moment_of(one["at"]).isoformat()}
    return Record(TELEMETRY, 0, 0, max(one["at"], T0), site.encode(), orjson.dumps(body), (), **said)


def clock(until: int, topic: str = TELEMETRY, **said: Any) -> Record:
    """A clock record."""
    body = orjson.dumps({"until": moment_of(until).isoformat()})
    return record(body, EventType.CLOCK, topic, "clock", **{"timestamp": until} | said)


def facts(site: str = SITE, at: int = T0, supply_watts: float = 1e6, pue: float = 1.25, **said: Any) -> Record:
    """Site facts."""
    body = {"site": site, "at": moment_of(at), "supply_watts": supply_watts, "pue": pue, **said}
    return record(orjson.dumps(body), EventType.SITE_FACTS, SITES, site, timestamp=at)


def demand(demand: str = "d", at: int = T0, wanted: int = 8, **said: Any) -> Record:
    """A demand as it stands."""
    body = {"demand": demand, "project": "p", "at": moment_of(at), "wanted": wanted, **said}
    return record(orjson.dumps(body), EventType.DEMAND_REVISED, DEMAND, demand, timestamp=at)


def tenant(tenant: str = "t", at: int = T0, **said: Any) -> Record:
    """A tenant's quotas as they stand."""
    body = {"tenant": tenant, "at": moment_of(at), **said}
    return record(orjson.dumps(body), EventType.TENANT_REVISED, DEMAND, tenant, timestamp=at)


def ended(demand: str = "d", at: int = T0) -> Record:
    """The end of a demand."""
    body = {"demand": demand, "at": moment_of(at)}
    return record(orjson.dumps(body), EventType.DEMAND_ENDED, DEMAND, demand, timestamp=at)


def numbered(records: Iterable[Record], partitions: int = 1) -> Iterator[Record]:
    """The records one after the other in their partitions; readings go by their key, and a clock to all partitions."""
    offsets: dict[tuple[str, int], int] = defaultdict(int)
    for one in records:
        places: Iterable[int] = (one.partition,)
        if one.topic == TELEMETRY:
            is_clock = one.header("ce_type") == EventType.CLOCK.encode()
            places = range(partitions) if is_clock else (partition_of(one.key or b"", partitions),)
        for place in places:
            yield replace(one, partition=place, offset=offsets[one.topic, place])
            offsets[one.topic, place] += 1


def in_ledger(entries: Iterable[Outgoing], first: int = 0) -> list[Record]:
    """What was put out for the ledger, as its records."""
    return [
        Record(LEDGER, 0, first + offset, T0, entry.key, entry.value, entry.headers)
        for offset, entry in enumerate(entries)
    ]


def decoded(one: Record) -> Readings:
    """The readings of a record that holds some."""
    readings = TelemetryDecoder(CATALOGUE).decode(one)
    if isinstance(readings, SingleReading):
        return Readings(readings.site, readings.columns)
    assert isinstance(readings, Readings)
    return readings


def columns_of(one: Record) -> ReadingColumns:
    """The good rows of a record."""
    return decoded(one).columns


def refusal_of(one: Record) -> str:
    """The code with which a record is refused whole; empty where it is not."""
    try:
        TelemetryDecoder(CATALOGUE).decode(one)
    except RecordRefused as refused:
        return refused.code
    return ""


def folded(machine: TelemetryMachine, records: Iterable[Record]) -> list[Outgoing]:
    """All that the machine puts out."""
    return [output for one in numbered(records) for output in machine.fold(one)]


def samples_of(outputs: Iterable[Outgoing]) -> list[SiteSample]:
    """The samples in the ledger's records among the outputs."""
    steps = [orjson.loads(output.value or b"") for output in outputs if output.topic == LEDGER]
    return [SiteSample.model_validate(one) for step in steps for one in step["samples"]]


def without_intake(samples: Iterable[SiteSample]) -> list[dict[str, Any]]:
    """The samples as plain values, without the counts that tell how the log was cut."""
    return [sample.model_dump(exclude={"intake"}) for sample in samples]


def pool(type_: str = "h100-sxm", **counts: Any) -> Pool:
    """A pool; what is not said is zero, and what is free is on whole nodes of eight and one with the rest."""
    names = ("installed", "in_service", "allocated", "free", "held_idle", "allocation_unknown", "lost")
    zeros = dict.fromkeys((*names, "utilization_ppm", "utilization_known"), 0)
    return Pool(**{"type": type_, "free_per_node": on_whole_nodes(counts.get("free", 0)), **zeros, **counts})


def on_whole_nodes(free: int) -> tuple[int, ...]:
    """So many free accelerators on nodes of eight, and the rest on one more, by how many are free."""
    whole, rest = divmod(free, 8)
    return tuple(whole * (level == 8) + (level == rest > 0) for level in range(9)) if free else ()


def sample(site: str = SITE, tick: int = T0, pools: Sequence[Pool] = (), milliwatts: int = 0) -> SiteSample:
    """A site's sample with one node that reports."""
    return SiteSample(
        site=site,
        tick=tick,
        nodes=NodeCounts(reporting=1, stale=0, lost=0, in_service=1, draining=0, maintenance=0, failed=0),
        pools=tuple(pools),
        power=PowerSplit(measured=milliwatts, modelled=0, carried=0, unknown_nodes=0),
        energy_joules=0,
        gaps=0,
        newest=tick,
        intake=Intake(observed=0, duplicate=0, superseded=0, late=0, refused=0),
    )


def view(
    site: str = SITE, free: int = 0, milliwatts: int = 0, supply_watts: float | None = 1e9, **said: Any
) -> SiteView:
    """A site with free H100, at a PUE of 1; without facts where the supply is none."""
    pools = said.pop("pools", (pool(installed=free, in_service=free, free=free),))
    presence = said.pop("presence", Presence.PRESENT)
    known = None
    if supply_watts is not None:
        stated = {"site": site, "at": moment_of(T0), "supply_watts": supply_watts, "pue": 1.0, **said}
        known = SiteFacts.model_validate(stated)
    seen = None if presence is Presence.NEVER_SEEN else sample(site, T0, pools, milliwatts)
    return SiteView(site, presence, seen, known)


def wants(demand: str = "d", wanted: int = 8, at: int = T0, **said: Any) -> AdmittedDemand:
    """A demand of project `p`."""
    return AdmittedDemand.model_validate(
        {"demand": demand, "project": "p", "at": moment_of(at), "wanted": wanted} | said
    )


def entitled(tenant: str = "t", at: int = T0, *quotas: dict[str, Any]) -> AdmittedTenant:
    """A tenant with these quotas."""
    return AdmittedTenant.model_validate({"tenant": tenant, "at": moment_of(at), "quotas": quotas})
