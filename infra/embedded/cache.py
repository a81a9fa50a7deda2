"""Downloads that are whole or not there, however many processes want them and whenever one is cut off."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import Unavailable


def present(cache: Path, pattern: str) -> Path | None:
    """The newest whole download that matches, by name."""
    found = sorted(path for path in cache.glob(pattern) if path.is_dir())
    return found[-1] if found else None


def prepared(cache: Path, pattern: str, build: Callable[[Path], str]) -> Path:
    """The download that matches `pattern`; built first if it is not there.

    Args:
        cache: The folder of all downloads.
        pattern: A glob that matches the finished folder's name, and no other download's.
        build: Fills the empty folder it is given and returns the finished folder's name.

    Raises:
        Unavailable: if the build failed or the disk is full; nothing half-finished stays.
    """
    if found := present(cache, pattern):
        return found
    prefix = ".building-" + pattern.rstrip("*") + "-"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with locked(cache / f".{pattern.rstrip('*-')}.lock"):
            if found := present(cache, pattern):
                return found
            for leftover in cache.glob(prefix + "*"):
                shutil.rmtree(leftover)
            staging = Path(tempfile.mkdtemp(prefix=prefix, dir=cache))
            try:
                staging.chmod(0o755)
                finished = cache / build(staging)
                staging.rename(finished)
            except BaseException:
                shutil.rmtree(staging, ignore_errors=True)
                raise
            return finished
    except OSError as error:
        why = f"{error.strerror or error} ({error.filename or cache})"
        raise Unavailable(
            "the embedded servers' files", why, f"Make room or permission at {cache} and try again."
        ) from error


def require_room(folder: Path, needed: int) -> None:
    """See that the disk of a folder, there or not yet, has so many bytes left: apt-get, for one, hangs on a full one.

    Raises:
        Unavailable: if it has not.
    """
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        why = f"it has {free // 1_000_000} MB left, and the servers' downloads need {needed // 1_000_000}"
        way_out = "Make room there, or set FLEETTWIN_STACK__HOME to a folder on another disk."
        raise Unavailable(f"the disk of {there}", why, way_out)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file while the block runs, waiting for whoever has it; a dead process has let go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
