"""The demo's web page: one address for the whole run, and a browser that opens once where there is one to see."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.demo.console import Browser, ConsolePlace, console_place
from infra.embedded import ports, process
from infra.settings import ConsoleSettings
from models.errors import ConfigurationError

PATIENCE_SECONDS = 20.0


@pytest.fixture
def held() -> Iterator[int]:
    with socket.create_server((ports.HOST, 0)) as server:
        yield server.getsockname()[1]


def place(port: int, host: str = "127.0.0.1", *, wants_token: bool = False) -> ConsolePlace:
    return ConsolePlace(host, port, wants_token)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        pytest.param("127.0.0.1", "http://127.0.0.1:8470/", id="loopback"),
        pytest.param("0.0.0.0", "http://127.0.0.1:8470/", id="everywhere"),
        pytest.param("::", "http://[::1]:8470/", id="everywhere-by-ipv6"),
        pytest.param("fd00::7", "http://[fd00::7]:8470/", id="ipv6"),
        pytest.param("console.example", "http://console.example:8470/", id="a-name"),
    ],
)
def test_the_address_can_be_typed_into_a_browser(host: str, url: str) -> None:
    assert place(8470, host).url == url


def test_a_page_that_wants_a_token_says_so_and_never_which() -> None:
    there = console_place(ConsoleSettings(token=SecretStr("hush")))

    assert there is not None
    assert "FLEETTWIN_CONSOLE__TOKEN" in there.told
    assert "hush" not in there.told


def test_the_worker_is_told_the_port_that_the_screen_shows() -> None:
    there = console_place(ConsoleSettings())

    assert there is not None
    assert there.environment == {"FLEETTWIN_CONSOLE__PORT": str(there.port)}


def test_a_port_that_is_set_and_held_is_the_users_to_fix(held: int) -> None:
    with pytest.raises(ConfigurationError, match=f"FLEETTWIN_CONSOLE__PORT is {held}"):
        console_place(ConsoleSettings(port=held))


def test_without_a_console_there_is_no_address() -> None:
    assert console_place(ConsoleSettings(enabled=False)) is None


@pytest.fixture
def desktop(tmp_path: Path) -> dict[str, str]:
    """A graphical session whose browser writes down what it is asked to open."""
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/opened"\n', encoding="utf-8")
    opener.chmod(0o755)
    return {"PATH": str(tmp_path), "DISPLAY": ":0"}


def opened(desktop: dict[str, str]) -> list[str]:
    told = Path(desktop["PATH"]) / "opened"
    return told.read_text(encoding="utf-8").split() if told.exists() else []


def end_of(browser: Browser) -> None:
    """Wait for what was started; a browser that opens nothing has started nothing."""
    if browser.opener is not None:
        browser.opener.wait(PATIENCE_SECONDS)


def test_the_page_is_opened_once_it_answers_and_only_once(held: int, desktop: dict[str, str]) -> None:
    browser = Browser(place(held), wanted=True, environment=desktop)
    for _ in range(3):
        browser.look()

    assert process.await_condition(lambda: opened(desktop) != [], PATIENCE_SECONDS)
    end_of(browser)
    assert opened(desktop) == [f"http://127.0.0.1:{held}/"]


def test_a_page_that_does_not_answer_yet_is_not_opened_but_waited_for(desktop: dict[str, str]) -> None:
    free = ports.choose("X", None, None)
    browser = Browser(place(free), wanted=True, environment=desktop)
    browser.look()
    assert opened(desktop) == []

    with socket.create_server((ports.HOST, free)):
        browser.look()
    end_of(browser)

    assert opened(desktop) == [f"http://127.0.0.1:{free}/"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        pytest.param(False, {}, id="not-wanted"),
        pytest.param(True, {"DISPLAY": ""}, id="no-graphical-session"),
        pytest.param(True, {"PATH": "/nowhere"}, id="no-opener"),
    ],
)
def test_nothing_is_opened_where_it_cannot_be_seen_or_is_not_wanted(
    held: int, desktop: dict[str, str], wanted: bool, said: dict[str, str]
) -> None:
    browser = Browser(place(held), wanted=wanted, environment=desktop | said)
    browser.look()

    assert browser.opener is None
    assert opened(desktop) == []


def test_without_a_console_nothing_is_opened(desktop: dict[str, str]) -> None:
    browser = Browser(None, wanted=True, environment=desktop)
    browser.look()

    assert browser.opener is None
