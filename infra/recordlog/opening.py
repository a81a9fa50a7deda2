"""Opens a log and reads what stands before its first record."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from infra.recordlog.block import MAGIC, PREAMBLE, VERSIONS, Kind
from infra.recordlog.cursor import Cursor
from infra.recordlog.header import LogHeader
from models.errors import ConfigurationError

STANDARD_INPUT = Path("-")


def opened(path: Path) -> BinaryIO:
    """The file, or standard input for `-`.

    Raises:
        ConfigurationError: it cannot be read.
    """
    if path == STANDARD_INPUT:
        return sys.stdin.buffer
    try:
        return path.open("rb")
    except OSError as error:
        raise ConfigurationError("the log", str(path), f"a file that can be read ({error.strerror})") from None


def read_beginning(path: Path, file: BinaryIO) -> tuple[LogHeader, Cursor]:
    """What the log says of itself, and a cursor at its first block of records.

    Raises:
        ConfigurationError: this is no log, or one of another version.
        LogDamaged: its header cannot be read.
    """
    preamble = file.read(PREAMBLE.size)
    if len(preamble) < PREAMBLE.size or not preamble.startswith(MAGIC):
        raise ConfigurationError("the log", str(path), "a record log; this is another kind of file")
    version = PREAMBLE.unpack(preamble)[1]
    if version not in VERSIONS:
        known = " or ".join(map(str, VERSIONS))
        raise ConfigurationError("the log's version", version, f"{known}, which this fleettwin reads")
    cursor = Cursor(path, file, version, PREAMBLE.size, 0)
    block = cursor.next()
    if block is None:
        raise cursor.damaged("the log's header is missing")
    if block.kind is not Kind.HEADER:
        raise cursor.last_damaged("the log's header is missing")
    try:
        return LogHeader.model_validate_json(block.raw), cursor
    except ValidationError as invalid:
        raise cursor.last_damaged(f"the log's header: {invalid.errors()[0]['msg']}") from None
