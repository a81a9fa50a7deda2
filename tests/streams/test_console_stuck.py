"""A listener that stops taking what it is sent is let go, without a word about a mistake."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from streams.console import routes
from streams.console.app import console_app
from tests.console_builders import built, tick_records


def test_a_listener_that_takes_nothing_is_let_go(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(routes, "SEND_SECONDS", 0.05)
    made = built(None, *tick_records())
    app = console_app(made.console, None, None, None)

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/events",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
    }
    asyncio.run(asyncio.wait_for(app(scope, receive, send), 30))

    assert made.live.feed.listeners == 0
    told = capsys.readouterr().out
    assert "let go" in told
    assert "could not be answered" not in told
