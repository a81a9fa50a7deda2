"""Records that are small and hold much are refused before they are unpacked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import BaseModel, ValidationError

from models.errors import RecordRefused
from models.frame import MOST_UNPACKED_BYTES, encode_frame, read_frame
from models.ledger import Samples
from models.node_frame import read_node_frame
from models.reading import AcceleratorReadings
from models.shortage import Shortage
from models.tenant import TenantRevised
from models.unpacked import unpacked_bytes
from tests.builders import SITE, row

Columns = dict[str, Any]


def stream(columns: Columns, compression: str | None = None) -> bytes:
    """An Arrow IPC stream of these arrays, of our site."""
    schema = pa.schema([(name, array.type) for name, array in columns.items()], {b"site": SITE.encode()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(list(columns.values()), schema=schema))
    return bytes(sink.getvalue())


def readings(rows: int) -> Columns:
    """The columns of so many good readings."""
    said = {name: [value] * rows for name, value in row().items()}
    batch = read_frame(encode_frame(SITE, said))[1]
    return dict(zip(batch.schema.names, batch.columns, strict=True))


def zeros(count: int) -> pa.Array:
    return pa.array(np.zeros(count, dtype=np.int64))


ROWS = 4096
TOO_MUCH = MOST_UNPACKED_BYTES // 8 + 1


def words(length: int) -> pa.Array:
    """One long word that is said in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(ROWS, np.int8)), pa.array(["x" * length]))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(stream({"at": zeros(TOO_MUCH)}, "zstd"), id="zstd"),
        pytest.param(stream({"at": zeros(TOO_MUCH)}, "lz4"), id="lz4"),
        pytest.param(
            stream({"at": pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), zeros(TOO_MUCH))}, "zstd"),
            id="in-a-dictionary",
        ),
        pytest.param(stream(readings(ROWS) | {"node": words(20_000)}), id="a-long-name-for-every-row"),
        pytest.param(stream(readings(ROWS) | {"rack": words(20_000)}), id="a-long-rack-for-every-row"),
        pytest.param(
            stream(
                readings(1)
                | {"accelerator_power_watts": pa.FixedSizeListArray.from_arrays(pa.nulls(TOO_MUCH), TOO_MUCH)}
            ),
            id="a-list-of-nothing",
        ),
    ],
)
def test_a_frame_that_is_much_larger_than_it_looks_is_refused(value: bytes) -> None:
    assert len(value) < 500_000
    before = pa.default_memory_pool().max_memory()

    with pytest.raises(RecordRefused, match="oversized"):
        read_frame(value)
    assert pa.default_memory_pool().max_memory() == before


def test_a_node_frame_that_is_much_larger_than_it_looks_is_refused() -> None:
    with pytest.raises(RecordRefused, match="oversized"):
        read_node_frame(stream({"at": zeros(TOO_MUCH)}, "zstd"))


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_what_a_frame_unpacks_to_is_known_before(compression: str | None) -> None:
    value = stream(readings(ROWS), compression)

    assert unpacked_bytes(value) == pytest.approx(unpacked_bytes(stream(readings(ROWS))), abs=256)
    assert read_frame(value)[1].num_rows == ROWS


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"accelerator_power_watts": pa.nulls(2)}, id="nothing-for-lists"),
        pytest.param({"accelerator_power_watts": pa.array([[None], None])}, id="lists-of-nothing"),
        pytest.param({"rack": pa.nulls(2)}, id="nothing-for-words"),
        pytest.param({"rack": pa.array([1, 2])}, id="numbers-for-words"),
        pytest.param({"node": pa.array(["a", "b"]).dictionary_encode()}, id="words-for-names"),
        pytest.param({"installed": pa.array([8, 8]).dictionary_encode()}, id="words-that-are-numbers"),
        pytest.param({"accelerator_power_watts": pa.array([[1] * 8] * 2, pa.list_(pa.int8(), 8))}, id="a-fixed-length"),
    ],
)
def test_columns_of_other_types_are_taken_as_before(columns: Columns) -> None:
    assert read_frame(stream(readings(2) | columns))[1].num_rows == 2


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"node": pa.array([b"a", b"b"])}, id="bytes-for-names"),
        pytest.param({"rack": pa.array(["a", "b"], pa.string_view())}, id="views-for-words"),
        pytest.param({"accelerator_power_watts": pa.array([["a"], ["b"]])}, id="lists-of-texts"),
        pytest.param({"accelerator_power_watts": pa.array([[1.0], [1.0]], pa.list_view(pa.float32()))}, id="views"),
    ],
)
def test_columns_that_may_hide_anything_are_refused(columns: Columns) -> None:
    with pytest.raises(RecordRefused, match="schema"):
        read_frame(stream(readings(2) | columns))


@pytest.mark.parametrize("said", [2**62, -2, -(2**63)])
def test_a_buffer_that_lies_about_its_size_is_refused(said: int) -> None:
    value = stream(readings(ROWS), "zstd")
    packed = value.index(b"\x28\xb5\x2f\xfd")
    lying = value[: packed - 8] + said.to_bytes(8, "little", signed=True) + value[packed:]

    with pytest.raises(RecordRefused, match=r"oversized|undecodable"):
        read_frame(lying)


@pytest.mark.parametrize(
    ("model", "field"),
    [
        pytest.param(TenantRevised, "quotas", id="an-input"),
        pytest.param(AcceleratorReadings, "utilization", id="a-list-or-none"),
        pytest.param(Samples, "samples", id="the-ledger"),
        pytest.param(Shortage, "also", id="an-output"),
    ],
)
def test_of_a_list_of_wrong_ones_the_first_alone_is_told(model: type[BaseModel], field: str) -> None:
    body = b'{"%s": [%s]}' % (field.encode(), b", ".join([b"{}"] * 1_000))

    with pytest.raises(ValidationError) as refused:
        model.model_validate_json(body)

    assert {one["loc"][1] for one in refused.value.errors() if one["loc"][0] == field} == {0}
