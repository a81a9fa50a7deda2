"""A replay that is steered by lines, of a person or of a script."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from cli.replay.reading import Incoming
from cli.replay.status import in_words
from cli.speed import speed_of
from models.errors import ConfigurationError
from streams.logs.playback import Command, Go, Pause, Quit, Speed, Status, Step

_KNOWN = "an empty line or step [SECONDS], go, pause, speed X|max, or quit"


class LineDesk:
    """Follows lines one after the other: the next one is read when a step is done.

    Args:
        file: Where they come from.
        stop: Set by Ctrl-C.
        tell: Is told where each pause is, and which lines are none.
    """

    def __init__(self, file: int, stop: Event, tell: Callable[[str], None]) -> None:
        self._incoming, self._tell = Incoming(file, stop), tell
        self._told = ""

    def look(self, seconds: float | None, *, stepping: bool) -> Command | None:
        """The next line's command, if one comes in time; after the last line a pause ends the replay."""
        if seconds is None and self._incoming.ended and not self._incoming.held:
            return Quit()
        return self._incoming.await_command(seconds, _nothing if stepping else self._line)

    def show(self, status: Status, sent: int) -> None:
        """Tell of each pause once."""
        line = in_words(status, sent)
        if status.paused and not status.stepping and line != self._told:
            self._told = line
            self._tell(line)

    def _line(self) -> Command | None:
        while b"\n" in self._incoming.held or (self._incoming.ended and self._incoming.held):
            line, _, self._incoming.held = self._incoming.held.partition(b"\n")
            try:
                return command_of(line.decode(errors="replace").strip())
            except ConfigurationError as error:
                self._tell(str(error))
        return None


def _nothing() -> None:
    """What is taken of the lines while a step is under way."""


def command_of(line: str) -> Command:
    """What a line asks for.

    Raises:
        ConfigurationError: nothing that we know.
    """
    match line.split():
        case [] | ["step"]:
            return Step()
        case ["step", many] if many.isdecimal() and 0 < int(many[:10]) < 10**9:
            return Step(int(many[:10]))
        case ["go"]:
            return Go()
        case ["pause"]:
            return Pause()
        case ["speed", speed]:
            return Speed(speed_of(speed))
        case ["quit"]:
            return Quit()
    raise ConfigurationError("the line", line, _KNOWN)
