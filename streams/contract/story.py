"""A quarter of a minute at a small site, as its nodes and schedulers would send it: what the examples are made of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
from pydantic import BaseModel

from models.clock import Clock
from models.cloudevents import ARROW, EventType, headers
from models.demand import DemandEnded, DemandRevised, Purpose, Workload
from models.facts import Arrival, Expected, SiteFacts
from models.frame import encode_frame
from models.instants import Instant, instant_of, moment_of
from models.partitioning import NOT_PLACED
from models.reading import AcceleratorReadings, NodeState, Reading
from models.record import Headers, Record
from models.tenant import Quota, TenantRevised
from models.topics import DEMAND, SITES, TELEMETRY

SITE = "memphis"
START = instant_of(datetime(2026, 11, 22, 17, tzinfo=UTC))
SECONDS = 16
"""The shortage opens after five, and has been gone for five in the end."""

_BACK = 8
"""Seconds after which the second node is in service again."""

_SECOND = 1000
_HALF = 500
_DAY = 86_400_000
_TYPE = "h100-sxm"
_ACCELERATORS = 8
_WORKING = tuple(round(0.9 + 0.01 * number, 2) for number in range(_ACCELERATORS))
_WATTS = tuple(640.0 + 5 * number for number in range(_ACCELERATORS))
_BYTES = (68_719_476_736,) * _ACCELERATORS
_CELSIUS = tuple(61.0 + number for number in range(_ACCELERATORS))


def story() -> Iterator[Record]:
    """The records in the order of their sending; a clock stands for one in every partition of its topic."""
    yield _json(SITES, SITE, EventType.SITE_FACTS, START, _facts())
    yield _json(DEMAND, "research", EventType.TENANT_REVISED, START, _tenant())
    yield _json(DEMAND, "pretrain-xl", EventType.DEMAND_REVISED, START, _demand())
    for second in range(SECONDS + 1):
        now = Instant(START + second * _SECOND)
        if second % 2:
            yield _frame(now)
        else:
            for node in (1, 2):
                yield _json(TELEMETRY, SITE, EventType.READING, now, _reading(node, now))
        if second == 1:
            yield from _refused(now)
        if second == SECONDS - 1:
            ended = DemandEnded(demand="pretrain-xl", at=moment_of(now))
            yield _json(DEMAND, "pretrain-xl", EventType.DEMAND_ENDED, now, ended)
        for topic in (TELEMETRY, SITES, DEMAND):
            due = now + _HALF
            yield _json(topic, None, EventType.CLOCK, due, Clock(until=moment_of(due)))


def _facts() -> SiteFacts:
    return SiteFacts(
        site=SITE,
        at=moment_of(START),
        supply_watts=60_000,
        pue=1.25,
        expected=(Expected(type=_TYPE, nodes=3, accelerators=24),),
        arrivals=(Arrival(type=_TYPE, accelerators=64, at=moment_of(START + 9 * _DAY)),),
    )


def _tenant() -> TenantRevised:
    return TenantRevised(tenant="research", at=moment_of(START), quotas=(Quota(types=(_TYPE,), deserved=12, limit=24),))


def _demand() -> DemandRevised:
    return DemandRevised(
        demand="pretrain-xl",
        project="frontier",
        tenant="research",
        purpose=Purpose.RESEARCH,
        workload=Workload.TRAINING,
        at=moment_of(START),
        wanted=16,
        granted=8,
        types=(_TYPE,),
        sites=(SITE,),
        gang=8,
        priority=80,
        ends_at=moment_of(START + 21 * _DAY),
    )


def _reading(node: int, at: Instant) -> Reading:
    """The first node works; the second is in maintenance, and back in service later."""
    known = {"site": SITE, "rack": "r01", "type": _TYPE, "at": moment_of(at), "sequence": (at - START) // _SECOND}
    if node == 1:
        each = AcceleratorReadings(
            power_watts=_WATTS, utilization=_WORKING, memory_used_bytes=_BYTES, temperature_celsius=_CELSIUS
        )
        return Reading(
            **known,
            node="r01-n01",
            installed=_ACCELERATORS,
            in_service=_ACCELERATORS,
            allocated=_ACCELERATORS,
            power_watts=6851.25,
            utilization=0.93,
            accelerators=each,
        )
    back = at >= START + _BACK * _SECOND
    return Reading(
        **known,
        node="r01-n02",
        installed=_ACCELERATORS,
        in_service=_ACCELERATORS if back else 0,
        allocated=0,
        power_watts=1450.5,
        utilization=0.0,
        temperature_celsius=31.5,
        state=NodeState.IN_SERVICE if back else NodeState.MAINTENANCE,
    )


def _frame(at: Instant) -> Record:
    """Both nodes in one record."""
    columns = frame_columns(at)
    named = headers(EventType.FRAME, "//memphis/collector", f"{SITE}@{at}", at, ARROW)
    return Record(TELEMETRY, NOT_PLACED, 0, at, SITE.encode(), encode_frame(SITE, columns), named)


def frame_columns(at: Instant) -> dict[str, list[object]]:
    """The readings of both nodes in columns."""
    first, second = _reading(1, at), _reading(2, at)
    plain = ("node", "rack", "type", "at", "sequence", "installed", "in_service", "allocated", "power_watts")
    columns: dict[str, list[object]] = {
        name: [getattr(one, name) for one in (first, second)] for name in (*plain, "utilization", "temperature_celsius")
    }
    columns["state"] = [first.state.value, second.state.value]
    columns["accelerator_utilization"] = [list(_WORKING), None]
    return columns


def _refused(at: Instant) -> Iterator[Record]:
    """One of each topic, and a frame of which one row is bad."""
    wrong = {**_reading(1, at).model_dump(mode="json", exclude_none=True), "type": "h100-smx"}
    yield Record(TELEMETRY, NOT_PLACED, 0, at, SITE.encode(), orjson.dumps(wrong), _named(EventType.READING, at))
    columns = {name: values[:1] * 2 for name, values in frame_columns(at).items()}
    columns |= {"node": ["r01-n01", "r01-n03"], "allocated": [8, 9]}
    named = headers(EventType.FRAME, "//memphis/collector", f"{SITE}@{at}/again", at, ARROW)
    yield Record(TELEMETRY, NOT_PLACED, 0, at, SITE.encode(), encode_frame(SITE, columns), named)
    facts = {**_facts().model_dump(mode="json"), "pue": 0.8}
    yield Record(SITES, NOT_PLACED, 0, at, SITE.encode(), orjson.dumps(facts), _named(EventType.SITE_FACTS, at))
    demand = {**_demand().model_dump(mode="json", exclude_none=True), "granted": 17}
    yield Record(DEMAND, NOT_PLACED, 0, at, b"pretrain-xl", orjson.dumps(demand), _named(EventType.DEMAND_REVISED, at))


def _json(topic: str, key: str | None, kind: EventType, at: int, model: BaseModel) -> Record:
    value = model.model_dump_json(exclude_none=True, exclude_defaults=True).encode()
    return Record(topic, NOT_PLACED, 0, at, None if key is None else key.encode(), value, _named(kind, at))


def _named(kind: EventType, at: int) -> Headers:
    return headers(kind, "//memphis/collector", f"{kind.value.split('.')[2]}@{at}", at)
