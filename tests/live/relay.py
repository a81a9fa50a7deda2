"""A relay between a client and a server on this machine that can be cut and mended, as a network can."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Self

_PIECE = 64 * 1024
_LOOK_UP_SECONDS = 0.1


@dataclass
class Relay:
    """Passes bytes both ways between its own port and a server's; while it is cut, every connection is closed."""

    host: str
    port: int
    listener: socket.socket
    turned_away: int = 0
    """Connections that came while it was cut."""
    _passing: Event = field(default_factory=Event)
    _over: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)

    @classmethod
    def to(cls, host: str, port: int) -> Self:
        relay = cls(host, port, socket.create_server(("127.0.0.1", 0)))
        relay.listener.settimeout(_LOOK_UP_SECONDS)
        relay._passing.set()
        return relay

    @property
    def own_port(self) -> int:
        return int(self.listener.getsockname()[1])

    def cut(self) -> None:
        self._passing.clear()

    def mend(self) -> None:
        self._passing.set()

    def serve(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self.listener.accept()
            except TimeoutError:
                continue
            if self._passing.is_set():
                thread = Thread(target=self._carry, args=[client])
                self._threads.append(thread)
                thread.start()
            else:
                self.turned_away += 1
                client.close()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.create_connection((self.host, self.port)) as server, selectors.DefaultSelector() as ready:
            other = {client: server, server: client}
            for one in other:
                ready.register(one, selectors.EVENT_READ)
            try:
                while self._passing.is_set() and not self._over.is_set():
                    for key, _ in ready.select(_LOOK_UP_SECONDS):
                        source = key.fileobj
                        assert isinstance(source, socket.socket)
                        piece = source.recv(_PIECE)
                        if not piece:
                            return
                        other[source].sendall(piece)
            except OSError:
                return

    def end(self, serving: Thread) -> None:
        self._over.set()
        serving.join()
        for thread in self._threads:
            thread.join()
        self.listener.close()


@contextmanager
def relayed(host: str, port: int) -> Iterator[Relay]:
    relay = Relay.to(host, port)
    serving = Thread(target=relay.serve)
    serving.start()
    try:
        yield relay
    finally:
        relay.end(serving)
