"""What docs/contract.md says of topics, headers and words is what the documents say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streams.contract.asyncapi import asyncapi_document
from streams.contract.channels import CHANNELS, Channel, Side
from streams.contract.messages import MESSAGES, Writer
from streams.contract.schemas import Document, in_json, schema_of

PAGE = (Path(__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")
DAY = 86_400_000


def row_of(channel: Channel) -> list[str]:
    """The cells of the page's line on a topic."""
    (line,) = [one for one in PAGE.splitlines() if one.startswith("| `fleet.") and f"`{channel.topic}`" in one]
    return [cell.strip() for cell in line.strip("|").split(" | ")]


@pytest.mark.parametrize("channel", [pytest.param(one, id=one.name) for one in CHANNELS if one.side != Side.INTERNAL])
def test_the_page_tells_of_every_topic_as_it_is(channel: Channel) -> None:
    kafka = asyncapi_document()["channels"][channel.name]["bindings"]["kafka"]
    configuration = kafka["topicConfiguration"]
    days = configuration.get("retention.ms", 0) // DAY
    kept = f"{days} day{'s' if days > 1 else ''}" if days else "the newest of each key"

    assert row_of(channel)[2:] == [", ".join(channel.messages), str(kafka["partitions"]), kept]


def test_the_page_names_the_internal_topics_as_such() -> None:
    internal = PAGE.partition("hurts. ")[2].partition("are internal")[0]

    named = [
        channel.topic for channel in CHANNELS if channel.side == Side.INTERNAL and channel.messages != ("checkpoint",)
    ]
    assert re.findall(r"`([a-z.0-9]+)`", internal) == named


def test_the_page_names_every_header() -> None:
    table = PAGE.partition("| header | output | input |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-z_-]+)`", "".join(line.split(" | ")[0] for line in table.splitlines())))
    headers = {
        header
        for name, message in asyncapi_document()["components"]["messages"].items()
        if name not in ("dead-letter", "checkpoint")
        for header in message["headers"]["properties"]
    }

    assert named == headers


def test_the_page_names_the_fields_whose_words_may_grow() -> None:
    told = PAGE.partition("`x-extensible-enum`: ")[2].partition(". Show")[0]
    growing = {
        field
        for message in in_json()
        if message.writer is Writer.FLEETTWIN
        for field in growing_fields(schema_of(message))
    }

    assert {name.rpartition(".")[2] for name in re.findall(r"`([a-z_.]+)`", told)} == growing


def growing_fields(schema: Document) -> set[str]:
    """The names of fields whose words may grow."""
    objects = [schema, *schema.get("$defs", {}).values()]
    growing = {f"#/$defs/{name}" for name, one in schema.get("$defs", {}).items() if "x-extensible-enum" in one}
    fields = [(name, field) for one in objects for name, field in one.get("properties", {}).items()]
    return {name for name, field in fields if {field.get("$ref"), field.get("items", {}).get("$ref")} & growing}


def test_the_pages_it_points_to_are_there() -> None:
    docs = Path(__file__).parents[2] / "docs"

    assert [name for name in re.findall(r"\]\(([^)]+)\)", PAGE) if not (docs / name).exists()] == []
    assert {f"{message.name}.v1.json" for message in in_json()} == {path.name for path in (docs / "schemas").iterdir()}
    assert {message.name for message in MESSAGES} >= {message.name for message in in_json()}
