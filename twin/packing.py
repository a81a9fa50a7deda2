"""How a machine's state becomes bytes and back: a JSON head and raw columns, nothing that could run code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray


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
        dtype = np.dtype(kind)
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(packed, dtype, count, at).reshape(shape).copy()
        at += count * dtype.itemsize
    if at != len(packed):
        raise ValueError(f"{len(packed)} bytes where {at} were said")
    return top["head"], arrays
