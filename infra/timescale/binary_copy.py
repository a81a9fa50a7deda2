"""Rows of nodes in PostgreSQL's binary COPY format, column by column: no Python object per row or value.

Layout (PostgreSQL's manual, page "COPY", section "Binary Format"): a signature, rows, a trailer; a row is the number
of its fields, then for each field its length in bytes and the bytes, -1 for null; everything big-endian. An array
(`array_recv` in PostgreSQL's arrayfuncs.c) is the number of its dimensions, whether it has nulls, the type of its
elements, for each dimension its length and first index, then the elements as fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.node_frame import NodeFrame

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"

_POSTGRES_EPOCH_MILLISECONDS = 946_684_800_000
"""2000-01-01T00:00:00Z, from which PostgreSQL counts microseconds."""
_NULL = b"\xff\xff\xff\xff"
_TYPES = {">i8": 20, ">f4": 700}
"""PostgreSQL's numbers for int8 and float4."""

Pieces = tuple[Any, ...]
"""A field of all rows: Arrow arrays of bytes, whose elements follow one another in each row."""
Convert = Callable[[NDArray[Any]], NDArray[Any]]
"""Makes PostgreSQL's values of a column's."""


def whole(rows: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """Encoded rows with what COPY wants before and after them."""
    yield _SIGNATURE
    yield from rows
    yield _TRAILER


def encode_nodes(frame: NodeFrame) -> memoryview:
    """The rows of `node_samples` of a frame, without signature and trailer: frames can follow one another."""
    batch = frame.batch
    if batch.num_rows == 0:
        return memoryview(b"")
    return encode_rows(
        frame.tick,
        frame.site,
        batch.column("node"),
        [
            _word(batch.column("rack")),
            _word(batch.column("type")),
            number(batch.column("at"), lambda at: (at - _POSTGRES_EPOCH_MILLISECONDS) * 1000, ">i8"),
            number(batch.column("hearing"), as_it_is, ">i2"),
            number(batch.column("state"), as_it_is, ">i2"),
            number(batch.column("installed"), as_it_is, ">i2"),
            number(batch.column("in_service"), as_it_is, ">i2"),
            number(batch.column("allocated"), as_it_is, ">i2"),
            number(batch.column("power_milliwatts"), lambda milliwatts: milliwatts / 1000, ">f8"),
            number(batch.column("power_source"), as_it_is, ">i2"),
            number(batch.column("utilization_ppm"), lambda ppm: ppm / 1_000_000, ">f8"),
            number(batch.column("memory_used_bytes"), as_it_is, ">i8"),
            number(batch.column("temperature_millicelsius"), lambda thousandths: thousandths / 1000, ">f8"),
            number(batch.column("energy_joules"), as_it_is, ">i8"),
            _array(batch.column("accelerator_utilization_ppm"), lambda ppm: ppm / 1_000_000, ">f4"),
            _array(batch.column("accelerator_power_milliwatts"), lambda milliwatts: milliwatts / 1000, ">f4"),
            _array(batch.column("accelerator_memory_used_bytes"), as_it_is, ">i8"),
            _array(batch.column("accelerator_temperature_millicelsius"), lambda celsius: celsius / 1000, ">f4"),
        ],
    )


def encode_rows(time: int, site: str, nodes: Any, fields: Sequence[Pieces]) -> memoryview:
    """A row for each of some nodes, without signature and trailer.

    Args:
        time: The first field of all rows, in milliseconds since 1970.
        site: The second one.
        nodes: The third one, as an Arrow array without nulls.
        fields: The others.
    """
    rows = len(nodes)
    microseconds = (time - _POSTGRES_EPOCH_MILLISECONDS) * 1000
    head = (3 + len(fields)).to_bytes(2, "big")
    head += _field(microseconds.to_bytes(8, "big", signed=True)) + _field(site.encode())
    pieces = [_repeated(head, rows), *_text(nodes), *(piece for field in fields for piece in field)]
    joined = pc.binary_join_element_wise(*pieces, b"")
    _, offsets, values = joined.buffers()
    first, last = np.frombuffer(offsets, np.int32)[[joined.offset, joined.offset + rows]]
    return memoryview(values)[int(first) : int(last)]


def number(column: Any, convert: Convert, kind: str) -> Pieces:
    """A column of numbers; `convert` is applied to its values as an array, `kind` is NumPy's name of the result."""
    return (_varying(*_numbers(column, convert, kind)),)


def as_it_is(values: NDArray[Any]) -> NDArray[Any]:
    """Convert nothing."""
    return values


def _field(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _text(column: Any) -> tuple[Any, Any]:
    """Length and bytes of a text column without nulls, as two pieces."""
    lengths = pc.binary_length(column).to_numpy(zero_copy_only=False).astype(">i4")
    return _fixed(lengths.view(np.uint8).reshape(-1, 4)), column.cast(pa.binary())


def _word(column: Any) -> Pieces:
    """A dictionary column: each word is encoded once."""
    words = [_field(word.encode()) for word in column.dictionary.to_pylist()]
    indices = pc.fill_null(column.indices.cast(pa.int32()), len(words))
    return (pa.array([*words, _NULL], pa.binary()).take(indices),)


def _numbers(column: Any, convert: Convert, kind: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The fields' bytes one after another, and the length of each."""
    known = pc.is_valid(column).to_numpy(zero_copy_only=False) if column.null_count else None
    values = (pc.fill_null(column, 0) if column.null_count else column).to_numpy(zero_copy_only=False)
    width = np.dtype(kind).itemsize
    fields = np.empty(len(values), [("length", ">i4"), ("value", kind)])
    fields["length"] = width
    fields["value"] = convert(values)
    matrix = fields.view(np.uint8).reshape(-1, 4 + width)
    if known is None:
        return matrix, np.full(len(values), 4 + width)
    fields["length"][~known] = -1
    kept = np.ones(matrix.shape, np.bool_)
    kept[~known, 4:] = False
    return matrix[kept], np.where(known, 4 + width, 4)


def _array(column: Any, convert: Convert, kind: str) -> Pieces:
    """A column of lists of numbers: heads and elements, as two pieces; one where no row has a list."""
    rows = len(column)
    if column.null_count == rows:
        return (_repeated(_NULL, rows),)
    known = pc.is_valid(column).to_numpy(zero_copy_only=False)
    counts = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    content, lengths = _numbers(column.flatten(), convert, kind)
    ends = np.cumsum(counts)
    sizes = _between(lengths, ends)
    heads = np.zeros(rows, [(part, ">i4") for part in ("length", "dimensions", "nulls", "type", "count", "first")])
    empty = counts == 0
    heads["length"] = np.where(known, np.where(empty, 12, 20 + sizes), -1)
    heads["dimensions"] = ~empty
    heads["nulls"] = sizes < counts * (4 + np.dtype(kind).itemsize)
    heads["type"] = _TYPES[kind]
    heads["count"] = counts
    heads["first"] = 1
    matrix = heads.view(np.uint8).reshape(-1, 24)
    parts = np.where(known, np.where(empty, 16, 24), 4)
    return _varying(matrix[np.arange(24) < parts[:, None]], parts), _varying(content, sizes)


def _between(lengths: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum of the lengths from each end to the next, where there may be none."""
    before = np.concatenate([[0], np.cumsum(lengths)])
    return np.diff(before[ends], prepend=0)


def _repeated(value: bytes, rows: int) -> Any:
    return pa.array([value], pa.binary()).take(pa.array(np.zeros(rows, np.int32)))


def _fixed(matrix: NDArray[np.uint8]) -> Any:
    rows, width = matrix.shape
    return _varying(matrix, np.full(rows, width))


def _varying(content: NDArray[np.uint8], lengths: NDArray[np.int64]) -> Any:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    data = pa.py_buffer(np.ascontiguousarray(content))
    return pa.Array.from_buffers(pa.binary(), len(lengths), [None, pa.py_buffer(offsets), data])
