"""Logs as Parquet, a row a record, for tools that read columns; the log's header stands in the file's metadata."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate, islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from infra.recordlog import LogHeader
from models.errors import ConfigurationError
from models.record import Record
from streams.logs.forms.lines import MOST_HEADERS, MOST_NAME_BYTES

HEADER = b"fleettwin_log"
"""The key in the file's metadata under which the log's header stands, as JSON."""

GROUP_ROWS = 65_536
GROUP_BYTES = 16 * 1024 * 1024
"""Of keys and values. A group of rows is written once it has so many of either, and is in memory while it is read."""
BATCH_ROWS = 4096

_MOMENT = pa.timestamp("ms", tz="UTC")
_HEADER = [pa.field("name", pa.string(), nullable=False), pa.field("value", pa.binary(), nullable=False)]
_HEADERS = pa.list_(pa.struct(_HEADER))
COLUMNS = pa.schema(
    [
        pa.field("topic", pa.string(), nullable=False),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("timestamp", _MOMENT, nullable=False),
        pa.field("sent_at", _MOMENT, nullable=False),
        pa.field("key", pa.binary()),
        pa.field("value", pa.binary()),
        pa.field("headers", _HEADERS, nullable=False),
    ]
)
"""`sent_at` follows from the rest and is passed over on the way back."""

_READ = [name for name in COLUMNS.names if name != "sent_at"]


def write_parquet(path: Path, header: LogHeader, records: Iterable[Record]) -> int:
    """Write a log's records, and count them."""
    schema = COLUMNS.with_metadata({HEADER: header.model_dump_json().encode()})
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(records):
            writer.write_batch(_batch(group, schema), row_group_size=GROUP_ROWS)
            count += len(group)
    return count


def read_parquet(path: Path) -> tuple[LogHeader, Iterator[Record]]:
    """The header and the records of a log that was written as Parquet.

    Raises:
        ConfigurationError: it cannot be read, or is not of a log.
    """
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise ConfigurationError("the file", str(path), f"Parquet ({_first_line(error)})") from None
    found = file.schema_arrow
    for name in _READ:
        if name not in found.names:
            raise ConfigurationError(str(path), ", ".join(found.names), f"a column {name}")
    try:
        header = LogHeader.model_validate_json((found.metadata or {}).get(HEADER, b""))
    except ValidationError:
        expected = f"a log's header under {HEADER.decode()} in the file's metadata"
        raise ConfigurationError(str(path), "another Parquet file", expected) from None
    return header, _records(file, path)


def _groups(records: Iterable[Record]) -> Iterator[list[Record]]:
    group, size = list[Record](), 0
    for record in records:
        group.append(record)
        size += len(record.key or b"") + len(record.value or b"") + sum(len(value) for _, value in record.headers)
        if len(group) >= GROUP_ROWS or size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _batch(records: list[Record], schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        [record.topic for record in records],
        [record.partition for record in records],
        [record.offset for record in records],
        [record.timestamp for record in records],
        [record.sent_at for record in records],
        [record.key for record in records],
        [record.value for record in records],
    ]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types[:-1], strict=True)]
    return pa.RecordBatch.from_arrays([*arrays, _headers(records)], schema=schema)


def _headers(records: list[Record]) -> pa.ListArray:
    # Column by column: an object for each header would take ten times as long.
    flat = [header for record in records for header in record.headers]
    ends = pa.array(accumulate((len(record.headers) for record in records), initial=0), pa.int32())
    names, values = (
        pa.array([name for name, _ in flat], pa.string()),
        pa.array([value for _, value in flat], pa.binary()),
    )
    return pa.ListArray.from_arrays(ends, pa.StructArray.from_arrays([names, values], fields=_HEADER), type=_HEADERS)


def _records(file: pq.ParquetFile, path: Path) -> Iterator[Record]:
    with file:
        try:
            for batch in file.iter_batches(BATCH_ROWS, columns=_READ):
                yield from _of_batch(batch)
        except (pa.ArrowException, OSError, KeyError, TypeError, UnicodeDecodeError) as error:
            raise ConfigurationError(str(path), _first_line(error), "the columns of a log") from None


def _of_batch(batch: pa.RecordBatch) -> Iterator[Record]:
    columns = {name: _typed(batch.column(name), COLUMNS.field(name)) for name in _READ}
    headers = columns.pop("headers")
    # Times as numbers: not every instant of 64 bits is a time that Python knows.
    columns["timestamp"] = columns["timestamp"].cast(pa.int64())
    pairs = zip(*(part.to_pylist() for part in headers.flatten().flatten()), strict=True)
    rows = zip(*(column.to_pylist() for column in columns.values()), headers.value_lengths().to_pylist(), strict=True)
    for topic, partition, offset, timestamp, key, value, count in rows:
        if len(topic.encode()) > MOST_NAME_BYTES or count > MOST_HEADERS:
            raise TypeError(f"a topic's name of {len(topic)} characters, or {count} headers")
        yield Record(topic, partition, offset, timestamp, key, value, tuple(islice(pairs, count)))


def _typed(array: pa.Array, field: pa.Field) -> pa.Array:
    """The column, of its type here even if a tool has written it in another one."""
    if not field.nullable and array.null_count:
        raise TypeError(f"{field.name} is null in a row")
    return array if array.type == field.type else array.cast(field.type)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
