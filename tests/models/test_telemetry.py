"""The edge: what is turned away, with which word, and that the rest is kept."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cloudevents import ARROW, JSON, STRUCTURED, EventType
from models.columns import UNKNOWN, UNKNOWN_TEMPERATURE, UNSAID, AcceleratorColumns
from models.errors import RecordRefused
from models.frame import MOST_BYTES, MOST_ROWS, REQUIRED, encode_frame, read_frame
from models.instants import LAST, moment_of
from models.record import SENT_AT, Record
from models.telemetry import Readings, TelemetryDecoder
from tests.builders import (
    CATALOGUE,
    SITE,
    T0,
    Row,
    clock,
    columns_of,
    decoded,
    frame,
    json_reading,
    of_each,
    record,
    refusal_of,
    row,
)
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

SENTINEL = 9223372036854775794
"""What DCGM writes for a blank 64-bit value."""
SENT = T0
SCALES = (1_000_000, 1000, 1, 1000)
UNKNOWNS = tuple(UNSAID[:, 0].tolist())
"""Of the measures of accelerators, in their order."""


def with_column(name: str, values: list[Any], kind: pa.DataType) -> Record:
    """Three good rows, but for one column of the wire's own type."""
    rows = [row(node) for node in "abc"]
    columns = {field: [one[field] for one in rows] for field in rows[0]}
    return record(
        encode_frame(SITE, columns | {name: pa.array(values, kind)}), EventType.FRAME, content_type=ARROW, timestamp=T0
    )


INSTANT = pa.timestamp("ms", tz="UTC")
FLOATS = pa.list_(pa.float32())


@pytest.mark.parametrize(
    ("name", "good", "bad", "kind", "code"),
    [
        pytest.param("power_watts", 1.0, -1.0, pa.float32(), "out_of_range", id="negative-watts"),
        pytest.param("power_watts", 1.0, float("nan"), pa.float32(), "not_a_number", id="watts-nan"),
        pytest.param("power_watts", 1.0, float("inf"), pa.float32(), "out_of_range", id="watts-infinite"),
        pytest.param("power_watts", 1.0, float("-inf"), pa.float32(), "out_of_range", id="watts-minus-infinite"),
        pytest.param("power_watts", 1.0, float(SENTINEL), pa.float32(), "sentinel", id="watts-blank"),
        pytest.param("power_watts", 12_750.0, 12_751.0, pa.float32(), "implausible_power", id="watts-above-plausible"),
        pytest.param("utilization", 1.0, 1.001, pa.float32(), "out_of_range", id="a-fraction-above-one"),
        pytest.param("utilization", 0.0, -0.001, pa.float32(), "out_of_range", id="a-fraction-below-zero"),
        pytest.param("sm_active", 0.5, 50.0, pa.float32(), "out_of_range", id="a-percentage"),
        pytest.param("memory_used_bytes", 2**53, SENTINEL, pa.int64(), "sentinel", id="memory-blank"),
        pytest.param("memory_used_bytes", 0, -1, pa.int64(), "out_of_range", id="memory-negative"),
        pytest.param("temperature_celsius", -60.0, -61.0, pa.float32(), "out_of_range", id="too-cold"),
        pytest.param("temperature_celsius", 200.0, 201.0, pa.float32(), "out_of_range", id="too-hot"),
        pytest.param("at", SENT + 60_000, SENT + 60_001, INSTANT, "future", id="ahead-of-when-it-was-sent"),
        pytest.param("at", 0, -1, INSTANT, "out_of_range", id="before-1970"),
        pytest.param("at", T0, SENTINEL, INSTANT, "future", id="a-time-beyond-the-calendar"),
        pytest.param("at", T0, -SENTINEL, INSTANT, "out_of_range", id="a-time-before-it"),
        pytest.param("at", T0, None, INSTANT, "missing", id="no-time"),
        pytest.param("sequence", 0, -1, pa.int64(), "out_of_range", id="sequence-negative"),
        pytest.param("sequence", 2**63 - 1, None, pa.int64(), "missing", id="no-sequence"),
        pytest.param("installed", 1024, 1025, pa.int16(), "out_of_range", id="too-many-installed"),
        pytest.param("installed", 8, 0, pa.int16(), "out_of_range", id="none-installed"),
        pytest.param("installed", 8, None, pa.int16(), "missing", id="installed-not-said"),
        pytest.param("in_service", 8, 9, pa.int16(), "out_of_range", id="more-in-service-than-installed"),
        pytest.param("in_service", 0, None, pa.int16(), "missing", id="in-service-not-said"),
        pytest.param("allocated", 8, 9, pa.int16(), "out_of_range", id="more-allocated-than-installed"),
        pytest.param("allocated", None, -1, pa.int16(), "out_of_range", id="allocated-negative"),
        pytest.param("type", "h100-sxm", "h100-pcie", pa.string(), "unknown_type", id="unknown-type"),
        pytest.param("type", "h100-sxm", None, pa.string(), "unknown_type", id="no-type"),
        pytest.param("node", "x", "", pa.string(), "bad_name", id="empty-name"),
        pytest.param("node", "x", None, pa.string(), "bad_name", id="no-name"),
        pytest.param("node", "ok [red]", "a\nb", pa.string(), "bad_name", id="control-character-in-a-name"),
        pytest.param("node", "x" * 128, "x" * 129, pa.string(), "bad_name", id="name-too-long"),
        pytest.param("rack", None, "\x7f", pa.string(), "bad_name", id="control-character-in-a-rack"),
        pytest.param("state", "failed", "melted", pa.string(), "unknown_state", id="unknown-state"),
        pytest.param("accelerator_utilization", [1.0] * 8, [1.0] * 7, FLOATS, "wrong_length", id="too-few-values"),
        pytest.param("accelerator_utilization", None, [], FLOATS, "wrong_length", id="no-values"),
        pytest.param("accelerator_power_watts", [1.0] * 8, [-1.0] * 8, FLOATS, "out_of_range", id="a-value-negative"),
        pytest.param("accelerator_power_watts", [1.0] * 8, [1.0] * 9, FLOATS, "wrong_length", id="too-many-values"),
        pytest.param(
            "accelerator_temperature_celsius",
            [40.0] * 7 + [None],
            [40.0] * 7 + [float("nan")],
            FLOATS,
            "not_a_number",
            id="a-value-nan",
        ),
    ],
)
def test_a_bad_row_is_refused_and_the_others_are_kept(
    name: str, good: object, bad: object, kind: pa.DataType, code: str
) -> None:
    found = decoded(with_column(name, [good, bad, good], kind))

    assert [(refusal.row, refusal.code) for refusal in found.refusals] == [(1, code)]
    assert len(found.columns) == 2


@pytest.mark.parametrize("ahead", [0, 1])
def test_a_sender_who_says_that_it_sent_far_in_the_future_cannot_put_times_beyond_the_calendar(ahead: int) -> None:
    stated = ((SENT_AT, b"9" * 17),)
    late = row(at=LAST + ahead)
    machine = TelemetryMachine(0, 1, Rules(), CATALOGUE)
    letters = [
        letter
        for offset, one in enumerate((json_reading(late), frame([late])))
        for letter in machine.fold(replace(one, offset=offset, headers=(*one.headers, *stated)))
    ]
    again = TelemetryMachine(0, 1, Rules(), CATALOGUE)
    again.restore(machine.snapshot())

    assert again.digests() == machine.digests()
    assert len(letters) == 2 * ahead


def test_a_refusal_names_the_column_and_its_value() -> None:
    found = decoded(frame([row(), row("b", power_watts=-2.5)]))

    assert [refusal.detail for refusal in found.refusals] == ["power_watts is -2.5"]


def test_the_first_doubt_of_a_row_is_the_one_that_is_told() -> None:
    found = decoded(frame([row(type="abacus", power_watts=-1.0, installed=0)]))

    assert [refusal.code for refusal in found.refusals] == ["unknown_type"]


def test_what_a_node_does_not_say_follows_from_its_accelerators_but_not_its_watts() -> None:
    said: Row = {
        "accelerator_power_watts": [100.0] * 8,
        "accelerator_utilization": [0.0, 1.0] * 4,
        "accelerator_memory_used_bytes": list(range(8)),
        "accelerator_temperature_celsius": [40.0] * 7 + [77.5],
    }
    columns = columns_of(frame([row(**said)]))
    together = (columns.utilization[0], columns.memory_used[0], columns.temperature[0], columns.power[0])

    assert together == (500_000, 28, 77_500, -1)


def test_a_figure_does_not_follow_from_accelerators_of_which_one_is_unknown() -> None:
    lists = of_each(8, utilization=(0.5, None), memory_used_bytes=(1, None), temperature_celsius=(None, 40.0))
    for one in (frame([row(**lists)]), json_reading(row(**lists))):
        columns = columns_of(one)

        assert (columns.utilization[0], columns.memory_used[0]) == (UNKNOWN, UNKNOWN)
        assert columns.temperature[0] == UNKNOWN_TEMPERATURE


def exactly(low: int, high: int, scale: int) -> st.SearchStrategy[float]:
    """Numbers that a frame's 32 bits hold as they are."""
    return st.integers(low, high).map(lambda whole: whole / scale)


def lists(values: st.SearchStrategy[float]) -> st.SearchStrategy[list[float | None] | None]:
    return st.none() | st.lists(st.none() | values, min_size=4, max_size=4)


@settings(max_examples=100, deadline=None)
@given(
    said=st.fixed_dictionaries(
        {
            "accelerator_utilization": lists(exactly(0, 64, 64)),
            "accelerator_sm_active": lists(exactly(0, 64, 64)),
            "accelerator_power_watts": lists(exactly(0, 3000, 2)),
            "accelerator_memory_used_bytes": lists(st.integers(0, 2**53 - 1)),
            "accelerator_temperature_celsius": lists(exactly(-120, 400, 2)),
        }
    )
)
def test_a_json_readings_accelerators_say_what_a_frames_say(said: Row) -> None:
    one = row(installed=4, in_service=4, **said)
    found, framed = columns_of(json_reading(one)), columns_of(frame([one]))

    for name in ("utilization", "sm_active", "memory_used", "temperature", "power"):
        assert getattr(found, name).tolist() == getattr(framed, name).tolist()
    assert (found.accelerators is None) == (framed.accelerators is None)
    if found.accelerators and framed.accelerators:
        assert list(found.accelerators.each()) == list(framed.accelerators.each())


@settings(max_examples=100, deadline=None)
@given(
    nodes=st.lists(
        st.tuples(st.integers(1, 5), *(st.sampled_from(("all", "some", "unknown", "none")) for _ in range(4))),
        min_size=1,
        max_size=6,
    ),
    bad=st.sets(st.integers(0, 5)),
)
def test_each_row_keeps_its_own_accelerators_whatever_the_others_say(
    nodes: list[tuple[int, str, str, str, str]], bad: set[int]
) -> None:
    names = ("utilization", "power_watts", "memory_used_bytes", "temperature_celsius")
    rows, expected = [], []
    for number, (size, *how) in enumerate(nodes):
        said: Row = {}
        whole: list[tuple[int, ...]] = []
        for measure, (name, scale, unknown) in enumerate(zip(names, SCALES, UNKNOWNS, strict=True)):
            values = [
                None if how[measure] == "unknown" or (how[measure] == "some" and i % 2 == 0) else number % 2
                for i in range(size)
            ]
            said[f"accelerator_{name}"] = None if how[measure] == "none" else values
            given = [None] * size if how[measure] == "none" else values
            whole.append(tuple(unknown if value is None else value * scale for value in given))
        nothing = all(value == unknown for values, unknown in zip(whole, UNKNOWNS, strict=True) for value in values)
        one = row(f"n{number}", installed=size, in_service=size, **said)
        rows.append(one | ({"power_watts": -1.0} if number in bad else {}))
        if number not in bad:
            expected.append(() if nothing else tuple(whole))
    found = decoded(frame(rows)).columns
    told_of = list((found.accelerators or AcceleratorColumns.none(len(found))).each())

    assert told_of == expected


def test_a_bare_json_reading_is_a_reading() -> None:
    columns = columns_of(json_reading(row("n", T0 + 5, 7, allocated=3, power_watts=5000.5)))
    values = (columns.at[0], columns.sequence[0], columns.allocated[0], columns.power[0])

    assert values == (T0 + 5, 7, 3, 5_000_500)


@pytest.mark.parametrize(
    ("one", "code"),
    [
        pytest.param(row(at=T0, power_watts=12_751.0), "implausible_power", id="watts-above-plausible"),
        pytest.param(row(type="abacus"), "unknown_type", id="unknown-type"),
        pytest.param(row(in_service=9), "invalid_reading", id="more-in-service-than-installed"),
        pytest.param(row(utilization=1.1), "invalid_reading", id="a-fraction-above-one"),
        pytest.param(row(node="a\tb"), "invalid_reading", id="control-character-in-a-name"),
        pytest.param(row(colour="red"), "invalid_reading", id="a-field-nobody-knows"),
        pytest.param(row(memory_used_bytes=SENTINEL), "invalid_reading", id="memory-blank"),
        pytest.param(row(accelerators={"utilization": [1.0]}), "invalid_reading", id="a-list-of-another-length"),
        pytest.param(row(at=-1), "out_of_range", id="before-1970"),
    ],
)
def test_a_bad_json_reading_is_refused(one: Row, code: str) -> None:
    assert refusal_of(json_reading(one)) == code


FRAME = frame([row("a", rack="r"), row("b", rack="s")])
BODY = FRAME.value or b""
READING = json_reading(row()).value or b""


def structured(**event: object) -> Record:
    return record(orjson.dumps(event), EventType.READING, content_type=STRUCTURED)


def framed(value: bytes, **said: Any) -> Record:
    return record(value, EventType.FRAME, **{"content_type": ARROW} | said)


def without(name: str) -> bytes:
    columns = {field: [value] for field, value in row().items() if field != name}
    return encode_frame(SITE, columns)


def batches(*tables: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, tables[0].schema) as writer:
        for table in tables:
            writer.write_batch(table)
    return bytes(sink.getvalue())


BATCH = read_frame(BODY)[1].replace_schema_metadata({b"site": SITE.encode()})
END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
NESTED = b'{"type":"io.fleettwin.reading.v1","data":' + b"[" * 400 + b"]" * 400 + b"}"


@pytest.mark.parametrize(
    ("one", "code"),
    [
        pytest.param(framed(b""), "undecodable", id="nothing"),
        pytest.param(framed(b"\x00garbage" * 20), "undecodable", id="garbage"),
        pytest.param(framed(bytes(MOST_BYTES + 1)), "oversized", id="too-many-bytes"),
        pytest.param(frame([row()] * (MOST_ROWS + 1)), "oversized", id="too-many-rows"),
        *(pytest.param(framed(without(name)), "schema", id=f"without-{name}") for name in row()),
        pytest.param(framed(batches(BATCH.replace_schema_metadata(None))), "schema", id="no-site"),
        pytest.param(framed(batches(BATCH.replace_schema_metadata({b"site": b"\xff"}))), "schema", id="site-not-utf-8"),
        pytest.param(framed(batches(BATCH.rename_columns(["x", *BATCH.schema.names[1:]]))), "schema", id="renamed"),
        pytest.param(framed(BODY, key="abilene"), "wrong_key", id="another-sites-key"),
        pytest.param(frame([row()], "fleet"), "reserved", id="a-site-named-as-the-fleet"),
        pytest.param(json_reading(row(), "fleet"), "reserved", id="json-of-such-a-site"),
        pytest.param(Record("t", 0, 0, T0, None, BODY, framed(BODY).headers), "wrong_key", id="no-key"),
        pytest.param(framed(BODY, content_type=JSON), "unexpected", id="arrow-said-to-be-json"),
        pytest.param(record(READING, EventType.READING, content_type="text/csv"), "unexpected", id="csv"),
        pytest.param(record(READING, EventType.SITE_FACTS), "unexpected", id="an-event-of-another-topic"),
        pytest.param(Record("t", 0, 0, T0, b"", b"{}", (("ce_type", b"x"),)), "unknown_event_type", id="no-such-type"),
        pytest.param(record(None, EventType.READING), "empty", id="a-tombstone"),
        pytest.param(record(b"\xff\xfe", EventType.READING), "invalid_reading", id="json-not-utf-8"),
        pytest.param(record(b"[1]", EventType.READING), "invalid_reading", id="json-of-another-kind"),
        pytest.param(record(READING[:-1], EventType.READING), "invalid_reading", id="json-cut-off"),
        pytest.param(record(READING, EventType.READING, key="x"), "wrong_key", id="json-with-another-sites-key"),
        pytest.param(record(b"{}", EventType.CLOCK), "undecodable", id="a-clock-without-time"),
        pytest.param(
            record(b'{"until":"0001-01-01T00:00:00Z"}', EventType.CLOCK), "out_of_range", id="clock-of-year-1"
        ),
        pytest.param(
            record(b'{"until":"9999-12-31T23:59:59-05:00"}', EventType.CLOCK),
            "out_of_range",
            id="clock-of-year-10000",
        ),
        pytest.param(
            record(b"not json", EventType.READING, content_type=STRUCTURED), "undecodable", id="structured-no"
        ),
        pytest.param(structured(data=1), "undecodable", id="structured-without-type"),
        pytest.param(structured(type="x", data=1), "unknown_event_type", id="structured-no-such-type"),
        pytest.param(structured(type=EventType.READING), "invalid_reading", id="structured-without-data"),
        pytest.param(structured(type=EventType.READING, data_base64="?"), "undecodable", id="structured-not-base64"),
        pytest.param(structured(type=EventType.READING, data_base64=7), "undecodable", id="structured-base64-a-number"),
        pytest.param(
            record(NESTED, EventType.READING, content_type=STRUCTURED), "undecodable", id="structured-nested-too-deep"
        ),
    ],
)
def test_a_record_that_cannot_be_used_is_refused_whole(one: Record, code: str) -> None:
    assert refusal_of(one) == code


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(
            structured(type=EventType.READING, specversion="1.0", data=orjson.loads(READING)), id="structured-json"
        ),
        pytest.param(
            record(READING, EventType.READING, content_type="Application/JSON; charset=utf-8"), id="json-with-a-charset"
        ),
        pytest.param(framed(batches(BATCH, BATCH.slice(0, 1))), id="several-batches"),
        pytest.param(framed(batches(BATCH.slice(0, 0), BATCH.slice(0, 0))), id="several-batches-and-no-row"),
        pytest.param(framed(BODY[:-8]), id="without-the-end-of-the-stream"),
    ],
)
def test_a_record_is_accepted_in_each_of_its_forms(one: Record) -> None:
    assert refusal_of(one) == ""


def test_a_structured_event_may_hold_a_frame() -> None:

    event = {
        "type": EventType.FRAME,
        "datacontenttype": f"{ARROW}; v=1",
        "data_base64": base64.b64encode(BODY).decode(),
    }

    assert len(columns_of(structured(**event))) == 2


def test_a_roster_that_was_read_before_gives_the_same() -> None:
    decoder = TelemetryDecoder(CATALOGUE)
    bad = frame([row("a", power_watts=-1.0), row("b\n"), row("c")])
    first, second = decoder.decode(bad), decoder.decode(bad)

    assert isinstance(first, Readings)
    assert isinstance(second, Readings)
    assert first.refusals == second.refusals
    assert [first.columns.roster.nodes[who] for who in first.columns.who] == ["c"]


def machine_and_letter(one: Record) -> tuple[TelemetryMachine, dict[str, bytes], Record]:
    machine = TelemetryMachine(0, 1, Rules(), CATALOGUE)
    machine.fold(frame([row()]))
    (letter,) = machine.fold(one)
    assert letter.topic == one.topic + ".dlq"
    told = Record(letter.topic, 0, 0, 0, letter.key, letter.value, letter.headers)
    return machine, dict(letter.headers), told


@pytest.mark.parametrize(
    ("one", "refused"),
    [
        pytest.param(frame([row("a"), row("b", power_watts=-1.0), row("", power_watts=1.0)]), 2, id="two-rows"),
        pytest.param(framed(b"garbage"), 1, id="a-whole-record"),
    ],
)
def test_the_dead_letter_is_the_record_byte_for_byte_with_the_reason_beside_it(one: Record, refused: int) -> None:
    machine, headers, letter = machine_and_letter(one)

    assert (letter.key, letter.value, letter.headers[: len(one.headers)]) == (one.key, one.value, one.headers)
    assert headers["__streams.errors.topic"] == one.topic.encode()
    assert machine.sites[SITE].refused == refused


def test_the_dead_letter_lists_the_rows() -> None:
    _, headers, _ = machine_and_letter(frame([row("a"), row("b", power_watts=-1.0), row(""), row("d", type="x")]))

    assert [(one["row"], one["code"]) for one in orjson.loads(headers["fleettwin_rows"])] == [
        (1, "out_of_range"),
        (2, "bad_name"),
        (3, "unknown_type"),
    ]


def test_the_dead_letter_of_very_many_rows_fits_where_the_frame_did() -> None:
    letter = machine_and_letter(frame([row(f"n{i}", type="é" * 100) for i in range(20_000)]))[2]

    assert sum(len(value) for _, value in letter.headers) < 512 * 1024
    assert "20000 rows" in dict(letter.headers)["__streams.errors.message"].decode()


def test_a_frame_cut_off_anywhere_is_refused_or_read_but_nothing_else() -> None:
    refused = [refusal_of(framed(BODY[:length])) for length in range(len(BODY))]

    assert set(refused[: len(BODY) - 64]) <= {"undecodable", "empty"}
    assert set(refused) <= {"undecodable", "empty", ""}


@pytest.mark.parametrize("rows", [0, 3], ids=["alone", "after one with rows"])
def test_a_batch_without_rows_may_have_its_lists_begin_anywhere(rows: int) -> None:
    """Arrow takes it for valid, and ends the process where such a list is sliced."""
    columns = {"node": list("abc"), **{name: [row()[name]] * 3 for name in REQUIRED if name != "node"}}
    said = encode_frame(SITE, columns | {"accelerator_sm_active": [[0.5] * 8] * 3})
    whole = read_frame(said)[1].replace_schema_metadata({b"site": SITE.encode()})
    nothing = pa.record_batch([pa.array([], kind) for kind in whole.schema.types], schema=whole.schema)
    value = batches(*([whole] if rows else []), nothing)
    begins = value[-16:-8]
    assert (begins, value[-8:]) == (bytes(8), END_OF_STREAM)

    found = decoded(framed(value[:-16] + (44_800).to_bytes(8, "little") + END_OF_STREAM))

    assert len(found.columns.at) == rows


def survives(one: Record) -> None:
    """Whatever it is, it is decoded or refused, and the machine lives."""
    machine = TelemetryMachine(0, 1, Rules(), CATALOGUE)
    machine.fold(one)
    machine.fold(clock(T0))
    machine.fold(clock(T0 + 10_000))


@settings(max_examples=200, deadline=None)
@given(value=st.binary(max_size=300) | st.text(max_size=100).map(str.encode), event=st.sampled_from(EventType))
def test_no_bytes_can_stop_the_machine(value: bytes, event: EventType) -> None:
    for content_type in (JSON, ARROW, STRUCTURED):
        survives(record(value, event, content_type=content_type))


@settings(max_examples=400, deadline=None)
@given(changes=st.dictionaries(st.integers(0, len(BODY) - 1), st.integers(0, 255), min_size=1, max_size=6))
def test_no_frame_with_changed_bytes_can_stop_the_machine(changes: dict[int, int]) -> None:
    value = bytearray(BODY)
    for place, byte in changes.items():
        value[place] = byte

    survives(framed(bytes(value)))


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(field=st.sampled_from([*row(), "site", "allocated", "power_watts", "accelerators"]), value=JSONS)
def test_no_json_reading_can_stop_the_machine(field: str, value: object) -> None:
    body = {"site": SITE, **row(), "at": moment_of(T0).isoformat(), field: value}
    try:
        written = orjson.dumps(body)
    except TypeError:
        written = str(body).encode()

    survives(Record("fleet.telemetry.v1", 0, 0, T0, SITE.encode(), written))


def test_a_refusal_says_its_code_first() -> None:
    with pytest.raises(RecordRefused, match=r"^wrong_key: "):
        decoded(framed(BODY, key="abilene"))
