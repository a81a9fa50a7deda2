"""The end of a worker that was told to stop, whatever Faust still waits for.

Stopped in the middle of a rebalance, Faust may never come to its end: it closes the connections of its consumer, and
waits for what that still asks of Kafka. A worker that ends without it is as one that was killed, and loses nothing.
"""

from __future__ import annotations

import os
import threading

import structlog

log = structlog.get_logger()

STOP_SECONDS = 25.0
"""To store what can be stored and leave the group; Kubernetes kills after 30, systemd after 90."""

LEAVE_SECONDS = 5.0
"""To leave the group, once that is stored: far more than it takes where it comes to an end."""


def end_within(seconds: float, exit_code: int) -> None:
    """Have the process end after so many seconds at the latest.

    Args:
        seconds: From now on.
        exit_code: 0 where nothing is left to do, else 1.
    """

    def end() -> None:
        log.warning("this worker could not leave its group in time, and ends all the same", waited=seconds)
        os._exit(exit_code)

    leaving = threading.Timer(seconds, end)
    leaving.daemon = True
    leaving.start()
