"""Processes that outlive a call: tied to their parent, recognised in spite of reused ids, ended in time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

_LAUNCHER: Final = Path(__file__).with_name("launch.py")
_POLL_SECONDS: Final = 0.03

EndSteps = Sequence[tuple[signal.Signals, float]]
"""Signals to send in turn, each with the seconds to wait after it."""


class Identity(StrEnum):
    """As whom a server runs."""

    SELF = "self"
    NAMESPACE = "namespace"
    """Ourselves outside, nobody inside a user namespace."""
    NOBODY = "nobody"
    """The user nobody, where root may not make namespaces."""


class ProcessMark(BaseModel):
    """One process, told apart from a later one with the same id by the time at which it started."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int
    started_ticks: int
    """Field 22 of `/proc/PID/stat`: clock ticks after the boot."""

    @property
    def alive(self) -> bool:
        """True while this very process runs; a zombie does not."""
        return _started_ticks(self.pid) == self.started_ticks


def mark(pid: int) -> ProcessMark | None:
    """The mark of a running process, or None if it has ended."""
    ticks = _started_ticks(pid)
    return None if ticks is None else ProcessMark(pid=pid, started_ticks=ticks)


def _started_ticks(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else int(fields[19])


def unprivileged() -> Identity:
    """The identity for a server that refuses root, and users who are not in the passwd file."""
    user = os.geteuid()
    if user != 0 and _in_passwd(user):
        return Identity.SELF
    probe = subprocess.run([sys.executable, "-I", "-S", str(_LAUNCHER), "probe"], check=False, capture_output=True)
    if probe.returncode == 0:
        return Identity.NAMESPACE
    return Identity.NOBODY if user == 0 else Identity.SELF


def _in_passwd(user: int) -> bool:
    """Asked of the file itself: a server with its own C library knows no directory service."""
    try:
        lines = Path("/etc/passwd").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any(line.split(":")[2:3] == [str(user)] for line in lines)


def tied(command: Sequence[str], death_signal: signal.Signals, identity: Identity = Identity.SELF) -> list[str]:
    """The command that runs `command` as `identity` and sends it `death_signal` when the calling thread ends."""
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER)]
    return [*launcher, identity, str(os.getpid()), str(int(death_signal)), *command]


def start(
    command: Sequence[str],
    log: Path,
    death_signal: signal.Signals,
    identity: Identity = Identity.SELF,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, writing to `log`; the last run's log stays beside it as `.1`.

    The kernel ties it to the calling thread, not to the whole process: call from one that stays.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_name(log.name + ".1"))
    with log.open("wb") as output:
        return subprocess.Popen(
            tied(command, death_signal, identity),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=None if environment is None else dict(environment),
        )


def end(target: ProcessMark, steps: EndSteps) -> bool:
    """Send the signals in turn until the process is gone; False if it outlived them all."""
    for number, seconds in steps:
        if not target.alive:
            return True
        try:
            os.kill(target.pid, number)
        except ProcessLookupError:
            return True
        if await_condition(lambda: not target.alive, seconds):
            return True
    return not target.alive


def await_condition(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until the condition holds, at most so long; return whether it does."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a log in one line, to be quoted in an error."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "no log was written"
    return " / ".join(line.strip() for line in lines[-count:] if line.strip()).rstrip(".") or "its log is empty"
