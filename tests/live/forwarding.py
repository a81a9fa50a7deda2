"""`fleettwin alerts forward` at work, for one test."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from infra.embedded import process
from tests.alerts import Topics
from tests.live.world import ROOT, Running, outside_environment

PATIENCE_SECONDS = 90.0
"""Far more than anything takes."""

_numbers = count()


@contextmanager
def forwarding(topics: Topics, folder: Path, *options: str, **settings: str) -> Iterator[Running]:
    """A forwarder in a process of its own, killed at the end of the block if it has not ended."""
    log = folder / f"forward-{next(_numbers)}.log"
    command = [sys.executable, "-m", "cli", "alerts", "forward", "--dead-letters", str(folder / "dead.jsonl"), *options]
    environment = {**outside_environment(), **topics.environment, **settings, "PYTHONPATH": str(ROOT)}
    child = process.start(command, log, signal.SIGKILL, environment=environment)
    running = Running("forward", log, child)
    try:
        yield running
    except BaseException as error:
        error.add_note(running.told())
        raise
    finally:
        running.kill()
