"""Files that stand under their name only once they are whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import ConfigurationError


@contextmanager
def made_whole(target: Path, setting: str = "--out", what: str = "a file") -> Iterator[Path]:
    """A path beside `target` to write to; it becomes `target` at the end, and is gone if the end is not reached.

    Args:
        target: Where the file is to stand.
        setting: What names it, for messages.
        what: How they call what is expected there.

    Raises:
        ConfigurationError: `target` is there already, before or after, or no file can be made beside it.
    """
    if target.exists():
        raise _taken(target, setting)
    try:
        folder = tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise ConfigurationError(setting, str(target), f"{what} that can be made ({error.strerror})") from None
    with folder as beside:
        part = Path(beside) / target.name
        yield part
        _move(part, target, setting)


def _move(part: Path, target: Path, setting: str) -> None:
    try:
        os.link(part, target)  # unlike a rename it replaces nothing
    except FileExistsError:
        raise _taken(target, setting) from None
    except OSError:  # a file system without links
        if target.exists():
            raise _taken(target, setting) from None
        part.rename(target)


def _taken(target: Path, setting: str) -> ConfigurationError:
    return ConfigurationError(setting, str(target), "a file that is not there yet")
