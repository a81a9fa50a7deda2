"""Files that stand under their name only once they are whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import ConfigurationError


@contextmanager
def made_whole(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; it becomes `target` at the end, and is gone if the end is not reached.

    Raises:
        ConfigurationError: `target` is there already, before or after, or no file can be made beside it.
    """
    if target.exists():
        raise _taken(target)
    try:
        folder = tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise ConfigurationError("--out", str(target), f"a file that can be made ({error.strerror})") from None
    with folder as beside:
        part = Path(beside) / target.name
        yield part
        _move(part, target)


def _move(part: Path, target: Path) -> None:
    try:
        os.link(part, target)  # unlike a rename it replaces nothing
    except FileExistsError:
        raise _taken(target) from None
    except OSError:  # a file system without links
        if target.exists():
            raise _taken(target) from None
        part.rename(target)


def _taken(target: Path) -> ConfigurationError:
    return ConfigurationError("--out", str(target), "a file that is not there yet")
