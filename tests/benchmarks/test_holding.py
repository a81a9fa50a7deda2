"""Processes that are held back stop and go on, and go on for good in the end."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from benchmarks.holding import held_back

PATIENCE_SECONDS = 30.0


@pytest.fixture
def counting() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is at work until it is ended."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as child:
        yield child
        child.kill()


def test_a_process_that_is_held_back_stops_goes_on_and_is_let_go(counting: subprocess.Popen[bytes]) -> None:
    looked = psutil.Process(counting.pid)

    with held_back([counting.pid], 0.2):
        for _ in range(2):
            _until(lambda: looked.status() == psutil.STATUS_STOPPED)
            _until(lambda: looked.status() == psutil.STATUS_RUNNING)
    before = _cpu_seconds(looked)

    assert looked.status() != psutil.STATUS_STOPPED
    _until(lambda: _cpu_seconds(looked) > before)


def test_a_process_with_all_of_the_time_is_never_stopped_and_one_that_is_gone_hurts_nobody(
    counting: subprocess.Popen[bytes],
) -> None:
    looked = psutil.Process(counting.pid)
    with held_back([counting.pid], 1.0):
        before = _cpu_seconds(looked)
        while _cpu_seconds(looked) < before + 0.2:
            assert looked.status() != psutil.STATUS_STOPPED

    counting.kill()
    counting.wait()
    with held_back([counting.pid], 0.5):
        pass


def _cpu_seconds(looked: psutil.Process) -> float:
    times = looked.cpu_times()
    return float(times.user + times.system)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not in {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.001)
