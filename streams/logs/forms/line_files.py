"""Logs as JSON Lines: the log's header in the first line, then a record a line, compressed with zstd if wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

from infra.recordlog import LogHeader
from models.errors import ConfigurationError, Unavailable
from models.record import Record
from streams.logs.forms.lines import line_of, record_of

MOST_LINE_BYTES = 512 * 1024 * 1024
"""What is longer is no line of a log: the largest record, as base64, fits in."""

_EXPECTED_HEADER = 'the log\'s header, {"log": {"created_by": ...}}'


class _First(BaseModel):
    """The first line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    log: LogHeader


def write_lines(file: IO[bytes], header: LogHeader, records: Iterable[Record]) -> int:
    """Write a log's lines, and count its records."""
    file.write(b'{"log":' + header.model_dump_json().encode() + b"}\n")
    count = 0
    for record in records:
        file.write(line_of(record))
        count += 1
    return count


def write_decoded(
    file: IO[bytes], header: LogHeader, records: Iterable[Record], lines: Callable[[Record], Iterable[bytes]]
) -> int:
    """Write lines of another kind for each record; that they are no log stands in the first."""
    file.write(b'{"decoded_log":' + header.model_dump_json().encode() + b"}\n")
    count = 0
    for record in records:
        file.writelines(lines(record))
        count += 1
    return count


def read_lines(file: IO[bytes], name: str) -> tuple[LogHeader, Iterator[Record]]:
    """The header and the records of a log's lines; `name` is what the file is called in what is told.

    Raises:
        ConfigurationError: a line is none of a log; with its number.
        Unavailable: the file cannot be read on, such as where what is compressed was cut off.
    """
    lines = _lines(file, name)
    first = next(lines, b"")
    if first.startswith(b'{"decoded_log"'):
        raise ConfigurationError(f"{name}: line 1", "decoded_log", "a log; there is no way back from decoded lines")
    try:
        header = _First.model_validate_json(first).log
    except ValidationError:
        raise ConfigurationError(f"{name}: line 1", _shown(first), _EXPECTED_HEADER) from None
    return header, _records(lines, name)


def _records(lines: Iterator[bytes], name: str) -> Iterator[Record]:
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        try:
            yield record_of(line)
        except ValueError as error:
            raise ConfigurationError(f"{name}: line {number}", _shown(line), f"a record ({error})") from None


def _lines(file: IO[bytes], name: str) -> Iterator[bytes]:
    number = 0
    while line := _line(file, name):
        number += 1
        if len(line) == MOST_LINE_BYTES:
            raise ConfigurationError(f"{name}: line {number}", _shown(line), f"at most {MOST_LINE_BYTES} bytes")
        yield line


def _line(file: IO[bytes], name: str) -> bytes:
    try:
        return file.readline(MOST_LINE_BYTES)
    except OSError as error:
        raise Unavailable(name, f"it cannot be read on ({error})", "See that all of it was copied") from None


def _shown(line: bytes) -> str:
    return line[:80].decode(errors="backslashreplace").rstrip("\n")
