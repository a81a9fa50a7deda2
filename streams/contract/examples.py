"""Real examples of every message: what was sent in the story, and what the machines made of it. The same each time."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import orjson
import pyarrow as pa

from infra.rules import rules_of
from infra.settings import KafkaSettings, TwinSettings
from models import topics
from models.catalogue import shipped_catalogue
from models.cloudevents import ARROW, EventType, headers
from models.instants import moment_of
from models.meter_reading import MeterLevel, MeterReading
from models.node_event import NodeEvent, NodeEventChange, NodeEventKind, ThrottleReason
from models.owner import Owner
from models.partitioning import placed
from models.pipeline import Delay, Flow, PipelineSample, Stage
from models.record import Headers, Outgoing, Record
from streams.contract.messages import MESSAGES
from streams.contract.story import SITE, START, story
from twin.admission import presence
from twin.offline import OfflineTwin


@dataclass(frozen=True, slots=True)
class Example:
    """A record as it stands on its topic; no value is the end of its key."""

    message: str
    summary: str
    topic: str
    key: str | None
    headers: Headers
    value: bytes | None

    def header(self, name: str) -> str | None:
        """The last header of that name, as text."""
        return {known: value.decode() for known, value in self.headers}.get(name)

    @property
    def payload(self) -> Any:
        """The value as documents show it: JSON as it is, Arrow in base64."""
        if self.value is None:
            return None
        if self.header("content-type") == ARROW:
            return base64.b64encode(self.value).decode()
        return orjson.loads(self.value)


@dataclass(frozen=True, slots=True)
class _Pick:
    """Which record of a message is shown, and what is said of it."""

    message: str
    summary: str
    chosen: Callable[[Example], bool] = lambda _: True


def _says(*words: str) -> Callable[[Example], bool]:
    return lambda one: all(word.encode() in (one.value or b"") for word in words)


def _refused_from(topic: str, code: str) -> Callable[[Example], bool]:
    return lambda one: one.topic == topics.dead_letters(topic) and one.header("__streams.errors.exception") == code


_PICKS = (
    _Pick("reading", "A node that trains, with its accelerators one by one"),
    _Pick("reading", "A node in maintenance", _says("maintenance")),
    _Pick("frame", "Both nodes in one record"),
    _Pick("clock", "Everything up to half a second past the tick has been sent"),
    _Pick("site-facts", "A site of 60 kW"),
    _Pick("demand-revised", "Sixteen are wanted, in gangs of eight on one node, and eight are granted"),
    _Pick("demand-ended", "The demand is gone"),
    _Pick("tenant-revised", "Twelve are deserved, and never more than 24 given"),
    _Pick("node-frame", "Both nodes of the site"),
    _Pick("site-state", "While eight accelerators are short", _says('"open_shortages":2')),
    _Pick("fleet-state", "While eight accelerators are short", _says('"open_shortages":3')),
    _Pick("shortage", "A project's shortage opens", _says('"opened"', '"project"')),
    _Pick("shortage", "It resolves", _says('"resolved"', '"project"')),
    _Pick("shortage-resolved", "The episode is open no more"),
    _Pick("node-event", "An accelerator is throttled"),
    _Pick("node-event", "An accelerator has an error", _says('"xid"')),
    _Pick("meter-reading", "A rack's power distribution unit"),
    _Pick("dead-letter", "A reading of an unknown type", _refused_from(topics.TELEMETRY, "unknown_type")),
    _Pick(
        "dead-letter",
        "A frame with one bad row; the others counted",
        lambda one: one.header("fleettwin_rows") is not None,
    ),
    _Pick("dead-letter", "Site facts with an impossible PUE", _refused_from(topics.SITES, "invalid")),
    _Pick("dead-letter", "A demand that has more than it wants", _refused_from(topics.DEMAND, "invalid")),
    _Pick("samples", "What a partition's machine closed", _says('"node')),
    _Pick("admitted", "Site facts that passed the checks", _says('"facts"')),
    _Pick("away", "Nothing was heard of a partition"),
    _Pick("back", "It is heard again"),
    _Pick("pipeline-sample", "Ten seconds of a twin worker"),
    _Pick("owner", "A worker that answers for a partition"),
)


@cache
def examples() -> tuple[Example, ...]:
    """In the order of the messages."""
    known = [*_told(), *_of_workers(), *_of_publishers()]
    return tuple(_picked(pick, known) for message in MESSAGES for pick in _PICKS if pick.message == message.name)


def _picked(pick: _Pick, known: Iterable[Example]) -> Example:
    for one in known:
        if one.message == pick.message and pick.chosen(one):
            return replace(one, summary=pick.summary)
    raise LookupError(f"the story has no {pick.message}: {pick.summary}")


def _told() -> Iterator[Example]:
    """All that was sent in the story, and all that came of it."""
    kafka = KafkaSettings()
    partitions = {topics.TELEMETRY: kafka.telemetry_partitions, topics.SITES: 1, topics.DEMAND: 1}
    twin = OfflineTwin(rules_of(TwinSettings()), shipped_catalogue(), kafka.telemetry_partitions)
    for record in placed(story(), partitions):
        yield _example(record)
        for output in twin.fold(record):
            yield _example(output)
    for away in (True, False):
        yield _example(presence(3, away=away, instant=START))


def _of_workers() -> Iterator[Example]:
    """What only live workers say."""
    worker, now = "twin@host-1/4242", START + 10_000
    sample = PipelineSample(
        worker=worker,
        app="twin",
        since=moment_of(START),
        at=moment_of(now),
        flows=(Flow(topic=topics.TELEMETRY, partition=3, records=30, bytes=41_210, lag=0),),
        delays=(Delay(stage=Stage.SITE_STATE, count=10, p50=0.57, p95=0.62, p99=0.64, most=0.64),),
        rows=0,
        resident_bytes=187_695_104,
        cpu_seconds=1.25,
    )
    owner = Owner(partition=3, worker=worker, url="http://127.0.0.1:8470", at=moment_of(START))
    for topic, key, kind, model in (
        (topics.PIPELINE, worker, EventType.PIPELINE_SAMPLE, sample),
        (topics.WORKERS, "3", EventType.OWNER, owner),
    ):
        identity = f"{worker}@{now}"
        named = headers(kind, f"//fleettwin/workers/{worker}", identity, now)
        yield _example(Outgoing(topic, key.encode(), model.model_dump_json().encode(), named, identity))


def _of_publishers() -> Iterator[Example]:
    """What publishers say beside readings."""
    node = {"site": SITE, "node": "r01-n01", "rack": "r01", "at": moment_of(START), "change": NodeEventChange.BEGAN}
    hot = NodeEvent(**node, sequence=7, kind=NodeEventKind.THROTTLE, accelerator=3, reasons=(ThrottleReason.THERMAL,))
    lost = NodeEvent(**node, sequence=8, kind=NodeEventKind.XID, accelerator=5, code=79)
    meter = MeterReading(
        site=SITE,
        meter="pdu-r01-a",
        rack="r01",
        level=MeterLevel.PDU,
        at=moment_of(START),
        power_watts=8_650.0,
        energy_joules=912_400_000.0,
    )
    for identity, kind, model in (
        ("r01-n01@7", EventType.NODE_EVENT, hot),
        ("r01-n01@8", EventType.NODE_EVENT, lost),
        (f"pdu-r01-a@{START}", EventType.METER_READING, meter),
    ):
        named = headers(kind, f"//fleettwin/publish/{SITE}", identity, START)
        value = model.model_dump_json(exclude_none=True).encode()
        yield _example(Outgoing(topics.EVENTS, SITE.encode(), value, named, identity))


def _example(record: Record | Outgoing) -> Example:
    kind = dict(record.headers).get("ce_type", b"").decode()
    if record.topic.endswith(".dlq"):
        message = "dead-letter"
    elif record.topic == topics.OPEN_SHORTAGES:
        message = "shortage" if record.value is not None else "shortage-resolved"
    else:
        message = next(one.name for one in MESSAGES if one.event == kind)
    key = None if record.key is None else record.key.decode()
    value = record.value
    if value is not None and dict(record.headers).get("content-type") == ARROW.encode():
        value = _uncompressed(value)
    return Example(message, "", record.topic, key, record.headers, value)


def _uncompressed(frame: bytes) -> bytes:
    """The same frame; what a compressor makes of it may differ between its versions."""
    with pa.ipc.open_stream(frame) as reader:
        whole = reader.read_all()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, whole.schema) as writer:
        writer.write_table(whole)
    return bytes(sink.getvalue())
