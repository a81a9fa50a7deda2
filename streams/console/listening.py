"""The socket that the console listens on, taken before the worker starts: a port that is held is told at once."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass

from infra.embedded.ports import holder
from infra.settings import ConsoleSettings
from models.errors import ConfigurationError

USUAL_PORT = 8470
HOST_SETTING = "FLEETTWIN_CONSOLE__HOST"
PORT_SETTING = "FLEETTWIN_CONSOLE__PORT"

_BACKLOG = 128
_STUCK_MILLISECONDS = 20_000
"""After so long, the kernel ends a connection whose other side takes nothing."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket that listens, and the address by which others reach it."""

    socket: socket.socket
    host: str
    port: int
    url: str
    why: str | None = None
    """Why it is not the usual port, where it was to be that."""

    @property
    def on_loopback(self) -> bool:
        """Whether this machine alone can reach it."""
        return is_loopback(str(self.socket.getsockname()[0]))


def listen(console: ConsoleSettings) -> Listening:
    """Listen where the settings say; with no port set on 8470, or on a free one where that is taken.

    Raises:
        ConfigurationError: the port that is set is taken, or the host is none of this machine's.
    """
    try:
        family, *_, (host, *_) = socket.getaddrinfo(console.host, None, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ConfigurationError(HOST_SETTING, console.host, f"an address of this machine ({error})") from None
    sock = _bound(console, family, str(host))
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # accepted connections inherit it
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STUCK_MILLISECONDS)
    port = int(sock.getsockname()[1])
    url = console.advertised_url or f"http://{_in_url(_reachable(str(host)))}:{port}"
    why = f"port {USUAL_PORT} is held by {holder(USUAL_PORT)}" if console.port is None and port != USUAL_PORT else None
    return Listening(sock, console.host, port, url.rstrip("/"), why)


def _bound(console: ConsoleSettings, family: int, host: str) -> socket.socket:
    """A socket that listens: bound alone, it would share its port with another that is bound alone."""
    try:
        return socket.create_server((host, console.port or USUAL_PORT), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and console.port is None:
            return socket.create_server((host, 0), family=family, backlog=_BACKLOG)
        if error.errno == errno.EADDRINUSE:
            expected = f"a free port; this one is held by {holder(console.port or USUAL_PORT)}"
            raise ConfigurationError(PORT_SETTING, console.port, expected) from None
        if error.errno == errno.EACCES:
            raise ConfigurationError(PORT_SETTING, console.port, "a port that this user may listen on") from None
        raise ConfigurationError(HOST_SETTING, console.host, f"an address of this machine ({error})") from None


def is_loopback(host: str) -> bool:
    """Whether a host, as a name or an address, is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reachable(host: str) -> str:
    """Where to find something that listens on `host`: on all addresses means by the machine's name."""
    return socket.gethostname() if ipaddress.ip_address(host.partition("%")[0]).is_unspecified else host


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
