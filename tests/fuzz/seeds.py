"""Cases to begin with, made by the writers themselves, so that changes to them are read deep into the readers."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from models.cloudevents import STRUCTURED, EventType
from models.frame import encode_frame, read_frame
from models.instants import moment_of
from models.owner import Owner
from models.pipeline import Delay, Flow, PipelineSample, Stage
from models.record import Outgoing, Record
from models.topics import DEMAND, LEDGER, NODES, OPEN_SHORTAGES, PIPELINE, SHORTAGES, SITES, STATE, TELEMETRY, WORKERS
from tests.builders import (
    CATALOGUE,
    SITE,
    T0,
    clock,
    demand,
    ended,
    facts,
    frame,
    json_reading,
    of_each,
    record,
    row,
    tenant,
)
from tests.fuzz.mutating import packed
from twin.admission import admit, presence
from twin.fleet import FleetMachine
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

_BOMB_VALUES = 64 * 1024 * 1024
"""Of eight bytes each: half a gigabyte of zeros is a few kilobytes when it is compressed."""


def whole_row(node: str = "n0", at: int = T0) -> dict[str, object]:
    """A reading that says everything."""
    lists = of_each(
        8,
        power_watts=(600.0,),
        utilization=(0.5,),
        sm_active=(0.25,),
        memory_used_bytes=(7,),
        temperature_celsius=(40,),
    )
    said: dict[str, Any] = {
        "allocated": 4,
        "power_watts": 5000.0,
        "utilization": 0.5,
        "sm_active": 0.25,
        "memory_used_bytes": 56,
    }
    return row(node, at, rack="r1", temperature_celsius=55.5, state="in_service", **said, **lists)


def frames() -> list[bytes]:
    """Frames with and without everything, some with bad rows, some that come in another order, and bombs."""
    base = frame([whole_row(node) for node in "abcd"])
    cases: list[Sequence[Record]] = [
        [base],
        [frame([row()])],
        [frame([row(f"n{i}", power_watts=-43.0 if i % 7 == 0 else 1.0) for i in range(20)])],
        [base, frame([row("a", T0 - 2000), row("a", T0 - 1000), row("a", T0 - 2000)]), clock(T0 + 5000)],
        *([replace(base, value=value)] for value in bombs()),
    ]
    return [packed(records) for records in cases]


def readings() -> list[bytes]:
    """Readings one by one, plain and in structured events, and clocks."""
    plain, whole = json_reading(row("solo", power_watts=10.0)), json_reading(whole_row("full"))
    event = {"type": EventType.READING.value, "data": orjson.loads(plain.value or b"")}
    structured = replace(plain, value=orjson.dumps(event), headers=(("content-type", STRUCTURED.encode()),))
    base64 = {"type": EventType.READING.value, "data_base64": b64encode(plain.value or b"").decode()}
    cases: list[Sequence[Record]] = [
        [plain],
        [whole],
        [structured],
        [replace(structured, value=orjson.dumps(base64))],
        [clock(T0)],
        [plain, clock(T0 + 1000), json_reading(row("solo", T0 - 5000)), clock(T0 + 5000)],
    ]
    return [packed(records) for records in cases]


def _stream(batch: pa.RecordBatch, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


@cache
def bombs() -> tuple[bytes, ...]:
    """Frames of a few kilobytes that take gigabytes to anybody who unpacks them."""
    zeros = pa.array(np.zeros(_BOMB_VALUES, dtype=np.int64))
    names = {name: [value] for name, value in row().items()}
    _, small = read_frame(encode_frame(SITE, names))
    compressed = pa.RecordBatch.from_arrays([zeros], schema=pa.schema([("at", pa.int64())], {b"site": SITE.encode()}))
    rows = 4096
    many = {name: [value] * rows for name, value in row().items()}
    _, batch = read_frame(encode_frame(SITE, many))
    long = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array(["x" * 100_000]))
    listed = pa.FixedSizeListArray.from_arrays(pa.nulls(2**30), 2**30)
    return (
        _stream(compressed, "zstd"),
        _stream(_with(batch, "node", long)),
        _stream(_with(small, "accelerator_power_watts", listed)),
    )


def _with(batch: pa.RecordBatch, name: str, array: pa.Array) -> pa.RecordBatch:
    columns = {field: batch.column(field) for field in batch.schema.names} | {name: array}
    schema = pa.schema([pa.field(field, column.type) for field, column in columns.items()], {b"site": SITE.encode()})
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=schema)


def stated() -> list[Record]:
    """Facts, demands, quotas and clocks that make sense together."""
    soon = moment_of(T0 + 3000)
    return [
        facts(expected=[{"type": "h100-sxm", "nodes": 2, "accelerators": 16}]),
        facts(arrivals=[{"type": "gb200", "accelerators": 72, "at": moment_of(T0)}], supply_watts=1.0),
        demand(wanted=64, granted=8, types=["h100-sxm"], sites=[SITE], tenant="t", workload="training", gang=8),
        demand("e", starts_at=moment_of(T0), ends_at=soon, purpose="research", priority=90),
        tenant(quotas=[{"types": ["h100-sxm"], "deserved": 4, "limit": 16}, {"limit": 100}]),
        ended("e", T0 + 2000),
        clock(T0, SITES),
        clock(T0, DEMAND),
    ]


def admission() -> list[bytes]:
    """What people and schedulers say."""
    return [packed([one]) for one in stated()]


@cache
def _worked() -> tuple[Outgoing, ...]:
    """What both machines put out over some seconds in which something is short."""
    site, fleet = TelemetryMachine(0, 1, Rules(), CATALOGUE), FleetMachine(Rules(), CATALOGUE)
    outputs: list[Outgoing] = []
    for number, one in enumerate(stated()):
        outputs.append(admit(replace(one, offset=number), CATALOGUE))
    for second in range(0, 14_000, 1000):
        at = T0 + second
        for one in (frame([whole_row(node, at) for node in "ab"]), clock(at + 900)):
            outputs += site.fold(replace(one, offset=second))
        for topic in (SITES, DEMAND):
            outputs.append(admit(clock(at + 900, topic, offset=100 + second), CATALOGUE))
    for output in [one for one in outputs if one.topic == LEDGER]:
        outputs += fleet.fold(Record(LEDGER, 0, 0, T0, output.key, output.value, output.headers))
    return (*outputs, presence(0, away=True, instant=T0), presence(0, away=False, instant=T0))


def _as_records(topic: str) -> list[Record]:
    return [Record(topic, 0, 0, T0, one.key, one.value, one.headers) for one in _worked() if one.topic == topic]


def ledger() -> list[bytes]:
    """The ledger's records, alone and in the order in which they came."""
    records = [one for one in _as_records(LEDGER) if len(one.value or b"") < 5000]
    return [*(packed([one]) for one in records[:12]), *(packed(records[at : at + 6]) for at in range(0, 18, 3))]


def outputs() -> list[bytes]:
    """What the machines and workers publish."""
    topics = (STATE, SHORTAGES, NODES, OPEN_SHORTAGES)
    return [
        *(packed([one]) for topic in topics for one in (*_as_records(topic)[:3], *_as_records(topic)[-3:])),
        *(packed([one]) for one in (_pipeline(), _owner())),
    ]


def _pipeline() -> Record:
    told = PipelineSample(
        worker="twin@host/1",
        app="twin",
        since=moment_of(T0),
        at=moment_of(T0 + 5000),
        flows=(Flow(topic=TELEMETRY, partition=0, records=1, bytes=2, lag=None),),
        delays=(Delay(stage=Stage.SITE_ROW, count=1, p50=0.5, p95=0.5, p99=0.5, most=0.5),),
        rows=1,
        resident_bytes=2**28,
        cpu_seconds=0.5,
    )
    return record(told.model_dump_json().encode(), EventType.PIPELINE_SAMPLE, PIPELINE)


def _owner() -> Record:
    told = Owner(partition=0, worker="twin@host/1", url="http://127.0.0.1:8470", at=moment_of(T0))
    return record(told.model_dump_json().encode(), EventType.OWNER, WORKERS)


def letters() -> list[bytes]:
    """Dead letters of all inputs."""
    bad = [
        frame([row(), row("b", power_watts=-43.0), row("c", type="abacus")]),
        json_reading(row(installed=0)),
        record(b"{", EventType.READING),
    ]
    machine = TelemetryMachine(0, 1, Rules(), CATALOGUE)
    found = [output for one in bad for output in machine.fold(one)]
    found += [admit(demand(types=["abacus"]), CATALOGUE), admit(facts(pue=0.5), CATALOGUE)]
    return [packed([Record(one.topic, 0, 7, T0, one.key, one.value, one.headers)]) for one in found]
