"""Starting both servers at once, telling when they answer, and ending them."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Final, Protocol

from infra.embedded import process
from models.errors import Unavailable

_PATIENCE_SECONDS: Final = 60.0
"""Ten times what a start takes on two busy cores."""


class Server(Protocol):
    """What a server of the stack can do."""

    @property
    def title(self) -> str:
        """Its name for people."""

    @property
    def end_steps(self) -> process.EndSteps:
        """How it is asked to end, ever less kindly."""

    @property
    def log(self) -> Path:
        """Where its words go."""

    def prepare(self) -> None:
        """Make its data folder, if it has none."""

    def end_leftover(self) -> None:
        """End what an earlier run may have left behind."""

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, tied to this thread."""

    def answers(self) -> bool:
        """True once it answers a request."""

    def settle(self) -> None:
        """Do what is left to do on a server that answers for the first time."""


class RunningServers:
    """The servers that this process has started.

    Args:
        servers: The servers, none of which runs.
        started: Told of each server right after its start.
    """

    def __init__(self, servers: tuple[Server, ...], started: Callable[[Server, process.ProcessMark], None]) -> None:
        self._servers, self._started = servers, started
        self._processes: dict[Server, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Prepare and start all of them at the same time and wait until they answer.

        The calling thread must stay as long as the servers shall.

        Raises:
            Unavailable: if one stopped or did not answer, quoting its log; then all of them have been ended.
        """
        with ThreadPoolExecutor(2 * len(self._servers)) as pool:
            try:
                self._start(pool)
            except BaseException:
                self.end()
                raise

    def _start(self, pool: ThreadPoolExecutor) -> None:
        preparing: dict[Future[None], Server] = {pool.submit(_prepare, server): server for server in self._servers}
        waiting = []
        for prepared in as_completed(preparing):
            prepared.result()
            server = preparing[prepared]
            self._processes[server] = child = server.start()
            if known := process.mark(child.pid):
                self._started(server, known)
            waiting.append(pool.submit(_await_answer, server, child))
        for answered in as_completed(waiting):
            answered.result()

    def wait_for_failure(self, seconds: float | None = None) -> str | None:
        """Wait until a server ends by itself, at most so long.

        Returns:
            What happened, or None if all still run.
        """
        watched = {os.pidfd_open(child.pid): server for server, child in self._processes.items()}
        try:
            ended, _, _ = select.select(list(watched), [], [], seconds)
            if not ended:
                return None
            server = watched[ended[0]]
            return f"{server.title} ended: {process.last_lines(server.log)}"
        finally:
            for descriptor in watched:
                os.close(descriptor)

    def end(self) -> None:
        """End all of them, kindly at first and surely at last."""
        for server, child in self._processes.items():
            if child.poll() is None:
                child.send_signal(server.end_steps[0][0])
        for server, child in self._processes.items():
            _end(server, child)
        self._processes.clear()


def _prepare(server: Server) -> None:
    server.end_leftover()
    server.prepare()


def _await_answer(server: Server, child: subprocess.Popen[bytes]) -> None:
    if not process.await_condition(lambda: child.poll() is not None or server.answers(), _PATIENCE_SECONDS):
        why = f"no answer within {_PATIENCE_SECONDS:.0f} s: {process.last_lines(server.log)}"
        raise Unavailable(server.title, why, f"The whole log is {server.log}.")
    if child.poll() is not None:
        why = f"it ended with {child.returncode} while starting: {process.last_lines(server.log)}"
        raise Unavailable(server.title, why, f"The whole log is {server.log}.")
    server.settle()


def _end(server: Server, child: subprocess.Popen[bytes]) -> None:
    first = True
    for number, seconds in server.end_steps:
        if not first:
            _signal_group(child, number)
        first = False
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return
    child.wait(_PATIENCE_SECONDS)


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """The whole session of a server that did not end when asked; its workers could outlive it."""
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        child.poll()
