"""The committed documents are what the models say, valid, and complete."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft7Validator

from cli.schema import check_documents
from infra.settings import KafkaSettings
from infra.topics import layouts
from models.cloudevents import EventType
from models.errors import Unavailable
from streams.contract.channels import CHANNELS, Side
from streams.contract.documents import documents, first_difference, text_of, write_documents
from streams.contract.examples import examples
from streams.contract.messages import MESSAGES, Message
from streams.contract.schemas import schema_of
from streams.contract.tables import FRAME_TABLE, NODE_FRAME_TABLE, Table
from streams.contract.validity import first_fault
from tests.live.world import fleettwin, outside_environment

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
VENDORED = Path(__file__).with_name("vendor") / "asyncapi-3.0.0.json"

Document = dict[str, Any]


known = cache(documents)


def plain(path: str) -> Document:
    """A document as whoever reads the file has it, free to be changed."""
    found: Document = orjson.loads(text_of(known()[path]))
    return found


def asyncapi_faults(document: Document) -> list[str]:
    """What AsyncAPI's own schema has against it."""
    return [error.message for error in Draft7Validator(orjson.loads(VENDORED.read_bytes())).iter_errors(document)]


def test_the_committed_documents_are_current() -> None:
    assert first_difference(known(), DOCS) is None


def test_the_documents_are_valid() -> None:
    assert first_fault(known()) is None


def test_asyncapis_own_schema_takes_the_document() -> None:
    assert asyncapi_faults(plain("asyncapi.json")) == []


Break = Callable[[Document], Any]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda document: document.pop("info"), id="no-info"),
        pytest.param(lambda document: document.update(asyncapi="2.6.0"), id="another-version"),
        pytest.param(
            lambda document: document["operations"]["send-state"].update(action="publish"), id="an-unknown-action"
        ),
        pytest.param(
            lambda document: document["channels"]["state"]["bindings"]["kafka"].update(partitions=0),
            id="no-partitions",
        ),
    ],
)
def test_asyncapis_own_schema_refuses_a_broken_document(change: Break) -> None:
    document = plain("asyncapi.json")
    change(document)

    assert asyncapi_faults(document) != []


@pytest.mark.parametrize(
    ("path", "change", "fault"),
    [
        pytest.param(
            "asyncapi.json",
            lambda one: one["components"]["messages"]["reading"]["examples"][0]["payload"].pop("site"),
            "'site' is a required property",
            id="an-example-without-a-required-field",
        ),
        pytest.param(
            "asyncapi.json",
            lambda one: one["components"]["messages"]["clock"]["examples"][0]["headers"].update(ce_type="x"),
            "message clock, headers",
            id="an-example-with-a-wrong-header",
        ),
        pytest.param(
            "asyncapi.json",
            lambda one: one["components"]["schemas"].pop("Purpose"),
            "#/components/schemas/Purpose, which is not there",
            id="a-schema-missing",
        ),
        pytest.param(
            "openapi.json",
            lambda one: one["info"].pop("version"),
            "is a required property",
            id="no-version-of-the-api",
        ),
        pytest.param(
            "schemas/shortage.v1.json",
            lambda one: one["examples"][0].update(sequence="first"),
            "sequence: 'first' is not of type 'integer'",
            id="an-example-of-another-type",
        ),
        pytest.param(
            "schemas/clock.v1.json", lambda one: one.update(type="objekt"), "is no JSON Schema", id="no-schema-at-all"
        ),
    ],
)
def test_a_fault_is_told_with_its_document(path: str, change: Break, fault: str) -> None:
    broken = plain(path)
    change(broken)

    found = first_fault({path: broken})

    assert found is not None
    assert found.path == path
    assert fault in found.problem


def test_documents_are_written_byte_for_byte_as_they_are_committed(tmp_path: Path) -> None:
    write_documents(known(), tmp_path)

    for path in known():
        assert (tmp_path / path).read_bytes() == (DOCS / path).read_bytes()
    assert first_difference(known(), tmp_path) is None


@pytest.mark.parametrize(
    ("change", "path", "problem"),
    [
        pytest.param(lambda folder: (folder / "asyncapi.json").unlink(), "asyncapi.json", "is missing", id="missing"),
        pytest.param(
            lambda folder: (folder / "schemas" / "clock.v1.json").write_text("{}\n"),
            "schemas/clock.v1.json",
            "line 1 is '{}'; expected '{'",
            id="changed",
        ),
        pytest.param(
            lambda folder: (folder / "schemas" / "gone.v1.json").write_text("{}\n"),
            "schemas/gone.v1.json",
            "belongs to no message",
            id="left-over",
        ),
    ],
)
def test_the_first_difference_is_told(change: Callable[[Path], Any], path: str, problem: str, tmp_path: Path) -> None:
    write_documents(known(), tmp_path)
    change(tmp_path)

    found = first_difference(known(), tmp_path)

    assert found is not None
    assert (found.path, found.problem) == (path, problem)

    write_documents(known(), tmp_path)

    assert first_difference(known(), tmp_path) is None


def test_every_topic_of_ours_is_a_channel_as_it_is_made() -> None:
    document = known()["asyncapi.json"]
    channels = {channel["address"]: channel for channel in document["channels"].values()}

    for layout in layouts(KafkaSettings()):
        kafka = channels.pop(layout.topic)["bindings"]["kafka"]
        assert kafka["partitions"] == layout.partitions
        for name, value in kafka["topicConfiguration"].items():
            assert layout.settings[name] == (value[0] if isinstance(value, list) else str(value))
    assert channels == {}


def test_every_event_type_is_a_message() -> None:
    assert {message.event for message in MESSAGES} - {None} == set(EventType)


def test_every_message_stands_in_a_channel_and_every_channel_names_messages_that_are_there() -> None:
    assert {name for channel in CHANNELS for name in channel.messages} == {message.name for message in MESSAGES}


def test_fleettwin_receives_inputs_and_sends_outputs() -> None:
    operations = known()["asyncapi.json"]["operations"]
    actions = {
        channel.name: {
            one["action"]: [message["$ref"].rpartition("/")[2] for message in one["messages"]]
            for one in operations.values()
            if one["channel"]["$ref"] == f"#/channels/{channel.name}"
        }
        for channel in CHANNELS
    }

    for channel in CHANNELS:
        if channel.side is Side.INPUT:
            assert actions[channel.name] == {"receive": list(channel.messages), "send": ["clock"]}
        else:
            assert actions[channel.name]["send"] == list(channel.messages)


def test_every_message_has_an_example_from_its_own_topic() -> None:
    for one in examples():
        channel = next(channel for channel in CHANNELS if channel.topic == one.topic)
        assert one.message in channel.messages
    assert {one.message for one in examples()} == {message.name for message in MESSAGES} - {"checkpoint"}


def fields_of(schema: Document) -> Iterator[tuple[str, Document]]:
    for name, one in {"": schema, **schema.get("$defs", {})}.items():
        for field, said in one.get("properties", {}).items():
            yield f"{name}.{field}", said


@pytest.mark.parametrize(
    "message", [pytest.param(one, id=one.name) for one in MESSAGES if isinstance(one.payload, type)]
)
def test_every_field_says_what_it_means(message: Message) -> None:
    assert [name for name, said in fields_of(schema_of(message)) if not said.get("description")] == []


@pytest.mark.parametrize("table", [FRAME_TABLE, NODE_FRAME_TABLE])
def test_every_column_says_what_it_means(table: Table) -> None:
    assert list(table.columns) == list(table.types)
    assert all(column.about for column in table.columns.values())


def test_readers_are_promised_no_end_to_fields_and_growing_words() -> None:
    """A reader that checks against the schema must take what a later v1 adds."""
    for name in ("site-state", "fleet-state", "shortage"):
        schema = plain(f"schemas/{name}.v1.json")
        assert [one for one in (schema, *schema["$defs"].values()) if "additionalProperties" in one] == []
    constraint = plain("schemas/shortage.v1.json")["$defs"]["Constraint"]
    assert "enum" not in constraint
    assert "power" in constraint["x-extensible-enum"]
    assert set(constraint["x-enum-descriptions"]) == set(constraint["x-extensible-enum"])


def test_where_no_checkout_is_there_are_no_documents_to_check(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no committed documents"):
        check_documents(tmp_path)


def test_a_checkout_whose_documents_differ_is_told_the_first(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    write_documents(known(), tmp_path / "docs")
    (tmp_path / "docs" / "schemas" / "reading.v1.json").unlink()

    with pytest.raises(Unavailable, match=r"docs/schemas/reading\.v1\.json: is missing"):
        check_documents(tmp_path)


def run(*arguments: str, folder: Path) -> tuple[int, str, str]:
    done = fleettwin("schema", *arguments, environment=outside_environment(), folder=folder)
    return done.returncode, done.stdout, done.stderr


def test_the_command_finds_the_committed_documents_current_and_valid(tmp_path: Path) -> None:
    code, said, complaint = run("--check", folder=tmp_path)

    assert (code, complaint) == (0, "")
    assert "current and valid" in said


def test_the_command_prints_a_document_as_it_is_committed(tmp_path: Path) -> None:
    code, said, _ = run("shortage", folder=tmp_path)

    assert code == 0
    assert said == (DOCS / "schemas" / "shortage.v1.json").read_text(encoding="utf-8")


def test_the_command_lists_and_writes_all(tmp_path: Path) -> None:
    listed = run(folder=tmp_path)[1].splitlines()
    code, said, _ = run("--out", "written", folder=tmp_path)

    written = {str(path.relative_to(tmp_path / "written")) for path in (tmp_path / "written").rglob("*.json")}
    assert code == 0
    assert f"{len(listed)} documents" in said
    assert {line.split()[1] for line in listed} == written


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(("shortages",), "expected one of asyncapi", id="no-such-document"),
        pytest.param(("--check", "reading"), "expected by itself", id="check-one"),
        pytest.param(("reading", "--out", "x"), "writes all documents", id="write-one"),
        pytest.param(("--out", "/dev/null"), "a folder that can be written", id="no-folder"),
    ],
)
def test_a_mistake_is_told_with_what_was_expected(arguments: tuple[str, ...], expected: str, tmp_path: Path) -> None:
    code, _, complaint = run(*arguments, folder=tmp_path)

    assert code == 2
    assert expected in complaint


def test_the_vendored_schema_is_the_one_that_its_note_speaks_of() -> None:
    note = VENDORED.with_name("README.md").read_text(encoding="utf-8")

    assert hashlib.sha256(VENDORED.read_bytes()).hexdigest() in note
