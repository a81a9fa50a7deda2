"""Writing the log of any trace: whole under its name, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.recordlog import LogHeader, LogWriter
from infra.whole_files import made_whole
from models.errors import ConfigurationError
from streams.traces.trace import Beside, Conversion

_WRITTEN = "the file to write"
"""What messages call it."""


@dataclass(frozen=True, slots=True)
class Written:
    """What stands there now."""

    records: int
    bytes: int
    beside: dict[str, Path]
    """The files beside the log, by the setting that names each."""


def write_log(trace: str, conversion: Conversion, out: Path, created_by: str) -> Written:
    """Write a log and the files beside it.

    The log grows in a hidden folder beside its place and is moved there in the end. Whatever goes wrong before, Ctrl-C
    included, leaves nothing behind.

    Raises:
        ConfigurationError: one of the files is there already, or cannot be made.
    """
    beside = {file.path or out.with_name(f"{out.name}{file.ending}"): file for file in conversion.beside}
    for path in (out, *beside):
        if path.exists():
            raise ConfigurationError(_WRITTEN, str(path), "a file that is not there yet")
    about = {"trace": trace, **conversion.header, **asdict(conversion.rules)}
    header = LogHeader(created_by=created_by, rules=about)
    with _told_of(out), ExitStack() as placed, made_whole(out, _WRITTEN, "one") as draft:
        with LogWriter(draft, header) as log:
            for record in conversion.records:
                log.append(record)
        size = draft.stat().st_size
        placed.enter_context(_placed(beside))
    return Written(log.records, size, {file.setting: path for path, file in beside.items()})


@contextmanager
def _placed(beside: dict[Path, Beside]) -> Iterator[None]:
    """The files stand in their places, unless what is done meanwhile fails."""
    placed: list[Path] = []
    try:
        for path, file in beside.items():
            with _told_of(path), path.open("x", encoding="utf-8") as text:
                placed.append(path)
                text.write(file.text)
        yield
    except BaseException:
        for path in placed:
            path.unlink(missing_ok=True)
        raise


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(_WRITTEN, str(path), f"one that can be made ({error.strerror})") from None
