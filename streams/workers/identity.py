"""What a worker is called: the same as long as its process lives, and like no other."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from infra.embedded.process import ProcessMark, mark

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PROCESSES = Path("/proc/self/ns/pid")


def worker_name(app: str) -> str:
    """Application, host and process."""
    return f"{app}@{socket.gethostname()}/{os.getpid()}"


def client_name(app: str) -> str:
    """What the worker calls itself towards Kafka: its name, and what a successor needs to see that it has ended."""
    own = mark(os.getpid())
    return worker_name(app) if own is None else f"{worker_name(app)} {_system()} {own.started_ticks}"


def has_ended(client: str) -> bool:
    """Whether a client of this name was a worker of this user in this system, and lives no more; if in doubt, not."""
    worker, *rest = client.split(" ")
    pid = worker.rpartition("/")[2]
    if len(rest) != 2 or rest[0] != _system() or not (pid.isdecimal() and rest[1].isdecimal()):
        return False
    return not ProcessMark(pid=int(pid), started_ticks=int(rest[1])).alive


def _system() -> str:
    """Boot, process namespace and user: within them no two processes have the same id, and each is seen by all."""
    try:
        return f"{_BOOT.read_text(encoding='ascii').strip()}.{_PROCESSES.stat().st_ino}.{os.getuid()}"
    except OSError:
        return "unknown"
