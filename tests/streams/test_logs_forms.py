"""Other forms of a log: whatever a log can hold comes back from them, and what is no log is named."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.recordlog import LogDamaged, LogHeader
from models.cloudevents import ARROW, EventType
from models.errors import ConfigurationError, Unavailable
from models.node_frame import COLUMNS, encode_node_frame
from models.record import Record
from models.topics import NODES, TELEMETRY
from streams.logs.forms.converting import Form, convert_log, form_of
from streams.logs.forms.decoded import decoded_lines
from streams.logs.forms.line_files import read_lines, write_lines
from streams.logs.forms.lines import line_of, record_of
from streams.logs.forms.parquet import GROUP_BYTES, HEADER, read_parquet, write_parquet
from tests import builders
from tests.golden_logs import HEADER as GOLDEN
from tests.golden_logs import RECORDS, VERSION_1, VERSION_2
from tests.log_builders import cut_off, header_of, names, placed_in, read, records, written

headers = st.builds(
    LogHeader,
    created_by=names,
    partitions=st.dictionaries(names, st.integers(0, 99), max_size=3),
    rules=st.dictionaries(names, st.none() | st.integers(-(2**70), 2**70) | names | st.booleans(), max_size=3),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(allow_nan=False) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


def of_value(value: bytes | None) -> Record:
    return Record("t", 0, 0, 0, None, value)


@given(header=headers, items=st.lists(records, max_size=12))
@settings(deadline=None, max_examples=60)
def test_whatever_a_log_holds_comes_back_from_lines(header: LogHeader, items: list[Record]) -> None:
    file = io.BytesIO()

    assert write_lines(file, header, items) == len(items)
    file.seek(0)
    found, back = read_lines(file, "lines")
    assert (found, list(back)) == (header, items)
    assert file.getvalue().count(b"\n") == 1 + len(items)


@given(header=headers, items=st.lists(records, max_size=12))
@settings(deadline=None, max_examples=30)
def test_whatever_a_log_holds_comes_back_from_parquet(header: LogHeader, items: list[Record]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.parquet"

        assert write_parquet(path, header, items) == len(items)
        found, back = read_parquet(path)
        assert (found, list(back)) == (header, items)


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.zst", ".parquet"])
@pytest.mark.parametrize("log", [VERSION_1, VERSION_2], ids=["version-1", "version-2"])
def test_a_log_comes_back_from_each_form(tmp_path: Path, ending: str, log: Path) -> None:
    there, back = tmp_path / f"there{ending}", tmp_path / "back.log"

    assert convert_log(log, there).records == len(RECORDS)
    assert convert_log(there, back).records == len(RECORDS)
    assert (header_of(back), tuple(read(back))) == (GOLDEN, RECORDS)


@given(value=json_values, spaces=st.booleans())
@settings(deadline=None)
def test_json_comes_back_byte_for_byte_however_it_was_written(value: object, spaces: bool) -> None:
    import json

    text = json.dumps(value, separators=(", ", ": ") if spaces else (",", ":"), ensure_ascii=spaces).encode()
    record = of_value(text)

    assert record_of(line_of(record)) == record


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(b"", "", id="empty"),
        pytest.param(b"text", "text", id="text"),
        pytest.param(b"\xff", {"base64": "/w=="}, id="bytes"),
        pytest.param(b'{"a":[1,2.5,null]}', {"json": {"a": [1, 2.5, None]}}, id="json"),
        pytest.param(b"[]", {"json": []}, id="a-list"),
        pytest.param(b'"x"', '"x"', id="a-string-of-json-is-text"),
        pytest.param(b"12", "12", id="a-number-is-text"),
        pytest.param(b'{"a": 1}', '{"a": 1}', id="with-spaces"),
        pytest.param(b'{"a":1,"a":2}', '{"a":1,"a":2}', id="a-member-twice"),
        pytest.param(b'{"a":1.0e3}', '{"a":1.0e3}', id="a-number-in-another-form"),
        pytest.param(b'{"a":18446744073709551616}', '{"a":18446744073709551616}', id="a-number-too-large"),
        pytest.param(b'{"a":"\\u00e9"}', '{"a":"\\u00e9"}', id="escaped-without-need"),
        pytest.param(b'{"a":"\xff"}', {"base64": "eyJhIjoi/yJ9"}, id="json-that-is-no-text"),
        pytest.param(b"[" * 600 + b"]" * 600, "[" * 600 + "]" * 600, id="deep"),
        pytest.param(b"[" * 254 + b"]" * 254, None, id="as-deep-as-can-be"),
        pytest.param(b'{"json":1}', {"json": {"json": 1}}, id="that-looks-like-ours"),
    ],
)
def test_a_value_is_shown_as_what_it_is_and_comes_back(value: bytes | None, shown: object) -> None:
    line = line_of(of_value(value))

    assert record_of(line) == of_value(value)
    if shown is not None or value is None:
        assert orjson.loads(line)["value"] == shown


def test_a_line_tells_when_the_record_was_sent_if_a_calendar_has_it() -> None:
    assert [orjson.loads(line_of(Record("t", 0, 0, at, None, None)))["sent_at"] for at in (1, -1, 2**62)] == [
        "1970-01-01T00:00:00.001Z",
        None,
        None,
    ]


FIRST = b'{"log":{"created_by":"me"}}\n'
LINE = line_of(RECORDS[1])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "line 1 is ''; expected the log's header", id="empty"),
        pytest.param(LINE, "line 1 is .* expected the log's header", id="no-header"),
        pytest.param(b'{"decoded_log":{"created_by":"me"}}\n', "no way back from decoded lines", id="decoded"),
        pytest.param(FIRST + LINE + LINE[:50] + b"\n", "line 3 is .* expected a record", id="cut-off"),
        pytest.param(FIRST + LINE.replace(b"partition", b"part"), "partition: Field required", id="misspelt"),
        pytest.param(FIRST + LINE.replace(b'"offset":10', b'"offset":1e30'), "offset: .* valid integer", id="float"),
        pytest.param(FIRST + LINE.replace(b'"partition":0', b'"partition":-2'), "partition: .* -1", id="partition"),
        pytest.param(FIRST + LINE.replace(b'"key":"memphis"', b'"key":7'), "key: .*text, or an object", id="key"),
        pytest.param(
            FIRST + LINE.replace(b'"key":"memphis"', b'"key":{"base64":"%"}'), "key: .*no base64", id="base64"
        ),
        pytest.param(FIRST + LINE.replace(b'"topic":"', b'"topic":"' + b"x" * 66_000), "topic: .*65535", id="topic"),
        pytest.param(FIRST + LINE.replace(b'"headers":[]', b'"headers":[["a"]]'), "headers.0", id="header"),
        pytest.param(FIRST + LINE.replace(b'"value"', b'"more":1,"value"'), "more: Extra inputs", id="more"),
    ],
)
def test_what_is_no_line_of_a_log_is_named_with_its_number(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=said):
        convert_log(path, tmp_path / "a.log")
    assert not (tmp_path / "a.log").exists()


def test_lines_may_be_left_out_and_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(FIRST + b"\n" + LINE + b"  \n")
    convert_log(path, tmp_path / "a.log")

    assert read(tmp_path / "a.log") == [RECORDS[1]]


@pytest.mark.parametrize("cut", [1, 3, 30])
def test_compressed_lines_that_are_cut_off_are_not_taken_for_whole(tmp_path: Path, cut: int) -> None:
    packed = tmp_path / "a.jsonl.zst"
    convert_log(VERSION_2, packed)
    packed.write_bytes(packed.read_bytes()[:-cut])

    with pytest.raises(Unavailable, match="cannot be read on"):
        convert_log(packed, tmp_path / "a.log")


def test_compressed_lines_of_other_tools_are_read(tmp_path: Path) -> None:
    packed = tmp_path / "a.jsonl.zst"
    packed.write_bytes(zstandard.compress(FIRST) + zstandard.compress(LINE))
    convert_log(packed, tmp_path / "a.log")

    assert read(tmp_path / "a.log") == [RECORDS[1]]


def test_parquet_has_the_columns_that_tools_expect(tmp_path: Path) -> None:
    convert_log(VERSION_2, tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")

    assert table.schema.names == [
        "topic",
        "partition",
        "offset",
        "timestamp",
        "sent_at",
        "key",
        "value",
        "headers",
    ]
    assert table.column("sent_at")[3].as_py().isoformat() == "2026-01-01T00:00:00.900000+00:00"
    assert table.column("value").to_pylist() == [record.value for record in RECORDS]


def test_parquet_is_written_a_group_at_a_time(tmp_path: Path) -> None:
    taken: list[int] = []

    def large(count: int) -> Iterator[Record]:
        for offset in range(count):
            taken.append(offset)
            yield Record("t", 0, offset, 0, None, bytes(GROUP_BYTES // 2))

    write_parquet(tmp_path / "a.parquet", GOLDEN, large(5))

    assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups == 3
    assert len(list(read_parquet(tmp_path / "a.parquet")[1])) == len(taken) == 5


def parquet_with(path: Path, change: dict[str, pa.Array | None], metadata: dict[bytes, bytes]) -> None:
    write_parquet(path, GOLDEN, RECORDS)
    table = pq.read_table(path)
    for name, column in change.items():
        place = table.schema.names.index(name)
        table = table.remove_column(place) if column is None else table.set_column(place, name, column)
    pq.write_table(table.replace_schema_metadata(metadata), path)


SAID = {HEADER: GOLDEN.model_dump_json().encode()}


@pytest.mark.parametrize(
    ("change", "metadata", "said"),
    [
        pytest.param({}, {}, "a log's header under fleettwin_log", id="no-header"),
        pytest.param({"offset": None}, SAID, "a column offset", id="no-column"),
        pytest.param({"topic": pa.array([None] * 10, pa.string())}, SAID, "topic is null in a row", id="null"),
        pytest.param({"key": pa.array([1.5] * 10)}, SAID, "the columns of a log", id="another-type"),
        pytest.param(
            {"headers": pa.array([[{"name": None, "value": b""}]] * 10)},
            SAID,
            "the columns of a log",
            id="null-header",
        ),
        pytest.param({"topic": pa.array(["x" * 70_000] * 10)}, SAID, "70000 characters", id="a-long-topic"),
    ],
)
def test_parquet_of_something_else_is_named_so(
    tmp_path: Path, change: dict[str, pa.Array | None], metadata: dict[bytes, bytes], said: str
) -> None:
    path = tmp_path / "a.parquet"
    parquet_with(path, change, metadata)

    with pytest.raises(ConfigurationError, match=said):
        convert_log(path, tmp_path / "a.log")
    assert not (tmp_path / "a.log").exists()


def test_parquet_whose_columns_a_tool_has_widened_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet_with(path, {"partition": pa.array([one.partition for one in RECORDS], pa.int64())}, SAID)
    convert_log(path, tmp_path / "a.log")

    assert tuple(read(tmp_path / "a.log")) == RECORDS


def test_a_damaged_log_is_converted_only_where_that_is_wished(tmp_path: Path) -> None:
    items = placed_in({TELEMETRY: 2}, 60)
    broken, out = cut_off(tmp_path / "broken", written(tmp_path / "whole", items)), tmp_path / "out.jsonl"

    with pytest.raises(LogDamaged):
        convert_log(broken, out)
    assert not out.exists()

    found = convert_log(broken, out, up_to_damage=True)
    assert found.damage is not None
    convert_log(out, tmp_path / "back")
    assert read(tmp_path / "back") == items[: found.records]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.log", Form.LOG),
        ("a", Form.LOG),
        ("a.jsonl", Form.LINES),
        ("a.jsonl.zst", Form.PACKED_LINES),
        ("a.zst", Form.LOG),
        ("a.parquet", Form.PARQUET),
        ("-", Form.LINES),
    ],
)
def test_the_ending_says_the_form(name: str, form: Form) -> None:
    assert form_of(Path(name)) is form


@pytest.mark.parametrize(
    ("source", "out", "decoded", "said"),
    [
        pytest.param("a.log", "b.log", False, "ends in .jsonl", id="a-log-to-a-log"),
        pytest.param("a.jsonl", "b.parquet", False, "either side must be one", id="lines-to-parquet"),
        pytest.param("a.log", "b.parquet", True, "--decoded", id="decoded-parquet"),
        pytest.param("a.jsonl", "b.log", True, "--decoded", id="decoded-log"),
    ],
)
def test_forms_that_do_not_fit_together_are_told(source: str, out: str, decoded: bool, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        convert_log(Path(source), Path(out), decoded=decoded)


def decoded(record: Record) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in decoded_lines(record)]


def test_a_frame_is_a_line_for_each_reading() -> None:
    frame = builders.frame([builders.row(node, power_watts=100.0) for node in "ab"], offset=7)

    assert [(line["offset"], line["row"]) for line in decoded(frame)] == [(7, 0), (7, 1)]
    assert [line["reading"]["node"] for line in decoded(frame)] == ["a", "b"]  # type: ignore[index]
    assert decoded(frame)[0]["reading"]["site"] == builders.SITE  # type: ignore[index]


def test_a_reading_of_json_is_a_line_alike() -> None:
    (line,) = decoded(builders.json_reading(builders.row("a")))

    assert (line["row"], line["reading"]["node"]) == (0, "a")  # type: ignore[index]


def test_a_node_frame_is_a_line_for_each_node() -> None:
    columns = {name: pa.nulls(2, kind) for name, kind in COLUMNS.items()} | {"node": pa.array(["a", "b"])}
    value = encode_node_frame("memphis", builders.T0, 0, columns)
    record = builders.record(value, EventType.NODE_FRAME, NODES, content_type=ARROW)

    assert [(line["node"]["site"], line["node"]["node"]) for line in decoded(record)] == [  # type: ignore[index]
        ("memphis", "a"),
        ("memphis", "b"),
    ]


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(builders.clock(builders.T0), id="a-clock"),
        pytest.param(builders.facts(), id="facts"),
        pytest.param(builders.record(b"\xff", EventType.FRAME, content_type=ARROW), id="no-frame"),
        pytest.param(builders.record(b"\xff", EventType.NODE_FRAME, NODES, content_type=ARROW), id="no-node-frame"),
        pytest.param(builders.record(None, EventType.READING), id="nothing"),
    ],
)
def test_what_holds_no_readings_is_the_usual_line(record: Record) -> None:
    assert list(decoded_lines(record)) == [line_of(record)]


def test_decoded_lines_are_no_log(tmp_path: Path) -> None:
    log = written(tmp_path / "a.log", [builders.frame([builders.row(node) for node in "abc"])])
    convert_log(log, tmp_path / "a.jsonl", decoded=True)

    assert len((tmp_path / "a.jsonl").read_bytes().splitlines()) == 4
    with pytest.raises(ConfigurationError, match="no way back"):
        convert_log(tmp_path / "a.jsonl", tmp_path / "b.log")
