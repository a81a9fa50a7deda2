"""A replay that is steered by the keys of a terminal."""

from __future__ import annotations

import os
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event

from cli.replay.reading import Incoming
from streams.logs.playback import Command, Faster, Quit, Slower, Status, Step, Toggle

HINT = "space pauses, s steps, + and - change the speed, q ends"

_KEYS: dict[bytes, Command] = {
    b" ": Toggle(),
    b"s": Step(),
    b"\x1b[C": Step(),
    b"\x1bOC": Step(),
    b"+": Faster(),
    b"=": Faster(),
    b"-": Slower(),
    b"q": Quit(),
}
"""The arrow to the right is told in two ways, by the terminal's mode; + without shift is = on many keyboards."""


def is_ours(file: int) -> bool:
    """Whether a file is a terminal that we may read: who tries from a shell's background is stopped."""
    try:
        return os.isatty(file) and os.tcgetpgrp(file) == os.getpgrp()
    except OSError:  # a terminal, and not the one that this session belongs to
        return False


@contextmanager
def keys_at_once(terminal: int) -> Iterator[None]:
    """A terminal that gives each key as it is pressed and does not show it; afterwards it is as it was."""
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSANOW)
    try:
        yield
    finally:
        with suppress(termios.error):  # a terminal that was closed meanwhile needs nothing
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


class KeyDesk:
    """Follows the keys; `stop` is set by Ctrl-C."""

    def __init__(self, terminal: int, stop: Event) -> None:
        self._incoming = Incoming(terminal, stop)

    def look(self, seconds: float | None, *, stepping: bool) -> Command | None:  # noqa: ARG002  # as a `Desk`
        """The next key's command, if one comes in time; a terminal that is closed ends a pause."""
        if seconds is None and self._incoming.ended:
            return Quit()
        return self._incoming.await_command(seconds, self._key)

    def show(self, status: Status, sent: int) -> None:
        """Beside the keys there is a status line."""

    def _key(self) -> Command | None:
        while held := self._incoming.held:
            name = next((name for name in _KEYS if held.startswith(name)), held[:1])
            self._incoming.held = held[len(name) :]
            if name in _KEYS:
                return _KEYS[name]
        return None
