"""What libraries log all the time is logged now and then: aiokafka tells of a Kafka that is away 300 times a second."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MOST = 1000
"""Lines that are remembered; after so many different ones all are forgotten."""


class Repeats(logging.Filter):
    """Lets a line through once in so many seconds, and then with how many like it were left out.

    Lines are alike that differ in nothing but numbers.

    Args:
        seconds: For how long lines like one that was let through are left out.
        monotonic: Any steady clock, in seconds.
    """

    def __init__(self, seconds: float = 10.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds, self._monotonic = seconds, monotonic
        self._said: dict[tuple[str, str], tuple[float, int]] = {}
        """When a line may be said again, and how many were left out since it was said."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it; what is logged again says how many were not."""
        text, now = record.getMessage(), self._monotonic()
        line = (record.name, _NUMBER.sub("#", text))
        until, left_out = self._said.get(line, (now, 0))
        if now < until:
            self._said[line] = (until, left_out + 1)
            return False
        if len(self._said) >= _MOST:
            self._said.clear()
        self._said[line] = (now + self._seconds, 0)
        if left_out:
            record.msg, record.args = f"{text} (and {left_out} times more)", ()
        return True
