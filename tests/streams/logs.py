"""Logs as tests need them: of the records given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.recordlog import LogHeader, LogWriter
from models.record import Record


def write_log(path: Path, records: Iterable[Record], partitions: Mapping[str, int] | None = None) -> Path:
    """Write them, and give the path."""
    with LogWriter(path, LogHeader(created_by="test", partitions=partitions or {})) as log:
        for record in records:
            log.append(record)
    return path
