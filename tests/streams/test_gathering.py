"""What the store takes in: by its type, by its topic where that alone says it, and never what no table can hold."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import orjson
import pytest

from models.cloudevents import EventType, headers
from models.dead_letter import refused_record
from models.errors import RecordRefused
from models.instants import Instant
from models.node_frame import COLUMNS, encode_node_frame
from models.record import Headers, Record
from models.replay_note import note
from models.topics import DEAD_LETTERS, NODES, PIPELINE, STATE
from streams.workers.gathering import Gathering
from tests.infra.timescale_builders import T0, node_frame, pipeline_sample, site_state

SAMPLE = pipeline_sample()


def record(topic: str, kind: EventType, value: bytes, added: Headers = ()) -> Record:
    return Record(topic, 0, 5, T0, b"key", value, (*headers(kind, "//here", "id", T0), *added))


def sample(**changed: Any) -> Record:
    value = {**SAMPLE.model_dump(mode="json"), **changed}
    return record(PIPELINE, EventType.PIPELINE_SAMPLE, orjson.dumps(value))


def test_a_pipeline_sample_is_taken_in_and_its_offset_with_it() -> None:
    gathering = Gathering()
    gathering.add(sample())

    assert gathering.batch().pipeline == [SAMPLE]
    assert gathering.positions() == {(PIPELINE, 0): 6}


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"rows": None}, id="none"),
        pytest.param({"rows": 2**63}, id="too-large-for-the-column"),
        pytest.param({"worker": "a\0b"}, id="a-character-that-no-text-may-have"),
        pytest.param({"at": "0001-01-01T00:00:00Z"}, id="before-there-were-any"),
        pytest.param(
            {"flows": [{"topic": "t", "partition": 2**63, "records": 0, "bytes": 0, "lag": 0}]}, id="deep-inside"
        ),
    ],
)
def test_a_broken_sample_is_refused_and_read_all_the_same(broken: dict[str, Any]) -> None:
    gathering = Gathering()
    with pytest.raises(RecordRefused, match="undecodable"):
        gathering.add(sample(**broken))

    assert gathering.batch().pipeline == []
    assert gathering.positions() == {(PIPELINE, 0): 6}


def test_a_dead_letter_is_one_whatever_the_record_in_it_says_of_itself() -> None:
    state = site_state().model_dump_json().encode()
    inside = Record("fleet.telemetry.v1", 3, 9, T0, b"k", state, headers(EventType.SITE_STATE, "//x", "i", T0))
    letter = refused_record(inside, RecordRefused("unexpected", "not here"))
    gathering = Gathering()
    for topic in DEAD_LETTERS:
        gathering.add(Record(topic, 0, 5, T0, letter.key, letter.value, letter.headers))

    assert [(one.topic, one.code, one.source_offset) for one in gathering.batch().letters] == [
        (topic, "unexpected", 9) for topic in DEAD_LETTERS
    ]
    assert gathering.batch().sites == []


def test_what_stands_on_a_dead_letter_topic_and_is_no_letter_is_refused() -> None:
    with pytest.raises(RecordRefused, match="a dead letter without"):
        Gathering().add(record(DEAD_LETTERS[0], EventType.SITE_STATE, b"{}"))


def test_a_site_state_is_taken_in_as_before() -> None:
    gathering = Gathering()
    gathering.add(record(STATE, EventType.SITE_STATE, site_state().model_dump_json().encode()))

    assert gathering.batch().sites == [site_state()]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param(EventType.SITE_STATE, site_state().model_dump(mode="json") | {"installed": 2**63}, id="a-count"),
        pytest.param(EventType.SITE_STATE, site_state().model_dump(mode="json") | {"site": "a\0b"}, id="a-name"),
    ],
)
def test_a_state_that_no_table_can_hold_is_refused(kind: EventType, value: dict[str, Any]) -> None:
    with pytest.raises(RecordRefused, match="no table can hold"):
        Gathering().add(record(STATE, kind, orjson.dumps(value)))


@pytest.mark.parametrize("column", ["power_milliwatts", "memory_used_bytes"])
@pytest.mark.parametrize(("value", "taken"), [(2**53, True), (-(2**53), True), (2**53 + 1, False), (-(2**63), False)])
def test_a_node_frame_has_only_figures_that_can_be_added_up(column: str, value: int, *, taken: bool) -> None:
    frame = node_frame("memphis", T0, {"node": ["a", "b"], column: [None, value]})
    columns = {name: frame.batch.column(name) for name in COLUMNS}
    told = record(NODES, EventType.NODE_FRAME, encode_node_frame("memphis", T0, 0, columns))
    gathering = Gathering()
    with nullcontext() if taken else pytest.raises(RecordRefused, match="no table can hold"):
        gathering.add(told)

    assert len(gathering.batch().nodes) == taken


def test_a_note_that_a_record_was_sent_again_is_no_letter() -> None:
    said = note(Record("fleet.telemetry.v1", 3, 9, T0, b"k", None), Instant(T0))
    gathering = Gathering()
    gathering.add(Record(DEAD_LETTERS[0], 0, 5, T0, said.key, said.value, said.headers))

    assert (gathering.batch().letters, gathering.positions()) == ([], {(DEAD_LETTERS[0], 0): 6})
