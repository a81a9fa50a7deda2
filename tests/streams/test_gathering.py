"""What the store takes in: by its type, by its topic where that alone says it, and never what no table can hold."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import orjson
import pytest

from models.cloudevents import EventType, headers
from models.dead_letter import refused_record
from models.errors import RecordRefused
from models.instants import Instant
from models.node_frame import COLUMNS, MOST_ROWS, NodeFrame, encode_node_frame
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


def nodes(frame: NodeFrame, partition: int = 0) -> Record:
    columns = {name: frame.batch.column(name) for name in COLUMNS}
    value = encode_node_frame(frame.site, frame.tick, frame.part, columns)
    return replace(record(NODES, EventType.NODE_FRAME, value), partition=partition)


def some(rows: int, part: int, partition: int = 0) -> Record:
    return nodes(node_frame("memphis", T0, {"node": [f"n{part}-{row}" for row in range(rows)]}, part), partition)


async def added_until_complete(gathering: Gathering, coming: Sequence[Record]) -> int:
    """How many of these, one at each turn of the loop, a batch waits for."""
    complete = asyncio.create_task(gathering.complete(60.0))
    for added, one in enumerate(coming):
        for _ in range(5):
            await asyncio.sleep(0)
        if complete.done():
            return added
        gathering.add(one)
    await asyncio.wait_for(complete, 5.0)
    return len(coming)


def test_a_batch_waits_for_the_rest_of_a_site() -> None:
    gathering = Gathering()
    gathering.add(some(MOST_ROWS, part=0))
    coming = [some(MOST_ROWS, part=1), sample(), some(7, part=0, partition=1), some(7, part=2), sample()]

    assert asyncio.run(added_until_complete(gathering, coming)) == 4


def test_a_batch_that_ends_with_the_last_nodes_of_a_site_waits_for_nothing() -> None:
    gathering = Gathering()
    gathering.add(some(7, part=0))

    assert asyncio.run(added_until_complete(gathering, [sample()])) == 0


def test_a_batch_does_not_wait_for_long() -> None:
    gathering = Gathering()
    gathering.add(some(MOST_ROWS, part=0))

    asyncio.run(asyncio.wait_for(gathering.complete(0.01), 5.0))


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
    told = nodes(node_frame("memphis", T0, {"node": ["a", "b"], column: [None, value]}))
    gathering = Gathering()
    with nullcontext() if taken else pytest.raises(RecordRefused, match="no table can hold"):
        gathering.add(told)

    assert len(gathering.batch().nodes) == taken


def test_a_note_that_a_record_was_sent_again_is_no_letter() -> None:
    said = note(Record("fleet.telemetry.v1", 3, 9, T0, b"k", None), Instant(T0))
    gathering = Gathering()
    gathering.add(Record(DEAD_LETTERS[0], 0, 5, T0, said.key, said.value, said.headers))

    assert (gathering.batch().letters, gathering.positions()) == ([], {(DEAD_LETTERS[0], 0): 6})
