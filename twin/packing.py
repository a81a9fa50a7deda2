"""How a machine's state becomes bytes and back: a JSON head and raw columns, nothing that could run code."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from models.errors import RecordRefused, SnapshotDamaged

_WHOLE = np.dtype(np.int64).str


def pack(head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Bytes that `unpack` turns back; equal states give equal bytes."""
    described = [(name, array.dtype.str, array.shape) for name, array in arrays.items()]
    top = orjson.dumps({"head": head, "arrays": described}, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return b"".join([len(top).to_bytes(8, "little"), top, *(array.tobytes() for array in arrays.values())])


def unpack(packed: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The head and the arrays, which may be written to.

    Raises:
        ValueError: the bytes are not whole.
    """
    length = int.from_bytes(packed[:8], "little")
    top = orjson.loads(packed[8 : 8 + length])
    at, arrays = 8 + length, {}
    for name, kind, shape in top["arrays"]:
        if kind != _WHOLE:
            raise ValueError(f"an array of {kind!r}; all are of {_WHOLE}")
        count = math.prod(shape)
        arrays[name] = np.frombuffer(packed, np.int64, count, at).reshape(shape).copy()
        at += count * arrays[name].itemsize
    if at != len(packed):
        raise ValueError(f"{len(packed)} bytes where {at} were said")
    return top["head"], arrays


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
