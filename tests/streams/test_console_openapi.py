"""The OpenAPI document: as committed, valid, complete, and in accord with what is answered."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from streams.console.app import openapi_document
from streams.contract.documents import text_of
from tests.builders import SITE
from tests.console_builders import ask, built, event, folding, shortage_record, tick_records

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
DOCUMENT = openapi_document()
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]

PATHS = {
    "/api/fleet",
    "/api/sites",
    "/api/sites/{site}",
    "/api/nodes/{node}",
    "/api/shortages",
    "/api/events",
    "/api/openapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
}


def schema_of(path: str, status: str, kind: str = "application/json") -> dict[str, Any]:
    found = DOCUMENT["paths"][path]["get"]["responses"][status]["content"][kind]["schema"]
    return {**found, "components": DOCUMENT["components"]}


def test_the_committed_document_is_the_one_that_is_made() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == text_of(DOCUMENT)


def test_it_is_valid() -> None:
    validate(json.loads(COMMITTED.read_bytes()))


def test_it_has_every_path_and_reads_only() -> None:
    assert set(DOCUMENT["paths"]) == PATHS
    assert {method for _, method in OPERATIONS} == {"get"}


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_operation_says_what_it_is_and_what_can_go_wrong(path: str, method: str) -> None:
    operation = DOCUMENT["paths"][path][method]

    assert operation["description"]
    assert operation["summary"]
    assert all(response["description"] for response in operation["responses"].values())
    assert all(parameter["description"] for parameter in operation.get("parameters", ()))
    assert path == "/healthz" or ("401" in operation["responses"] and operation["security"])


def test_every_field_of_every_answer_is_described() -> None:
    bare = [
        f"{name}.{field}"
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for field, said in schema.get("properties", {}).items()
        if "description" not in said and "const" not in said
    ]

    assert bare == []


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/api/fleet", "/api/fleet"),
        ("/api/sites", "/api/sites"),
        ("/api/shortages", "/api/shortages"),
        ("/api/sites/{site}", f"/api/sites/{SITE}"),
        ("/api/nodes/{node}", "/api/nodes/n0"),
        ("/healthz", "/healthz"),
        ("/readyz", "/readyz"),
    ],
)
def test_what_is_answered_is_what_is_described(path: str, asked: str) -> None:
    made = built(folding({SITE: ["n0"]}), *tick_records(), shortage_record(event()))
    answer = asyncio.run(ask(made, asked))

    assert answer.status_code == 200
    jsonschema.validate(answer.json(), schema_of(path, "200"))


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_example_is_of_its_schema(path: str, method: str) -> None:
    for status, response in DOCUMENT["paths"][path][method]["responses"].items():
        for kind, content in response.get("content", {}).items():
            if "example" in content:
                jsonschema.validate(content["example"], schema_of(path, status, kind))


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("/api/sites/{site}", "/api/sites/none", "404"),
        ("/api/nodes/{node}", "/api/nodes/none", "404"),
        ("/api/sites/{site}", f"/api/sites/{SITE}?limit=x", "422"),
    ],
)
def test_what_goes_wrong_is_said_as_it_is_described(path: str, asked: str, status: str) -> None:
    answer = asyncio.run(ask(built(), asked))

    assert str(answer.status_code) == status
    jsonschema.validate(answer.json(), schema_of(path, status))
