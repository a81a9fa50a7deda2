"""Version 1 stands: every record that was ever written in it still reads, and no schema of it takes a promise back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from pydantic import BaseModel

from models import topics
from models.cloudevents import EventType
from models.errors import RecordRefused
from models.ledger import LEDGER_RECORD
from models.meter_reading import MeterReading
from models.node_event import NodeEvent
from models.node_frame import ADDED, encode_node_frame, read_node_frame
from models.owner import Owner
from models.pipeline import PipelineSample
from models.record import Headers, Record
from models.shortage import Shortage
from models.single import SingleReading
from models.state import FleetState, SiteState
from models.telemetry import Readings, TelemetryDecoder
from models.wording import binds
from streams.console.app import openapi_document
from streams.consumers.alerts import shortage_of
from streams.contract.asyncapi import asyncapi_document
from streams.contract.messages import BY_NAME, MESSAGES, Message, Writer
from streams.contract.schemas import in_json, schema_of
from streams.contract.story import SITE
from streams.workers.gathering import Gathering
from tests.builders import CATALOGUE
from tests.contract.comparing import Comparison, Schema
from twin.admission import admit

V1 = Path(__file__).with_name("v1")
SENT_LATER = 2_000_000_000_000

Frozen = dict[str, Any]


def frozen(name: str) -> Frozen:
    """A record as it was written in v1."""
    found: Frozen = orjson.loads((V1 / "records" / f"{name}.json").read_bytes())
    return found


def names(*messages: str) -> list[str]:
    """The frozen records of these messages, or of all."""
    known = sorted(path.stem for path in (V1 / "records").glob("*.json"))
    return [name for name in known if not messages or frozen(name)["message"] in messages]


def record_of(one: Frozen) -> Record:
    value = base64.b64decode(one["base64"]) if "base64" in one else orjson.dumps(one["json"]) if "json" in one else None
    named: Headers = tuple((name, text.encode()) for name, text in one["headers"].items())
    key = None if one["key"] is None else one["key"].encode()
    return Record(one["topic"], 0, 0, SENT_LATER, key, value, named)


def kept(was: Any, is_: Any) -> bool:
    """Whether all that was said is still there; more may be."""
    if isinstance(was, dict):
        return isinstance(is_, dict) and all(name in is_ and kept(value, is_[name]) for name, value in was.items())
    if isinstance(was, list):
        return isinstance(is_, list) and len(was) == len(is_) and all(map(kept, was, is_))
    return bool(was == is_)


def test_every_message_with_a_value_of_ours_is_frozen() -> None:
    written = {frozen(name)["message"] for name in names()}

    assert written == {message.name for message in MESSAGES} - {"checkpoint"}


@pytest.mark.parametrize("name", names("reading", "frame", "clock"))
def test_telemetry_of_v1_is_taken_in(name: str) -> None:
    record = record_of(frozen(name))
    if record.topic != topics.TELEMETRY:
        pytest.fail("the frozen clock is telemetry's")

    decoded = TelemetryDecoder(CATALOGUE).decode(record)

    if isinstance(decoded, Readings):
        assert decoded.site == SITE
        assert decoded.refusals == ()
        assert len(decoded.columns) == 2
    elif isinstance(decoded, SingleReading):
        assert decoded.site == SITE
        assert len(decoded.columns) == 1
    else:
        assert decoded == 1_795_366_800_500


@pytest.mark.parametrize("name", names("site-facts", "demand-revised", "demand-ended", "tenant-revised"))
def test_what_people_and_schedulers_said_in_v1_is_admitted(name: str) -> None:
    one = frozen(name)

    entry = admit(record_of(one), CATALOGUE)

    assert entry.topic == topics.LEDGER
    assert kept(one["json"], orjson.loads(entry.value or b"")["body"])


@pytest.mark.parametrize("name", names("samples", "admitted", "away", "back"))
def test_a_ledger_of_v1_is_folded_as_it_was_written(name: str) -> None:
    one = frozen(name)

    assert kept(one["json"], LEDGER_RECORD.validate_json(orjson.dumps(one["json"])).model_dump(mode="json"))


@pytest.mark.parametrize("name", names("site-state", "fleet-state", "shortage", "node-frame"))
def test_the_store_gathers_what_workers_of_v1_wrote(name: str) -> None:
    gathering = Gathering()

    gathering.add(record_of(frozen(name)))

    batch = gathering.batch()
    assert sum(map(len, (batch.sites, batch.fleet, batch.shortages, batch.nodes))) == 1


MODELS: dict[str, type[BaseModel]] = {
    "site-state": SiteState,
    "fleet-state": FleetState,
    "shortage": Shortage,
    "pipeline-sample": PipelineSample,
    "owner": Owner,
    "node-event": NodeEvent,
    "meter-reading": MeterReading,
}


@pytest.mark.parametrize("name", names(*MODELS))
def test_nothing_that_was_published_in_v1_is_lost(name: str) -> None:
    one = frozen(name)
    model = MODELS[one["message"]]

    assert kept(one["json"], model.model_validate_json(orjson.dumps(one["json"])).model_dump(mode="json"))


def test_alerts_of_v1_are_read() -> None:
    assert [shortage_of(record_of(frozen(name))).change.value for name in names("shortage")] == ["opened", "resolved"]


def test_a_node_frame_from_before_accelerators_were_told_has_its_nodes() -> None:
    batch = read_node_frame(record_of(frozen("node-frame-before-accelerators")).value or b"").batch

    assert batch.column("node").to_pylist() == ["r01-n01", "r01-n02"]
    assert batch.column("power_milliwatts").to_pylist() == [6_851_250, 1_450_500]
    assert all(batch.column(name).null_count == 2 for name in ADDED)


def test_a_node_frame_with_columns_of_a_newer_version_has_ours() -> None:
    value = record_of(frozen("node-frame")).value or b""
    with pa.ipc.open_stream(value) as reader:
        whole = reader.read_all()
    wider = whole.add_column(3, "coolant_celsius", pa.array([21.0, 22.0]))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, wider.schema) as writer:
        writer.write_table(wider)

    found, known = read_node_frame(bytes(sink.getvalue())), read_node_frame(value)

    assert found.batch == known.batch
    columns = {name: found.batch.column(name) for name in found.batch.schema.names}
    assert read_node_frame(encode_node_frame(found.site, found.tick, found.part, columns)).batch == known.batch


def with_more(value: Any) -> Any:
    """The same with a field that nobody knows in every object."""
    if isinstance(value, dict):
        return {**{name: with_more(part) for name, part in value.items()}, "of_tomorrow": {"x": 1}}
    return [with_more(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", names(*MODELS))
def test_a_field_that_a_newer_worker_publishes_is_passed_over(name: str) -> None:
    one = frozen(name)
    model = MODELS[one["message"]]

    assert model.model_validate_json(orjson.dumps(with_more(one["json"]))) == model.model_validate(one["json"])


@pytest.mark.parametrize("name", names("reading", "site-facts", "demand-revised", "demand-ended", "tenant-revised"))
def test_a_field_that_nobody_knows_in_an_input_is_refused(name: str) -> None:
    one = frozen(name)
    record = record_of({**one, "json": {**one["json"], "of_tomorrow": 1}})

    if record.topic == topics.TELEMETRY:
        with pytest.raises(RecordRefused, match="of_tomorrow"):
            TelemetryDecoder(CATALOGUE).decode(record)
    else:
        assert admit(record, CATALOGUE).topic == topics.dead_letters(record.topic)


def test_a_constraint_that_a_newer_worker_knows_is_kept_as_it_was_said() -> None:
    one = frozen("shortage-1")["json"]
    newer = {**one, "binding": {**one["binding"], "constraint": "network_ports"}}

    shortage = Shortage.model_validate_json(orjson.dumps(newer))

    assert orjson.loads(shortage.model_dump_json())["binding"]["constraint"] == "network_ports"
    assert binds(shortage.binding) == "network ports"


def test_a_word_where_words_do_not_grow_is_refused() -> None:
    one = {**frozen("shortage-1")["json"], "severity": "apocalyptic"}

    with pytest.raises(ValueError, match="severity"):
        Shortage.model_validate_json(orjson.dumps(one))


def test_a_record_of_another_kind_is_told_apart_by_its_type() -> None:
    one = frozen("shortage-1")
    record = record_of({**one, "headers": {**one["headers"], "ce_type": "io.fleettwin.forecast.v1"}})

    with pytest.raises(RecordRefused, match="forecast"):
        Gathering().add(record)
    with pytest.raises(RecordRefused, match="forecast"):
        shortage_of(record)


SCHEMAS = [pytest.param(message, id=message.name) for message in in_json()]


@pytest.mark.parametrize("message", SCHEMAS)
def test_a_schema_takes_no_promise_of_v1_back(message: Message) -> None:
    was: Schema = orjson.loads((V1 / "schemas" / f"{message.name}.v1.json").read_bytes())
    now: Schema = orjson.loads(orjson.dumps(schema_of(message)))

    # What is internal is written by an older worker and read by a newer one: it must still be accepted, as inputs are.
    assert Comparison(was, now, for_senders=message.writer is not Writer.FLEETTWIN).breaks() == []


@pytest.mark.parametrize("message", SCHEMAS)
def test_a_field_added_to_v1_has_a_default_for_records_from_before_it(message: Message) -> None:
    was: Schema = orjson.loads((V1 / "schemas" / f"{message.name}.v1.json").read_bytes())

    assert added_without_default(was, schema_of(message)) == []


def added_without_default(was: Schema, now: Schema) -> list[str]:
    """Fields of objects that there were before, which records from then lack and no default stands for."""
    before = {"": was, **was.get("$defs", {})}
    after = {"": now, **now.get("$defs", {})}
    return [
        f"{name}.{field}"
        for name in before.keys() & after.keys()
        for field in after[name].get("required", ())
        if field not in before[name].get("properties", {})
    ]


def test_a_field_that_is_added_without_a_default_is_noticed() -> None:
    now = {"properties": {"a": {}, "b": {}}, "required": ["a", "b"]}

    assert added_without_default({"properties": {"a": {}}, "required": ["a"]}, now) == [".b"]


def test_the_topics_of_v1_are_there_with_their_messages_keys_and_policies() -> None:
    was = orjson.loads((V1 / "asyncapi.json").read_bytes())
    now = orjson.loads(orjson.dumps(asyncapi_document()))

    for name, channel in was["channels"].items():
        if not channel["x-internal"]:
            found = now["channels"][name]
            assert found["address"] == channel["address"]
            assert found["x-key"] == channel["x-key"]
            assert found["messages"].keys() >= channel["messages"].keys()
            policy = "cleanup.policy"
            kafka, before = found["bindings"]["kafka"], channel["bindings"]["kafka"]
            assert kafka["topicConfiguration"][policy] == before["topicConfiguration"][policy]
            assert (kafka["partitions"] == 1) == (before["partitions"] == 1)


def test_the_headers_of_v1_are_there() -> None:
    was, now = orjson.loads((V1 / "asyncapi.json").read_bytes()), asyncapi_document()

    for name, message in was["components"]["messages"].items():
        if BY_NAME[name].writer is not Writer.INTERNAL:
            headers = orjson.loads(orjson.dumps(now["components"]["messages"][name]["headers"]))
            senders = BY_NAME[name].writer is Writer.SENDERS
            assert Comparison(message["headers"], headers, for_senders=senders).breaks() == [], name


def columns_of(document: Mapping[str, Any], message: str) -> dict[str, dict[str, Any]]:
    table = document["components"]["messages"][message]["payload"]["x-arrow"]
    return {column["name"]: column for column in table["columns"]}


@pytest.mark.parametrize("message", ["frame", "node-frame"])
def test_the_columns_of_v1_are_there_with_their_types_and_units(message: str) -> None:
    was = columns_of(orjson.loads((V1 / "asyncapi.json").read_bytes()), message)
    now = columns_of(asyncapi_document(), message)

    for name, column in was.items():
        promised = {part: column.get(part) for part in ("type", "unit", "required", "codes")}
        assert {part: now[name].get(part) for part in promised} == promised
    assert [name for name, column in now.items() if column["required"] and name not in was] == []


def test_the_names_of_event_types_are_those_of_v1() -> None:
    assert {message.event for message in MESSAGES if message.event} == set(EventType)


def answers_of(api: Mapping[str, Any]) -> dict[str, Schema]:
    """The schema of what each path answers when all is well, as a document of its own."""
    definitions = api["components"]["schemas"]
    found = {}
    for path, item in api["paths"].items():
        content = item["get"]["responses"]["200"].get("content", {})
        if "application/json" in content:
            found[path] = {**content["application/json"]["schema"], "$defs": definitions}
    return found


def test_what_the_console_answered_in_v1_it_still_answers() -> None:
    was = answers_of(orjson.loads((V1 / "openapi.json").read_bytes()))
    now = answers_of(orjson.loads(orjson.dumps(openapi_document())))

    assert was.keys() <= now.keys()
    for path in was:
        assert Comparison(was[path], now[path], for_senders=False).breaks() == [], path


def test_what_may_be_asked_of_the_console_may_still_be_asked() -> None:
    was, now = orjson.loads((V1 / "openapi.json").read_bytes()), openapi_document()

    def asked_as(api: Mapping[str, Any], parameter: Mapping[str, Any]) -> Schema:
        return {**parameter["schema"], "$defs": api["components"]["schemas"]}

    for path, item in was["paths"].items():
        asked = {one["name"]: one for one in now["paths"][path]["get"].get("parameters", ())}
        before = {one["name"]: one for one in item["get"].get("parameters", ())}
        assert before.keys() <= asked.keys()
        for name, one in asked.items():
            assert one.get("required", False) <= before.get(name, {}).get("required", False)
            if name in before:
                assert Comparison(asked_as(was, before[name]), asked_as(now, one), for_senders=True).breaks() == []
