"""How a machine's state becomes bytes and back: a JSON head and columns of numbers, nothing that could run code."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from models.errors import RecordRefused, SnapshotDamaged

_WIDTHS = (1, 2, 4, 8)
_EIGHT_BYTES = "<i8"
"""What stands for the columns of an array that are as they are in memory; checkpoints once had all of them so."""

_Column = tuple[int, int]
"""The least value of a column, and the width in bytes of what each value has beyond it."""


def pack(head: Mapping[str, Any], arrays: Mapping[str, NDArray[np.int64]]) -> bytes:
    """Bytes that `unpack` turns back; equal states give equal bytes.

    Columns, which are an array's last axis, are of the width that they need: mostly one byte or two of eight, and
    whoever compresses them has that much less to do.
    """
    described, narrow = list[tuple[str, list[_Column], tuple[int, ...]]](), list[bytes]()
    for name, array in arrays.items():
        columns = array.reshape(-1, array.shape[-1]) if array.size else ()
        said = [_column(values) for values in columns]
        described.append((name, said, array.shape))
        narrow += (
            (values - low).astype(f"<u{width}").tobytes() for values, (low, width) in zip(columns, said, strict=True)
        )
    top = orjson.dumps({"head": head, "arrays": described}, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return b"".join([len(top).to_bytes(8, "little"), top, *narrow])


def _column(values: NDArray[np.int64]) -> _Column:
    low = int(values.min())
    most = int(values.max()) - low
    return low, next(width for width in _WIDTHS if most < 2 ** (8 * width))


def unpack(packed: bytes) -> tuple[dict[str, Any], dict[str, NDArray[np.int64]]]:
    """The head and the arrays, which may be written to.

    Raises:
        ValueError: the bytes are not whole.
    """
    length = int.from_bytes(packed[:8], "little")
    top = orjson.loads(packed[8 : 8 + length])
    at, arrays = 8 + length, {}
    for name, said, shape in top["arrays"]:
        if said == _EIGHT_BYTES:
            arrays[name] = np.frombuffer(packed, said, math.prod(shape), at).reshape(shape).copy()
            at += arrays[name].nbytes
        else:
            arrays[name], at = _widened(packed, at, said, shape)
    if at != len(packed):
        raise ValueError(f"{len(packed)} bytes where {at} were said")
    return top["head"], arrays


def _widened(packed: bytes, at: int, said: Sequence[_Column], shape: Sequence[int]) -> tuple[NDArray[np.int64], int]:
    """The array of these columns, which begin at `at`, and where they end; nothing is made without bytes for it."""
    *outer, length = shape
    if len(said) != (math.prod(outer) if length else 0) or any(width not in _WIDTHS for _, width in said):
        raise ValueError(f"columns {said} of an array of {shape}")
    if not 0 <= length * sum(width for _, width in said) <= len(packed) - at:
        raise ValueError(f"{len(packed)} bytes are too few for an array of {shape}")
    array = np.empty((len(said), length), np.int64)
    for place, (low, width) in enumerate(said):
        array[place] = np.frombuffer(packed, f"<u{width}", length, at)
        array[place] += low
        at += length * width
    return array.reshape(shape), at


@contextmanager
def reading_snapshot() -> Iterator[None]:
    """Whatever bytes that are no snapshot make of the code that reads them is `SnapshotDamaged`.

    Raises:
        SnapshotDamaged: the block stumbled over what it found.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RecordRefused, TypeError, ValueError) as error:
        raise SnapshotDamaged(f"not a snapshot of a machine: {type(error).__name__}: {error}") from error
