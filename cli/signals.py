"""Ctrl-C and SIGTERM as a wish that a command looks at, so that it ends between two steps and not within one."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

_SAME_WISH_SECONDS = 1.0
"""A terminal or a supervisor may pass one Ctrl-C on twice."""


@contextmanager
def stop_wished() -> Iterator[Event]:
    """An event that is set by the first Ctrl-C or SIGTERM; a later one interrupts whatever runs."""
    wished = Event()
    since = 0.0

    def wish(_number: int, _frame: object) -> None:
        nonlocal since
        if not wished.is_set():
            since = time.monotonic()
            wished.set()
        elif time.monotonic() - since > _SAME_WISH_SECONDS:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, wish) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wished
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def term_as_interrupt() -> Iterator[None]:
    """SIGTERM ends what runs as Ctrl-C does, so that it can clean up on its way out."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
