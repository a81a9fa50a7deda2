"""How the routes are described in OpenAPI: every answer with its form, an example, and what can go wrong."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from models.console import Problem
from streams.console.examples import EXAMPLES

_PROBLEMS = {
    400: "The console listens on loopback and was called by another name.",
    401: "A token is asked for, and was not brought, or another one.",
    404: "There is none of that name; `name` says it.",
    413: "The question has a body; none here needs one.",
    414: "The address is longer than any here.",
    421: "The question was passed on to another worker than this one.",
    422: "A parameter is not what it may be.",
    429: "This caller asks too often; `Retry-After` says when to ask again.",
    431: "The headers are longer than any question needs.",
    503: "Not now: the worker that folds the site does not answer, or has nothing to say yet. `Retry-After` says when"
    " to ask again.",
}
_ANY_ROUTE = (400, 413, 414, 429, 431)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Answers that are none, by status; every route may give some of them before it looks at the question."""
    return {status: {"model": Problem, "description": _PROBLEMS[status]} for status in sorted({*_ANY_ROUTE, *statuses})}


def answered(view: type[BaseModel], *statuses: int) -> dict[str, Any]:
    """A route that answers with that view, or says one of these."""
    return {"response_model": view, "responses": {200: {"description": "As it is now."}, **problems(*statuses)}}


def with_examples(document: dict[str, Any]) -> dict[str, Any]:
    """The document with an example beside each form of answer; FastAPI itself would leave what is null out of them."""
    for methods in document["paths"].values():
        for operation in methods.values():
            content = operation["responses"]["200"].get("content", {}).get("application/json", {})
            form = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            if form in EXAMPLES:
                content["example"] = EXAMPLES[form]
    return document


EVENT_STREAM: dict[str, Any] = {
    "responses": {
        200: {
            "description": "A stream without end.",
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": 'id: 4711.12\nevent: shortage\ndata: {"id":"...","sequence":0}\n\n: still here\n\n',
                }
            },
        },
        **problems(401, 422, 503),
    }
}

METRICS: dict[str, Any] = {
    "response_model": None,
    "responses": {
        200: {
            "description": "In Prometheus' text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **problems(401),
    },
}
