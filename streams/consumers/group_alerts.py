"""Shortage events for a consumer group: what was told is committed, and is told again only if that fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from models.errors import Unavailable
from models.shortage import Shortage
from streams.consumers.alerts import Refusal, shortage_in
from streams.consumers.choosing import Telling, Wanted
from streams.consumers.steps import Begun, New, Past, Reading

PATIENCE_SECONDS = 60.0
"""How long one that does not follow waits for its turn: longer than Kafka takes to miss a member that has died."""


def read_group(
    reading: Reading,
    refused: Refusal,
    wanted: Wanted,
    *,
    follow: bool = False,
    stopped: Callable[[], bool] = lambda: False,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Iterator[Shortage]:
    """The events that the group has not been told, to the end that there is when it is our turn, or on from there.

    Asking for the next one says that the one before has reached whoever it is for; only then it counts as told.

    Raises:
        Unavailable: it is not our turn, and nobody wants to wait.
    """
    telling, term, end, told = Telling(wanted), 0, None, None
    begun_at = time.monotonic()
    try:
        while not stopped():
            step = reading.take()
            if not reading.holds(term):
                telling, term, end, told = Telling(wanted), reading.term, None, None
            match step:
                case Past(record):
                    _remember(telling, shortage_in(record, _ignore))
                case Begun():
                    end, reached = step.end, step.offset
                case New(record):
                    event = shortage_in(record, refused)
                    found = None if event is None else telling.take(event)
                    if found is not None:
                        yield found.event
                    told = reached = record.offset + 1
            if told is not None and reading.drained:
                reading.commit(told)
                told = None
            if not follow and end is not None and reached >= end and reading.drained:
                return
            if not follow and end is None and time.monotonic() - begun_at > patience_seconds:
                why = "another member of the group reads the topic"
                raise Unavailable("the consumer group", why, "End that one, or wait in line with --follow")
    finally:
        if told is not None and reading.holds(term):
            reading.commit(told)


def _remember(telling: Telling, event: Shortage | None) -> None:
    if event is not None:
        telling.take(event)


def _ignore(_refusal: object) -> None:
    """What is no shortage was told of when it was new."""
