"""Commands as they come in on a file, waited for no longer than a signal may wait."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from threading import Event

from streams.logs.playback import Command, Quit

_SLICE_SECONDS = 0.1
"""A signal that comes while we wait is heeded within so long."""

_MOST_SECONDS = 0.25
"""Whoever waits longer is asked again: a status line is drawn anew between."""


class Incoming:
    """Bytes of a file as they come; `stop` is set by Ctrl-C."""

    def __init__(self, file: int, stop: Event) -> None:
        self._file, self._stop = file, stop
        self.held = b""
        """What has come and is not yet used."""
        self.ended = False

    def await_command(self, seconds: float | None, taken: Callable[[], Command | None]) -> Command | None:
        """What `taken` makes of the bytes held, once it makes something; nothing after so long, or a quarter second.

        A wish to stop is a command by itself.
        """
        left = _MOST_SECONDS if seconds is None else min(seconds, _MOST_SECONDS)
        while not self._stop.is_set():
            command = taken()
            if command is not None:
                return command
            if self.ended:
                self._stop.wait(left)
                return Quit() if self._stop.is_set() else None
            if not self._read(min(left, _SLICE_SECONDS)):
                left -= _SLICE_SECONDS
                if left <= 0:
                    return None
        return Quit()

    def _read(self, seconds: float) -> bool:
        """Take in what there is; says whether there was anything."""
        if not select.select([self._file], [], [], seconds)[0]:
            return False
        try:
            read = os.read(self._file, 65_536)
        except OSError:  # a terminal that was closed
            read = b""
        self.held += read
        self.ended = not read
        return True
