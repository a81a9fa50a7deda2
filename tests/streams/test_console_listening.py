"""Where the console listens: the usual port, a free one, or the one that is set; what is said where that cannot be."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from infra.settings import ConsoleSettings
from models.errors import ConfigurationError
from streams.console import listening
from streams.console.listening import Listening, is_loopback, listen
from streams.console.serving import tell_listening


@contextmanager
def held() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free() -> int:
    with held() as port:
        return port


def test_with_no_port_set_it_is_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "USUAL_PORT", free())
    found = listen(ConsoleSettings())
    with closing(found.socket):
        assert (found.port, found.why) == (listening.USUAL_PORT, None)
        assert found.url == f"http://127.0.0.1:{found.port}"
        assert found.on_loopback


def test_where_the_usual_port_is_taken_it_is_a_free_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with held() as port:
        monkeypatch.setattr(listening, "USUAL_PORT", port)
        found = listen(ConsoleSettings())
        with closing(found.socket):
            assert found.port != port
            assert found.why == f"port {port} is held by {this_process()}"


def this_process() -> str:
    with open("/proc/self/comm", encoding="utf-8") as comm:  # noqa: PTH123
        return f"{comm.read().strip()} (process {os.getpid()})"


def test_a_port_that_is_set_and_taken_names_its_holder() -> None:
    with held() as port, pytest.raises(ConfigurationError) as wrong:
        listen(ConsoleSettings(port=port))

    assert (wrong.value.setting, wrong.value.value) == ("FLEETTWIN_CONSOLE__PORT", port)
    assert this_process() in wrong.value.expected


def test_two_consoles_never_share_a_port() -> None:
    port = free()
    with closing(listen(ConsoleSettings(port=port)).socket), pytest.raises(ConfigurationError):
        listen(ConsoleSettings(port=port))


@pytest.mark.parametrize(
    "host", [pytest.param("no.such.host.invalid", id="no-name"), pytest.param("192.0.2.1", id="not-this-machine-s")]
)
def test_a_host_that_is_not_this_machine_s_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match="FLEETTWIN_CONSOLE__HOST"):
        listen(ConsoleSettings(host=host, port=free()))


@pytest.mark.parametrize(
    ("host", "advertised", "url"),
    [
        pytest.param("localhost", None, "http://{loopback}:{port}", id="by-name"),
        pytest.param("0.0.0.0", None, "http://{name}:{port}", id="all-addresses"),
        pytest.param("0.0.0.0", "https://twin.example/", "https://twin.example", id="as-it-is-said"),
    ],
)
def test_others_are_told_where_to_reach_it(host: str, advertised: str | None, url: str) -> None:
    found = listen(ConsoleSettings(host=host, port=free(), advertised_url=advertised))
    with closing(found.socket):
        address = found.socket.getsockname()[0]
        loopback = f"[{address}]" if ":" in address else address
        assert found.url == url.format(port=found.port, name=socket.gethostname(), loopback=loopback)
        assert found.on_loopback == (host == "localhost")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("10.1.2.3", False), ("x", False)],
)
def test_loopback_is_this_machine_alone(host: str, expected: bool) -> None:
    assert is_loopback(host) == expected


@pytest.mark.parametrize(
    ("host", "token", "warned"),
    [
        pytest.param("127.0.0.1", None, False, id="this-machine-alone"),
        pytest.param("0.0.0.0", "a-token", False, id="everybody-with-the-token"),
        pytest.param("0.0.0.0", None, True, id="everybody"),
    ],
)
def test_a_console_that_anybody_may_look_at_is_warned_of(
    host: str, token: str | None, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(listen(ConsoleSettings(host=host, port=free())).socket) as sock:
        tell_listening(Listening(sock, host, 1, "http://there"), token)

    assert ("set FLEETTWIN_CONSOLE__TOKEN" in capsys.readouterr().out) is warned
