"""The end of a worker that was told to stop, has stored what it can, and has only to leave its group.

Faust never comes back from leaving it in the middle of a rebalance: it closes its consumer's connections and then waits
for what the consumer still asks of Kafka. Nothing depends on it by then.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import structlog

log = structlog.get_logger()

LEAVE_SECONDS = 5.0
"""Far more than leaving takes where it comes to an end; Kafka misses who has not left after its session's time."""


def leave_in_time(app: Any, seconds: float = LEAVE_SECONDS) -> None:
    """Have the process end after so many seconds at the latest; to be called once what can be stored is.

    Args:
        app: The app that stops: the exit code is 0, or 1 if it had crashed.
        seconds: For everything that is left.
    """

    def end() -> None:
        log.warning("this worker could not leave its group in time, and ends all the same", waited=seconds)
        os._exit(int(app.crashed))

    leaving = threading.Timer(seconds, end)
    leaving.daemon = True
    leaving.start()
