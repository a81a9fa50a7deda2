"""How a log is played: which record is due, at which speed, from pause to pause. Pure: time is handed in.

Times of the log are milliseconds, those of the steady clock that the caller looks at are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice

from models.record import Record

SECOND = 1000
"""What one step plays: the records up to the next second of the log."""

HIGHEST_SPEED, LOWEST_SPEED = 1024.0, 1 / 1024
"""Where doubling goes over to as fast as it can be, and where halving ends."""

_LOOKED_AHEAD = 10_000
"""Records behind the next one that may have been sent before it: partitions are merged by when Kafka took them in."""


@dataclass(frozen=True, slots=True)
class Toggle:
    """Pause, or go on."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Stand still."""


@dataclass(frozen=True, slots=True)
class Go:
    """Go on; steps that are left are not counted any more."""


@dataclass(frozen=True, slots=True)
class Step:
    """Pause, and play so many seconds of the log that hold records."""

    seconds: int = 1


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds of the log in a second from now on; none means as fast as it goes."""

    value: float | None


@dataclass(frozen=True, slots=True)
class Faster:
    """Double the speed."""


@dataclass(frozen=True, slots=True)
class Slower:
    """Halve the speed."""


@dataclass(frozen=True, slots=True)
class Quit:
    """End before the log does."""


Command = Toggle | Pause | Go | Step | Speed | Faster | Slower | Quit


@dataclass(frozen=True, slots=True)
class Status:
    """Where a playback is."""

    log_time: int | None
    """Milliseconds; none before the first record is known."""
    speed: float | None
    paused: bool
    stepping: bool
    behind_seconds: float
    """By how much the next record is late, on the clock on the wall."""


class Playback:
    """Gives out a log's records, each when it is due: as far from the first as when both were first sent.

    Args:
        records: In the order in which they are to go out; one that was sent before the one ahead of it goes with that.
        speed: Seconds of the log in a second; none means as fast as it goes.
        paused: Whether it begins with a pause.
    """

    def __init__(self, records: Iterable[Record], speed: float | None = None, *, paused: bool = False) -> None:
        self._records = iter(records)
        self._head: Record | None = None
        self._begun = self._quit = self._done = False
        self._speed, self._paused = speed, paused
        self._position, self._since = 0.0, 0.0
        """Where the log stood, and when it did, at the last command."""
        self._steps, self._step_until = 0, 0

    @property
    def ended(self) -> bool:
        """Whether no record comes any more."""
        return self._quit or self._done

    @property
    def stepping(self) -> bool:
        """Whether a step is still to be played."""
        return self._paused and (self._steps > 0 or self._step_until > 0) and not self.ended

    def take(self, command: Command, now: float) -> None:
        """Follow a command."""
        self._position, self._since = self._at(now), now
        match command:
            case Toggle():
                self._stand(not self._paused)
            case Pause():
                self._stand(True)
            case Go():
                self._stand(False)
            case Step(seconds):
                self._paused, self._steps = True, self._steps + seconds
            case Speed(value):
                self._speed = value
            case Faster() if self._speed is not None:
                self._speed = self._speed * 2 if self._speed < HIGHEST_SPEED else None
            case Slower():
                self._speed = HIGHEST_SPEED if self._speed is None else max(self._speed / 2, LOWEST_SPEED)
            case Quit():
                self._quit = True

    def due(self, now: float) -> Record | None:
        """The next record, if it is due."""
        head = None if self._quit else self._peek(now)
        if head is None or not self._is_due(head, now):
            return None
        self._head = None
        if self._paused or self._speed is None:
            self._position = float(head.sent_at)
        return head

    def wait(self, now: float) -> float | None:
        """Seconds until the next record is due; none while only a command leads on."""
        head = self._peek(now)
        if head is None or self.stepping:
            return 0.0
        if self._paused:
            return None
        return 0.0 if self._speed is None else max(0.0, (head.sent_at - self._at(now)) / 1000 / self._speed)

    def status(self, now: float) -> Status:
        """Where it is now."""
        head, at = self._peek(now), self._at(now)
        late = 0.0 if head is None or self._paused or self._speed is None else (at - head.sent_at) / 1000 / self._speed
        known = round(at) if self._begun else None
        return Status(known, self._speed, self._paused, self.stepping, max(0.0, late))

    def left_from(self) -> int | None:
        """The earliest time at which what is left was first sent, or none; it is played no more."""
        self._head = next(self._records, None) if self._head is None else self._head
        if self._head is None:
            return None
        times = [record.sent_at for record in islice(chain([self._head], self._records), _LOOKED_AHEAD)]
        self._quit = True
        return min(times)

    def _stand(self, still: bool) -> None:
        self._paused, self._steps, self._step_until = still, 0, 0

    def _is_due(self, head: Record, now: float) -> bool:
        if not self._paused:
            return self._speed is None or head.sent_at <= self._at(now)
        if self._step_until and head.sent_at >= self._step_until:
            self._position, self._step_until = float(self._step_until), 0
        if not self._step_until and self._steps:
            self._steps -= 1
            self._step_until = (head.sent_at // SECOND + 1) * SECOND
        return self._step_until > 0

    def _peek(self, now: float) -> Record | None:
        if self._head is None and not self._done:
            self._head = next(self._records, None)
            self._done = self._head is None
            if self._head is not None and not self._begun:
                self._begun, self._position, self._since = True, float(self._head.sent_at), now
        return self._head

    def _at(self, now: float) -> float:
        """Where the log stands; as fast as it goes, and paused, that is where the last record left it."""
        if self._paused or self._speed is None or not self._begun:
            return self._position
        return self._position + (now - self._since) * 1000 * self._speed
