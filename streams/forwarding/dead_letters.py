"""What a receiver refuses for good is written down, so that nothing vanishes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson

from models.errors import ConfigurationError, Unavailable


class DeadLetters:
    """A file of JSON lines, each safely on the disk before `add` returns.

    Raises:
        ConfigurationError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError("--dead-letters", str(path), f"a file to append to: {error.strerror}") from None

    def add(self, **values: Any) -> None:
        """Append a line.

        Raises:
            Unavailable: it could not be stored.
        """
        line = orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)
        try:
            if _broken_off(self._file):
                line = b"\n" + line
            left = memoryview(line)
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
        except OSError as error:
            raise Unavailable(str(self.path), str(error.strerror), "Make room; what was refused comes again") from None

    def __enter__(self) -> DeadLetters:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


def _broken_off(file: int) -> bool:
    """Whether the last line has no end: whoever wrote it died at that."""
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"
