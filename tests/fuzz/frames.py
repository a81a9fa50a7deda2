"""Changes to Arrow IPC streams: the stream is read, one thing of it is changed, and it is written again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa

from models.frame import sound
from models.unpacked import unpacked_bytes
from tests.builders import T0
from tests.fuzz.hostile import FLOATS, NAMES, NUMBERS

_MOST_BYTES = 2 * 1024 * 1024
_MOST_VALUES = 20_000
"""Larger frames are left to seeds: most of what can be wrong is wrong in small ones, and they must not burst us."""

_TEXTS = (pa.string(), pa.large_string(), pa.binary(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()))
_WHOLE = (pa.int8(), pa.uint8(), pa.int16(), pa.int32(), pa.int64(), pa.uint64(), pa.bool_(), pa.date64())
_BROKEN = (pa.float16(), pa.float32(), pa.float64(), pa.decimal128(38, 9))
_TIMES = tuple(pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Asia/Tokyo"))
_NESTED = (
    pa.null(),
    pa.list_(pa.null()),
    pa.list_(pa.float64()),
    pa.large_list(pa.int8()),
    pa.list_(pa.string()),
    pa.list_(pa.float32(), 8),
    pa.list_(pa.null(), 4096),
    pa.list_view(pa.float32()),
    pa.struct([("a", pa.int8())]),
    pa.dictionary(pa.uint16(), pa.float64()),
    pa.run_end_encoded(pa.int32(), pa.float32()),
    pa.map_(pa.string(), pa.int8()),
)
_KINDS = (*_TEXTS, *_WHOLE, *_BROKEN, *_TIMES, *_NESTED)


def changed_frame(value: bytes, random: Random) -> bytes | None:
    """The stream with one thing changed; nothing where it cannot be read or written, or makes no sense as it is."""
    try:
        if unpacked_bytes(value) > _MOST_BYTES:
            return None
        with pa.ipc.open_stream(value) as reader:
            schema, batches = reader.schema, [sound(batch) for _, batch in zip(range(4), reader, strict=False)]
        if not batches or sum(_values(column) for batch in batches for column in batch.columns) > _MOST_VALUES:
            return None
        place = random.randrange(len(batches))
        batches[place] = _changed(batches[place], schema.metadata or {}, random)
        written = _written(batches if random.random() < 0.8 else [*batches, batches[place]], random)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError, NotImplementedError):
        return None
    return written


def _written(batches: list[pa.RecordBatch], random: Random) -> bytes:
    schema = random.choice(batches).schema
    options = pa.ipc.IpcWriteOptions(
        compression=random.choice((None, None, None, "lz4", "zstd")),
        emit_dictionary_deltas=random.random() < 0.2,
        use_legacy_format=random.random() < 0.1,
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=options) as writer:
        for batch in batches:
            if batch.schema.equals(schema):
                writer.write_batch(batch)
    return bytes(sink.getvalue())


def _changed(batch: pa.RecordBatch, metadata: dict[bytes, bytes], random: Random) -> pa.RecordBatch:
    names, arrays = list(batch.schema.names), list(batch.columns)
    place = random.randrange(len(names))
    match random.randrange(10):
        case 0:
            del names[place], arrays[place]
        case 1:
            names.append(random.choice((names[place], random.choice(NAMES))))
            arrays.append(arrays[place])
        case 2:
            names[place] = random.choice(NAMES)
        case 3:
            metadata = random.choice(({}, {b"site": random.choice(NAMES).encode()}, {b"site": b"\xff"}))
        case 4:
            order = np.array([random.randrange(batch.num_rows) for _ in range(random.choice((0, 1, 3, 40)))], np.int32)
            arrays = [array.take(pa.array(order)) for array in arrays] if batch.num_rows else arrays
        case 5:
            arrays[place] = _of_kind(random.choice(_KINDS), batch.num_rows, random)
        case 6:
            arrays[place] = pa.nulls(batch.num_rows, arrays[place].type)
        case _:
            arrays[place] = _with_value(arrays[place], random)
    schema = pa.schema([pa.field(name, array.type) for name, array in zip(names, arrays, strict=True)], metadata)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _with_value(array: pa.Array, random: Random) -> pa.Array:
    """One value of the column replaced by a hostile one of its type."""
    values = array.to_pylist() if not pa.types.is_timestamp(array.type) else array.cast(pa.int64()).to_pylist()
    if values:
        values[random.randrange(len(values))] = _value(array.type, random)
    if pa.types.is_dictionary(array.type):
        return pa.array(values, array.type.value_type).dictionary_encode().cast(array.type)
    return pa.array(values, array.type)


def _values(array: pa.Array) -> int:
    """How many values a column has, those of its lists counted one by one."""
    if pa.types.is_fixed_size_list(array.type):
        return len(array) * int(array.type.list_size)
    return len(array.values) if pa.types.is_list(array.type) or pa.types.is_large_list(array.type) else len(array)


def _of_kind(kind: pa.DataType, rows: int, random: Random) -> pa.Array:
    """A column of another type."""
    if pa.types.is_run_end_encoded(kind):
        return pa.RunEndEncodedArray.from_arrays(pa.array([rows], pa.int32()), pa.array([1.0], pa.float32()))
    if pa.types.is_fixed_size_list(kind):
        return pa.FixedSizeListArray.from_arrays(
            _of_kind(kind.value_type, rows * kind.list_size, random), kind.list_size
        )
    if pa.types.is_null(kind):
        return pa.nulls(rows)
    return pa.array([_value(kind, random)] * rows, kind)


def _value(kind: pa.DataType, random: Random) -> Any:
    if random.random() < 0.1:
        return None
    if pa.types.is_dictionary(kind):
        return _value(kind.value_type, random)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_list_view(kind):
        return [_value(kind.value_type, random) for _ in range(random.choice((0, 1, 7, 8, 9)))]
    return random.choice(next((values for of, values in _VALUES if of(kind)), (None,)))


_VALUES: tuple[tuple[Callable[[pa.DataType], bool], Sequence[Any]], ...] = (
    (pa.types.is_floating, FLOATS),
    (pa.types.is_boolean, (False, True)),
    (pa.types.is_integer, (*NUMBERS, T0 - 1000)),
    (pa.types.is_temporal, (*NUMBERS, T0 - 1000)),
    (pa.types.is_string, (*NAMES, "h100-sxm", "failed")),
    (pa.types.is_large_string, (*NAMES, "h100-sxm", "failed")),
    (pa.types.is_string_view, NAMES),
    (pa.types.is_binary, (b"", b"\xff\xfe", b"h100-sxm")),
)
"""What is put into columns of a type."""
