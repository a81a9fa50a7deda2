"""What programs at work cost: CPU seconds and memory of a process with everything that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.embedded import process

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 120.0
LOOK_AGAIN_SECONDS = 0.02
STOP_STEPS: process.EndSteps = ((signal.SIGTERM, 60.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True, slots=True)
class Tree:
    """A process and its descendants; those that have ended and were waited for count too."""

    name: str
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        total = 0.0
        for one in self._members():
            with suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def resident_mb(self) -> float:
        """Memory in megabytes (10**6 bytes); what several of them share is counted once (proportional set size)."""
        total = 0
        for one in self._members():
            with suppress(psutil.NoSuchProcess):
                total += one.memory_full_info().pss
        return round(total / 1e6, 1)

    def _members(self) -> list[psutil.Process]:
        root = psutil.Process(self.pid)
        return [root, *root.children(recursive=True)]


@contextmanager
def command(
    name: str, arguments: Sequence[str | Path], environment: Mapping[str, str], log: Path, *, killed: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of `fleettwin` beside us, from the project's root, for as long as the block runs.

    Args:
        name: For messages.
        arguments: After `fleettwin`.
        environment: Added to ours.
        log: Where its words go.
        killed: Whether the block kills it.
    """
    line = [sys.executable, "-m", "cli", *map(str, arguments)]
    with program(name, line, environment, log, killed=killed) as child:
        yield child


@contextmanager
def program(
    name: str, line: Sequence[str], environment: Mapping[str, str], log: Path, *, killed: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """Run any program like that; it is ended kindly, and must not have ended by itself with an error before."""
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    child = process.start(line, log, signal.SIGKILL, environment={**os.environ, "PYTHONPATH": paths, **environment})
    try:
        yield child
        if child.poll() and not (killed and child.returncode == -signal.SIGKILL):
            sys.exit(f"{name} ended with {child.returncode}: {process.last_lines(log)}")
    finally:
        known = process.mark(child.pid)
        if known is not None:
            process.end(known, STOP_STEPS)
        child.wait()


def wait_until(
    holds: Callable[[], bool], what: str, log: Path | None = None, seconds: float = PATIENCE_SECONDS
) -> None:
    """Wait for a condition; leave with an error that quotes the log if it does not come."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"{what} does not come in {seconds:.0f} s" + (f": {process.last_lines(log)}" if log else ""))
        time.sleep(LOOK_AGAIN_SECONDS)


def says(log: Path, words: str) -> Callable[[], bool]:
    """Whether a log has these words by now."""
    return lambda: log.exists() and words in log.read_text(encoding="utf-8", errors="replace")
