"""The console as an ASGI application, and its OpenAPI document."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, Response

from models.console import Problem
from streams.console.access import Guard, Hosts
from streams.console.console import Console
from streams.console.described import with_examples
from streams.console.limiting import Pace
from streams.console.pages import Pages
from streams.console.refusing import NoAnswer
from streams.console.routes import api, open_api

VERSION = "1"
"""Of what the routes promise, not of the program."""

_DESCRIPTION = """\
The live twin of an AI-accelerator fleet, read-only: what every site has, draws and lacks, as one of the twin's workers
sees it. Any worker answers for all sites; what only another one knows is asked of it on the way.

Watts, joules, bytes, degrees Celsius, fractions from 0 to 1, times in UTC; what is not known is null. Readers pass over
fields that they do not know: later versions may add some.
"""
_LEAST_COMPRESSED = 1024
_COMPRESSION = 4


def console_app(
    console: Console, token: str | None, hosts: Hosts | None, pages: Path | None, pace: Pace | None = None
) -> FastAPI:
    """The application.

    Args:
        console: What it answers from.
        token: What callers must bring, if anything.
        hosts: The names by which it may be called; none where it is up to whoever set it to listen to the world.
        pages: The folder of the page at `/`.
        pace: How often a caller may ask; none where it does not matter.
    """
    app = _described()
    app.state.console, app.state.token, app.state.document = console, token, openapi_document
    if pages is not None:
        app.mount("/", Pages(pages))
    app.add_middleware(GZipMiddleware, minimum_size=_LEAST_COMPRESSED, compresslevel=_COMPRESSION)
    app.add_middleware(Guard, hosts=hosts, pace=pace)
    app.add_exception_handler(NoAnswer, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


@cache
def openapi_document() -> dict[str, Any]:
    """The OpenAPI document; needs no worker."""
    return with_examples(_described().openapi())


def _described() -> FastAPI:
    app = FastAPI(
        title="fleettwin console",
        version=VERSION,
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=[
            {"name": "twin", "description": "What the twin knows."},
            {"name": "worker", "description": "How the worker itself is."},
        ],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(api)
    app.include_router(open_api)
    return app


def _answer(status: int, problem: Problem, headers: Any = None) -> Response:
    return JSONResponse(problem.model_dump(mode="json"), status, headers)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NoAnswer)  # noqa: S101 - as it was registered
    return _answer(error.status, error.problem, error.headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as it was registered
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
    detail = f"{request.method} {request.url.path}: {error.detail}"
    return _answer(error.status_code, Problem(code=code, detail=detail), error.headers)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as it was registered
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _answer(422, Problem(code="invalid", detail=f"{where}: {first['msg']}"))
