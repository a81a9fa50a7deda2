"""Who may ask: the bearer token, and which `Host` a browser may name; and the headers that every answer has."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sse_starlette.sse import SendTimeoutError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.console import Problem
from streams.console.limiting import Pace, refuse_frequent, refuse_large
from streams.console.listening import is_loopback
from streams.console.refusing import NoAnswer

log = structlog.get_logger()

ADVERTISED_SETTING = "FLEETTWIN_CONSOLE__ADVERTISED_URL"

SECURITY = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


_bearer = HTTPBearer(auto_error=False, description="The token of `FLEETTWIN_CONSOLE__TOKEN`, where one is set.")


async def authorized(
    request: Request, brought: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """See that the caller brings the token, if there is one.

    Raises:
        NoAnswer: 401.
    """
    wanted: str | None = request.app.state.token
    if wanted is None:
        return
    said = "" if brought is None else brought.credentials
    if not secrets.compare_digest(said.encode(), wanted.encode()):
        detail = "This console asks for a token: send `Authorization: Bearer TOKEN`"
        raise NoAnswer(401, "unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="fleettwin"'})


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names by which a browser may call the console while it listens on loopback alone.

    A page of another origin can have its own name resolve to 127.0.0.1; it cannot change the `Host` that is sent.
    """

    further: Collection[str] = ()

    def allows(self, host: str) -> bool:
        """Whether a `Host` header names this machine's loopback, or one of the further names."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return is_loopback(name) or name in self.further


class Guard:
    """Around the whole application: checks the host and the limits, adds the headers, makes a mistake of ours a 500."""

    def __init__(self, app: ASGIApp, hosts: Hosts | None = None, pace: Pace | None = None) -> None:
        self.app, self.hosts, self.pace = app, hosts, pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def send_on(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            self._admit(scope)
        except NoAnswer as refused:
            await _plain(refused.status, refused.problem, refused.headers)(scope, receive, send_on)
            return
        try:
            await self.app(scope, receive, send_on)
        except SendTimeoutError:
            log.info("a listener that took nothing was let go", path=scope["path"])
        except Exception as error:
            log.exception("a question could not be answered", path=scope["path"], error=repr(error))
            if begun:
                raise
            problem = Problem(code="internal", detail="This is a mistake of ours; the worker's log says more")
            await _plain(500, problem)(scope, receive, send_on)

    def _admit(self, scope: Scope) -> None:
        """See that the question may be asked at all.

        Raises:
            NoAnswer: 400, 413, 414, 429 or 431.
        """
        host = Headers(scope=scope).get("host", "")
        if self.hosts is not None and not self.hosts.allows(host):
            detail = f"This console is not called {host!r}; {ADVERTISED_SETTING} can name it"
            raise NoAnswer(400, "wrong_host", detail)
        refuse_large(scope)
        if self.pace is not None:
            refuse_frequent(scope, self.pace)


def _plain(status: int, problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(problem.model_dump(mode="json"), status, headers)
