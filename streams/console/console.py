"""Everything that the routes need to answer: made when the worker starts, handed to the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from models.console import Readiness
from streams.console.answers import Answers
from streams.console.here import Here
from streams.console.live import LiveFleet
from streams.console.passing import Others


@dataclass(frozen=True, slots=True)
class Console:
    """One worker's console."""

    worker: str
    live: LiveFleet
    here: Here
    answers: Answers
    others: Others
    caught_up: Callable[[], bool]
    """Whether the fleet's topics have been read to their ends."""
    metrics: Callable[[], bytes]
    """In Prometheus' text format."""

    def readiness(self) -> Readiness:
        """Whether everything is there, and what is not."""
        missing = []
        if not self.here.ready:
            missing.append("Kafka has not given this worker its partitions, or their checkpoints are being read")
        if not self.caught_up():
            missing.append("the topics of states and shortages have not been read to their ends")
        return Readiness(ready=not missing, missing=tuple(missing))


async def _of_the_application(request: Request) -> Console:
    console: Console = request.app.state.console
    return console


TheConsole = Annotated[Console, Depends(_of_the_application)]
"""What a route takes to get at it."""
