"""Columns as bytes: no wider than they need be, the same again when they are read, and never more than was sent."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from twin.packing import pack, unpack

WHOLE = st.integers(-(2**63), 2**63 - 1)
NEAR = st.integers(-300, 70_000)


@st.composite
def tables(draw: st.DrawFn) -> NDArray[np.int64]:
    columns, length = draw(st.integers(0, 4)), draw(st.integers(0, 5))
    kinds = draw(st.lists(st.sampled_from((WHOLE, NEAR)), min_size=columns, max_size=columns))
    values = [draw(st.lists(kind, min_size=length, max_size=length)) for kind in kinds]
    return np.array(values, dtype=np.int64).reshape(columns, length)


@given(tables(), st.lists(WHOLE))
def test_what_is_packed_comes_back(table: NDArray[np.int64], values: list[int]) -> None:
    arrays = {"table": table, "values": np.array(values, dtype=np.int64)}
    head, found = unpack(packed := pack({"of": "a site"}, arrays))

    assert head == {"of": "a site"}
    for name, array in arrays.items():
        assert found[name].dtype == np.int64
        assert found[name].shape == array.shape
        assert (found[name] == array).all()
    assert pack(head, found) == packed


@pytest.mark.parametrize(
    ("values", "width"),
    [
        pytest.param([7, 7, 7], 1, id="equal"),
        pytest.param([-1, 254], 1, id="of-a-byte"),
        pytest.param([-1, 255], 2, id="of-two"),
        pytest.param([1_800_000_000_000, 1_800_000_065_535], 2, id="near-one-another"),
        pytest.param([-(2**31), 2**31 - 1], 4, id="of-four"),
        pytest.param([0, 2**32], 8, id="of-more"),
        pytest.param([-(2**63), 2**63 - 1], 8, id="all-there-are"),
    ],
)
def test_a_column_is_as_wide_as_it_needs(values: list[int], width: int) -> None:
    array = np.array(values, dtype=np.int64)

    assert len(body(pack({}, {"column": array}))) == width * len(values)


def test_columns_of_eight_bytes_are_read_too() -> None:
    table = np.array([[1, -2], [3, 2**62]], dtype=np.int64)

    assert (unpack(described(["table", "<i8", [2, 2]], table.tobytes()))[1]["table"] == table).all()


@pytest.mark.parametrize(
    ("said", "shape", "bytes_"),
    [
        pytest.param([[0, 1]], [1, 2**40], 8, id="more-values-than-bytes"),
        pytest.param([[0, 1]], [2, 4], 4, id="fewer-columns-than-the-array-has"),
        pytest.param([[0, 1]] * 3, [2, 4], 12, id="more-columns"),
        pytest.param([[0, 3]], [1, 4], 12, id="three-bytes"),
        pytest.param([[0, 0]], [1, 2**40], 0, id="no-bytes"),
        pytest.param([[0, -1]], [1, 4], 0, id="less-than-none"),
        pytest.param([], [0, -4], 0, id="a-length-below-zero"),
        pytest.param([[0, 1]], [1, -4], 0, id="another-length-below-zero"),
        pytest.param([[0, 1]], [], 1, id="no-shape"),
        pytest.param([[0, 1]], [1, 4], 5, id="a-byte-too-many"),
        pytest.param("<i8", [2**40], 8, id="more-values-than-bytes-of-old"),
        pytest.param("|O8", [1], 8, id="objects"),
    ],
)
def test_arrays_that_cannot_be_are_refused(said: object, shape: list[int], bytes_: int) -> None:
    with pytest.raises((ValueError, TypeError)):
        unpack(described(["table", said, shape], bytes(bytes_)))


def described(array: list[object], content: bytes) -> bytes:
    top = orjson.dumps({"head": {}, "arrays": [array]})
    return len(top).to_bytes(8, "little") + top + content


def body(packed: bytes) -> bytes:
    return packed[8 + int.from_bytes(packed[:8], "little") :]
