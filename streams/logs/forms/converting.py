"""Converts between a log and its other forms, which the ending of a file's name tells apart."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO

import zstandard

from infra.recordlog import LogDamaged, LogHeader, LogReader, LogWriter
from infra.recordlog.opening import STANDARD_INPUT
from infra.whole_files import made_whole
from models.errors import ConfigurationError
from models.record import Record
from streams.logs.forms.decoded import decoded_lines
from streams.logs.forms.line_files import read_lines, write_decoded, write_lines
from streams.logs.sound import SoundPart

STANDARD_OUTPUT = Path("-")


class Form(Enum):
    """How records stand in a file; of those that have one, the ending of its name."""

    LOG = ""
    LINES = ".jsonl"
    PACKED_LINES = ".jsonl.zst"
    PARQUET = ".parquet"


@dataclass(slots=True)
class Converted:
    """What a conversion came to."""

    records: int = 0
    damage: LogDamaged | None = None
    """Where the log is damaged, if it was used up to there."""


def form_of(path: Path) -> Form:
    """The form of a file by its name; what goes through a pipe is lines."""
    if path == STANDARD_OUTPUT:
        return Form.LINES
    return next(
        (form for form in (Form.PACKED_LINES, Form.LINES, Form.PARQUET) if path.name.endswith(form.value)), Form.LOG
    )


def convert_log(path: Path, out: Path, *, decoded: bool = False, up_to_damage: bool = False) -> Converted:
    """Write a log in another form, or a log of another form.

    Args:
        path: A log, or another form of one; `-` is a log in standard input, or lines where `out` is a log.
        out: The file to make; `-` is standard output.
        decoded: A line for each reading instead, from which there is no way back.
        up_to_damage: Whether a damaged log is used up to there.

    Raises:
        ConfigurationError: the forms do not fit together, `out` is there already, or `path` holds something else.
        LogDamaged: the log is damaged, and is not to be used up to there.
        Unavailable: compressed lines are cut off or damaged.
    """
    source, target = form_of(path), form_of(out)
    if path == STANDARD_INPUT and target is not Form.LOG:
        source = Form.LOG
    if (source is Form.LOG) == (target is Form.LOG):
        raise ConfigurationError("--out", str(out), _expected(source))
    if decoded and target not in (Form.LINES, Form.PACKED_LINES):
        raise ConfigurationError("--decoded", str(out), "--out with .jsonl, .jsonl.zst or -")
    if target is Form.LOG:
        return _into_log(path, source, out)
    if out == STANDARD_OUTPUT:
        return _from_log(path, out, target, decoded=decoded, up_to_damage=up_to_damage)
    with made_whole(out) as beside:
        return _from_log(path, beside, target, decoded=decoded, up_to_damage=up_to_damage)


def _expected(source: Form) -> str:
    if source is Form.LOG:
        return "a file that ends in .jsonl, .jsonl.zst or .parquet, or - for lines"
    return "a log, whose name has another ending: either side must be one"


def _from_log(path: Path, out: Path, target: Form, *, decoded: bool, up_to_damage: bool) -> Converted:
    with LogReader(path) as log:
        source = SoundPart(log, up_to_damage=up_to_damage)
        count = _written(out, target, log.header, source.records(), decoded=decoded)
        return Converted(count, source.damage)


def _written(out: Path, target: Form, header: LogHeader, records: Iterator[Record], *, decoded: bool) -> int:
    if target is Form.PARQUET:
        from streams.logs.forms.parquet import write_parquet  # noqa: PLC0415  # slow to import

        return write_parquet(out, header, records)
    with _lines_out(out, target) as file:
        return write_decoded(file, header, records, decoded_lines) if decoded else write_lines(file, header, records)


@contextmanager
def _lines_out(out: Path, target: Form) -> Iterator[IO[bytes]]:
    if out == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        return
    with out.open("xb") as file:
        if target is Form.LINES:
            yield file
            return
        compressor = zstandard.ZstdCompressor(write_checksum=True)
        with compressor.stream_writer(file, closefd=False) as packed:
            yield packed


def _into_log(path: Path, source: Form, out: Path) -> Converted:
    with _opened(path, source) as (header, records), made_whole(out) as beside, LogWriter(beside, header) as writer:
        for record in records:
            writer.append(record)
    return Converted(writer.records)


@contextmanager
def _opened(path: Path, source: Form) -> Iterator[tuple[LogHeader, Iterator[Record]]]:
    if source is Form.PARQUET:
        from streams.logs.forms.parquet import read_parquet  # noqa: PLC0415  # slow to import

        yield read_parquet(path)
    elif path == STANDARD_INPUT:
        yield read_lines(sys.stdin.buffer, "standard input")
    else:
        try:
            file = path.open("rb")
        except OSError as error:
            raise ConfigurationError("the file", str(path), f"one that can be read ({error.strerror})") from None
        with file:
            yield read_lines(file if source is Form.LINES else _unpacked(file), str(path))


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    # Not zstandard, which takes what is cut off for whole.
    import pyarrow as pa  # noqa: PLC0415  # slow to import

    unpacked: IO[bytes] = io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd"), 1024 * 1024)
    return unpacked
