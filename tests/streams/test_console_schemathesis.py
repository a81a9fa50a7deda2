"""Questions by the hundred, made from the OpenAPI document, those it allows and those it does not: none breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from streams.console.app import console_app, openapi_document
from tests.builders import SITE
from tests.console_builders import built, event, folding, shortage_record, tick_records
from tests.console_http import over_http

TOKEN = {"Authorization": "Bearer a-token"}
MADE = built(folding({SITE: ["n0", "n/1 & 'two'"]}), *tick_records(), shortage_record(event()))
SCHEMA = schemathesis.openapi.from_dict(openapi_document())
# /api/events is a stream without end: what it may be asked with is in test_console_feed.py
ASKED = SCHEMA.exclude(path="/api/events")


@pytest.fixture(scope="module")
def console() -> Iterator[str]:
    """The address of one that asks for a token."""
    with over_http(console_app(MADE.console, "a-token", None, None)) as url:
        yield url


@ASKED.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_question_is_answered_as_the_document_says(case: Any, console: str) -> None:
    case.call_and_validate(base_url=console, headers=TOKEN)


def test_every_operation_but_the_stream_is_asked() -> None:
    operations: list[Any] = list(ASKED.get_all_operations())

    assert {one.ok().path for one in operations} | {"/api/events"} == set(SCHEMA.raw_schema["paths"])
