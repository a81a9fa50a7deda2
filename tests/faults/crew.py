"""The processes of a twin under a supervisor: whoever ends is started again at once, as systemd or Kubernetes would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.embedded import process
from tests.live.world import ROOT

LOOK_AGAIN_SECONDS = 0.1
STOP_SECONDS = 120.0


@dataclass
class Member:
    """One role, and the process that has it now."""

    name: str
    line: Callable[[int], Sequence[str]]
    """The command, by how often it was started before."""
    environment: Mapping[str, str]
    folder: Path
    wanted: bool = True
    """Whether it is started again when it ends."""
    starts: int = 0
    child: subprocess.Popen[bytes] | None = None
    ends: Counter[int] = field(default_factory=Counter)
    """How often it ended with which code; -9 was killed."""

    @property
    def runs(self) -> bool:
        return self.child is not None and self.child.poll() is None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}-{self.starts}.log"

    def tend(self) -> None:
        """Start it, if it should run and does not."""
        if self.runs or not self.wanted:
            return
        if self.child is not None:
            self.ends[self.child.returncode] += 1
        self.starts += 1
        environment = {**self.environment, "PYTHONPATH": str(ROOT)}
        self.child = process.start(self.line(self.starts), self.log, signal.SIGKILL, environment=environment)

    def signal(self, number: signal.Signals) -> None:
        if self.child is not None and self.child.poll() is None:
            os.kill(self.child.pid, number)

    def kill(self) -> None:
        """End it at once."""
        if self.child is not None:
            self.signal(signal.SIGKILL)
            self.child.wait()

    def stop(self) -> int:
        """End it for good, kindly; gives its exit code."""
        self.wanted = False
        assert self.child is not None
        self.signal(signal.SIGTERM)
        return self.child.wait(STOP_SECONDS)


@dataclass
class Crew:
    """All of them."""

    members: dict[str, Member] = field(default_factory=dict)

    def hire(
        self, name: str, line: Callable[[int], Sequence[str]], environment: Mapping[str, str], folder: Path
    ) -> Member:
        """One more; it starts at once."""
        member = self.members[name] = Member(name, line, environment, folder)
        member.tend()
        return member

    def tend(self) -> None:
        """Start whoever has ended."""
        for member in self.members.values():
            member.tend()

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float) -> float:
        """Wait for a condition and tend to everybody meanwhile; gives the seconds that it took."""
        began = time.monotonic()
        while not holds():
            self.tend()
            if time.monotonic() - began > seconds:
                raise AssertionError(f"{seconds:.0f} s passed, and not yet: {what}\n{self.told()}")
            time.sleep(LOOK_AGAIN_SECONDS)
        return time.monotonic() - began

    def told(self) -> str:
        """The end of what each of them wrote."""
        return "\n".join(
            f"--- {member.name}, ended {dict(member.ends)}: {process.last_lines(member.log)}"
            for member in self.members.values()
        )


def worker(command: str) -> Callable[[int], Sequence[str]]:
    """The command line of a worker of ours."""
    return lambda _: (sys.executable, "-m", "cli", command)


@contextmanager
def crew() -> Iterator[Crew]:
    """A crew that is gone when the block ends."""
    hired = Crew()
    try:
        yield hired
    finally:
        for member in hired.members.values():
            member.wanted = False
            member.signal(signal.SIGCONT)
            member.kill()
