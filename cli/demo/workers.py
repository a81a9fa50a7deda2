"""The demo's processes: twin, store and simulator, started again if they fail, gone when the demo is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded import process
from models.errors import Unavailable

MOST_RESTARTS = 5
STOP_STEPS: process.EndSteps = ((signal.SIGTERM, 30.0), (signal.SIGKILL, 5.0))


@dataclass
class Worker:
    """One `fleettwin` command as a child process."""

    name: str
    arguments: tuple[str, ...]
    log: Path
    environment: Mapping[str, str]
    restarts: int = 0
    child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its log of last time stays beside it."""
        command = [sys.executable, "-m", "cli", *self.arguments]
        self.child = process.start(command, self.log, signal.SIGKILL, environment=self.environment)

    def stop(self) -> None:
        """Let it finish what it holds, and wait for it."""
        if self.child is None or self.child.poll() is not None:
            return
        mark = process.mark(self.child.pid)
        if mark is not None:
            process.end(mark, STOP_STEPS)
        self.child.wait(5)

    def see_to(self) -> None:
        """Start it again if it failed.

        Raises:
            Unavailable: it keeps failing.
        """
        code = None if self.child is None else self.child.poll()
        if code is None:
            return
        if self.restarts == MOST_RESTARTS:
            why = f"it ended with {code} for the {MOST_RESTARTS + 1}th time: {process.last_lines(self.log)}"
            raise Unavailable(f"the {self.name} worker", why, f"Its log is {self.log}")
        self.restarts += 1
        self.start()


@dataclass
class Workers:
    """The three of them, as a context manager: leaving it ends them."""

    twin: Worker
    store: Worker
    simulator: Worker
    simulated: bool = field(default=False, init=False)

    def __enter__(self) -> Self:
        for worker in (self.twin, self.store, self.simulator):
            worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in (self.simulator, self.twin, self.store):
            worker.stop()

    def see_to_all(self) -> None:
        """Start again what failed; notice when the simulator has sent all.

        Raises:
            Unavailable: one keeps failing, or the simulator failed, which would begin anew if it were started again.
        """
        self.twin.see_to()
        self.store.see_to()
        code = None if self.simulator.child is None else self.simulator.child.poll()
        if code:
            raise Unavailable(
                "the simulator", process.last_lines(self.simulator.log), f"Its log is {self.simulator.log}"
            )
        self.simulated = code == 0


def new_workers(logs: Path, simulate: tuple[str, ...], servers: Mapping[str, str]) -> Workers:
    """The workers, not started; `servers` is the environment that tells them where Kafka and the database are."""
    environment = {**os.environ, **servers}

    def worker(name: str, *arguments: str) -> Worker:
        return Worker(name, arguments, logs / f"{name}.log", environment)

    return Workers(worker("twin", "twin"), worker("store", "store"), worker("simulator", "simulate", *simulate))
