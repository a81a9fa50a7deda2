"""Ctrl-C and SIGTERM as a wish that a command looks at, so that it ends between two steps and not within one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event


@contextmanager
def stop_wished() -> Iterator[Event]:
    """An event that is set by the first Ctrl-C or SIGTERM; the second one does what it always does."""
    wished = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def wish(number: int, _frame: object) -> None:
        wished.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, wish)
    try:
        yield wished
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
