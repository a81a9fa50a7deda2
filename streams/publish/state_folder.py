"""The folder in which a publisher remembers what must survive it: its boots, and what Kafka has not got yet."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from models.errors import ConfigurationError
from streams.publish.sequences import Sequence, boot_after

OPTION = "--state-dir"


@dataclass(frozen=True, slots=True)
class StateFolder:
    """One publisher's own, for as long as it runs."""

    path: Path
    sequence: Sequence

    @property
    def spool(self) -> Path:
        """The file of the spool."""
        return self.path / "spool.db"


@contextmanager
def opened_state(path: Path) -> Iterator[StateFolder]:
    """Take the folder, which is made where it is missing, and begin a new boot.

    Raises:
        ConfigurationError: it cannot be written, or another publisher has it: both would number alike.
    """
    with ExitStack() as taken:
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = taken.enter_context((path / "lock").open("a+", encoding="ascii"))
            _take(lock, path)
            state = StateFolder(path, Sequence(_next_boot(path / "boot")))
        except OSError as error:
            raise ConfigurationError(OPTION, str(path), f"a folder that can be written ({error.strerror})") from None
        yield state


def _take(lock: TextIO, path: Path) -> None:
    """Lock it, and write down who has; it is free again when the process has ended, however that was."""
    lock.seek(0)
    holder = lock.read()
    try:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        expected = f"a folder of its own; process {holder} uses this one"
        raise ConfigurationError(OPTION, str(path), expected) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()


def _next_boot(file: Path) -> int:
    """One more than the last, on disk before it is used."""
    boot = boot_after(_stored(file), time.time())
    fresh = file.with_name("boot.new")
    with fresh.open("w", encoding="ascii") as written:
        written.write(f"{boot}\n")
        written.flush()
        os.fsync(written.fileno())
    fresh.replace(file)
    return boot


def _stored(file: Path) -> int | None:
    """None where there is none, or what is there is none: the time since 1970 is enough then."""
    try:
        return int(file.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
