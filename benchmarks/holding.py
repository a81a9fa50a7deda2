"""Holds processes back: each may run for a part of the time only, as on a machine that others have taken up."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

PERIOD_SECONDS = 0.1


@contextmanager
def held_back(pids: Sequence[int], share: float) -> Iterator[None]:
    """Stop the processes and let them go on, ten times a second, for as long as the block runs; all go on after it.

    Args:
        pids: Of the processes; what these have started is left alone.
        share: The part of the time in which they may run, over 0; at 1 nothing is done.
    """
    if share >= 1:
        yield
        return
    over = threading.Event()
    holder = threading.Thread(target=_hold, args=(pids, share, over), daemon=True)
    holder.start()
    try:
        yield
    finally:
        over.set()
        holder.join()


def _hold(pids: Sequence[int], share: float, over: threading.Event) -> None:
    try:
        while not over.is_set():
            _tell(pids, signal.SIGSTOP)
            over.wait(PERIOD_SECONDS * (1 - share))
            _tell(pids, signal.SIGCONT)
            time.sleep(PERIOD_SECONDS * share)
    finally:
        _tell(pids, signal.SIGCONT)


def _tell(pids: Sequence[int], what: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, what)
