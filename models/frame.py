"""Frames: many readings of one site in one record, as an Arrow IPC stream with one or more record batches.

The schema's metadata names the site. `node`, `type`, `at`, `sequence`, `installed` and `in_service` must be there;
the rest may be missing or null, which means not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from models.errors import RecordRefused
from models.reading import STATE_NAMES
from models.unpacked import unpacked_bytes

MOST_BYTES = 4 * 1024 * 1024
MOST_ROWS = 65_536
MOST_UNPACKED_BYTES = 64 * 1024 * 1024
"""Of a frame whose buffers are compressed, or of a column that takes less room on the wire than here."""
SITE = b"site"

_WORD = pa.dictionary(pa.int16(), pa.string())

REQUIRED: Mapping[str, pa.DataType] = {
    "node": pa.string(),
    "type": _WORD,
    "at": pa.timestamp("ms", tz="UTC"),
    "sequence": pa.int64(),
    "installed": pa.int16(),
    "in_service": pa.int16(),
}
OPTIONAL: Mapping[str, pa.DataType] = {
    "rack": _WORD,
    "allocated": pa.int16(),
    "power_watts": pa.float32(),
    "power_method": _WORD,
    "utilization": pa.float32(),
    "sm_active": pa.float32(),
    "memory_used_bytes": pa.int64(),
    "temperature_celsius": pa.float32(),
    "state": _WORD,
    "accelerator_power_watts": pa.list_(pa.float32()),
    "accelerator_utilization": pa.list_(pa.float32()),
    "accelerator_sm_active": pa.list_(pa.float32()),
    "accelerator_memory_used_bytes": pa.list_(pa.int64()),
    "accelerator_temperature_celsius": pa.list_(pa.float32()),
}
COLUMNS: Mapping[str, pa.DataType] = {**REQUIRED, **OPTIONAL}

PLAINLY = pa.ipc.IpcWriteOptions(use_threads=False)
"""Not compressed: the producer compresses what goes to Kafka, once for all records of a batch.

Handing a few kilobytes to a pool of threads costs more than twice what writing them does.
"""

ONE_THREAD = pa.ipc.IpcReadOptions(use_threads=False)
"""The same for reading what others have compressed, where it costs ten times as much."""


def encode_frame(site: str, columns: Mapping[str, Any]) -> bytes:
    """Write a frame from arrays by column name; lists and NumPy arrays are taken as their column's type."""
    arrays = [_array(columns[name], kind) for name, kind in COLUMNS.items() if name in columns]
    schema = pa.schema([(name, kind) for name, kind in COLUMNS.items() if name in columns], {SITE: site.encode()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=PLAINLY) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return bytes(sink.getvalue())


def states_column(codes: Any) -> pa.DictionaryArray:
    """The `state` column from `StateCode` values."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int16()), pa.array(STATE_NAMES))


def read_frame(value: bytes) -> tuple[str, pa.RecordBatch]:
    """The site and the rows of a frame, with the columns present, each of its own type.

    Raises:
        RecordRefused: `oversized`, `undecodable`, or `schema` (a column missing, unknown or of a wrong type).
    """
    if len(value) > MOST_BYTES:
        raise RecordRefused("oversized", f"{len(value)} bytes; a frame holds at most {MOST_BYTES}")
    try:
        _check_size("the frame unpacked", unpacked_bytes(value))
        with pa.ipc.open_stream(pa.py_buffer(value), options=ONE_THREAD) as reader:
            metadata = reader.schema.metadata or {}
            batches, rows = [], 0
            for batch in reader:
                rows += batch.num_rows
                if rows > MOST_ROWS:
                    raise RecordRefused("oversized", f"more than {MOST_ROWS} rows")
                batches.append(sound(batch))
            whole = _joined(batches)
    except (pa.ArrowException, OSError, ValueError, KeyError, NotImplementedError) as error:
        raise RecordRefused("undecodable", f"Arrow IPC stream: {_first_line(error)}") from None
    if SITE not in metadata:
        raise RecordRefused("schema", "the schema's metadata has no `site`")
    try:
        site = metadata[SITE].decode()
    except UnicodeDecodeError:
        raise RecordRefused("schema", "the site's name is not UTF-8") from None
    if whole is None:
        raise RecordRefused("empty", "the frame has no record batch")
    return site, _conformed(whole)


def sound(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch, once all of it is known to make sense; one without rows is made anew.

    Of one without rows Arrow validates no list's beginning, and ends the process when it slices there.

    Raises:
        ArrowException: it makes none.
    """
    if batch.num_rows:
        batch.validate(full=True)
        return batch
    return pa.RecordBatch.from_arrays([pa.array([], kind) for kind in batch.schema.types], schema=batch.schema)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch | None:
    """All rows in one batch; none where there is no batch."""
    if len(batches) < 2:
        return batches[0] if batches else None
    joined = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return joined[0] if joined else batches[0]


def _conformed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with every column of the type that `COLUMNS` says."""
    try:
        names = batch.schema.names
    except UnicodeDecodeError:
        raise RecordRefused("schema", "a column's name is not UTF-8") from None
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise RecordRefused("schema", f"column {missing[0]!r} is missing")
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or len(set(names)) < len(names):
        raise RecordRefused("schema", f"column {(unknown or names)[0]!r} is unknown or there twice")
    if all(kind == COLUMNS[name] for name, kind in zip(names, batch.schema.types, strict=True)):
        return batch
    try:
        arrays = [_cast(batch.column(name), COLUMNS[name]) for name in names]
    except (pa.ArrowException, ValueError, KeyError, NotImplementedError) as error:
        raise RecordRefused("schema", _first_line(error)) from None
    return pa.RecordBatch.from_arrays(arrays, names=names)


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type == kind:
        return array
    if pa.types.is_dictionary(array.type):
        array = _written_out(array)
    if pa.types.is_dictionary(kind):
        if not _is_text(array.type) and not _is_simple(array.type):
            raise RecordRefused("schema", f"a column of {array.type} where words are expected")
        encoded = array.cast(pa.string()).dictionary_encode()
        return pa.DictionaryArray.from_arrays(encoded.indices.cast(pa.int16()), encoded.dictionary)
    if pa.types.is_string(kind) and not _is_text(array.type):
        raise RecordRefused("schema", f"a column of {array.type} where text is expected")
    if pa.types.is_list(kind):
        _check_list(array)
    return array.cast(kind)


def _written_out(array: pa.DictionaryArray) -> pa.Array:
    """The values that a dictionary's indices stand for: a long one may be said for every row."""
    if _is_text(array.type.value_type):
        longest = pc.max(pc.binary_length(array.dictionary)).as_py() or 0
        _check_size(f"a column of {array.type} written out", len(array) * longest)
    elif not _is_simple(array.type.value_type):
        raise RecordRefused("schema", f"a column of {array.type}")
    return array.dictionary_decode()


def _check_list(array: pa.Array) -> None:
    """See that a list column has no more values than fit: those of some types take no room at all on the wire."""
    kind = array.type
    if pa.types.is_null(kind):
        return
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not lists or not _is_simple(kind.value_type):
        raise RecordRefused("schema", f"a column of {kind} where lists of numbers are expected")
    _check_size(f"a column of {kind} written out", len(array.values) * pa.int64().byte_width)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_simple(kind: pa.DataType) -> bool:
    """Whether a value has a fixed size: numbers, times, and nothing at all."""
    return bool(pa.types.is_primitive(kind) or pa.types.is_null(kind))


def _check_size(what: str, size: int) -> None:
    if size > MOST_UNPACKED_BYTES:
        raise RecordRefused("oversized", f"{what}: {size} bytes; at most {MOST_UNPACKED_BYTES} are taken")


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return _cast(values, kind)
    if pa.types.is_dictionary(kind):
        return _cast(pa.array(values, pa.string()), kind)
    return pa.array(values, kind)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
