"""Our binary COPY of node frames against psycopg's own encoding of the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from infra.timescale.binary_copy import encode_nodes
from infra.timescale.connection import Connection
from infra.timescale.copying import Content, copy_straight
from infra.timescale.rows import Row, node_rows
from infra.timescale.tables import NODE_SAMPLES
from models.node_frame import NodeFrame
from tests.infra.timescale_builders import ODD_NAMES, T0, node_frame, nodes, opened

NAMES = st.one_of(
    st.sampled_from(ODD_NAMES), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
)


def known_or_not(least: int, most: int) -> st.SearchStrategy[int | None]:
    return st.one_of(st.none(), st.integers(least, most))


def lists_or_none(least: int, most: int) -> st.SearchStrategy[list[int | None] | None]:
    return st.one_of(st.none(), st.lists(known_or_not(least, most), max_size=4))


COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "rack": st.one_of(st.none(), NAMES),
    "type": st.one_of(st.none(), NAMES),
    "at": known_or_not(-(2**45), 2**45),
    "hearing": known_or_not(0, 2),
    "state": known_or_not(-128, 127),
    "installed": known_or_not(-(2**15), 2**15 - 1),
    "in_service": known_or_not(0, 8),
    "allocated": known_or_not(0, 8),
    "power_milliwatts": known_or_not(-(2**53), 2**53),
    "power_source": known_or_not(0, 3),
    "utilization_ppm": known_or_not(0, 1_000_000),
    "memory_used_bytes": known_or_not(-(2**63), 2**63 - 1),
    "temperature_millicelsius": known_or_not(-(2**31), 2**31 - 1),
    "energy_joules": known_or_not(-(2**63), 2**63 - 1),
    "accelerator_utilization_ppm": lists_or_none(0, 1_000_000),
    "accelerator_power_milliwatts": lists_or_none(0, 2**53),
    "accelerator_memory_used_bytes": lists_or_none(-(2**63), 2**63 - 1),
    "accelerator_temperature_millicelsius": lists_or_none(-(2**31), 2**31 - 1),
}


@st.composite
def frames(draw: st.DrawFn) -> NodeFrame:
    names = draw(st.lists(NAMES, max_size=8, unique=True))
    several = {key: draw(st.lists(kind, min_size=len(names), max_size=len(names))) for key, kind in COLUMNS.items()}
    return node_frame(draw(NAMES), draw(st.integers(0, T0)), {"node": names, **several})


def with_lists(row: Row) -> Row:
    """As psycopg takes and gives arrays."""
    return tuple(list(value) if isinstance(value, tuple) else value for value in row)


@pytest.fixture
def look(database_url: str) -> Iterator[Connection]:
    with opened(database_url) as (_, connection):
        yield connection


@pytest.mark.servers
@given(frames())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_server_reads_the_same_rows_as_from_executemany(look: Connection, frame: NodeFrame) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, NODE_SAMPLES.columns))
    everything = sql.SQL('select {} from fleettwin.node_samples order by node collate "C"').format(columns)
    insert = sql.SQL("insert into fleettwin.node_samples ({}) values ({})").format(
        columns, sql.SQL(", ").join([sql.Placeholder()] * len(NODE_SAMPLES.columns))
    )
    expected = list(node_rows(frame))
    with look.cursor() as cursor:
        cursor.executemany(insert, [with_lists(row) for row in expected])
        one_by_one = cursor.execute(everything, binary=True).fetchall()
        cursor.execute("delete from fleettwin.node_samples")
        assert copy_straight(look, "fleettwin", Content(NODE_SAMPLES, frames=[frame])) == len(expected)
        copied = cursor.execute(everything, binary=True).fetchall()
        cursor.execute("delete from fleettwin.node_samples")

    assert copied == one_by_one
    assert copied == [with_lists(row) for row in sorted(expected, key=lambda row: str(row[2]))]


def test_a_sliced_frame_has_only_its_rows() -> None:
    lists = {"a": [1, None], "b": [None, 2, 3], "c": None}
    whole = node_frame("memphis", T0, {"node": list(lists), "accelerator_power_milliwatts": list(lists.values())})
    part = NodeFrame(whole.site, whole.tick, 0, whole.batch.slice(1, 1))
    only = node_frame("memphis", T0, {"node": ["b"], "accelerator_power_milliwatts": [lists["b"]]})

    assert bytes(encode_nodes(part)) == bytes(encode_nodes(only))


def test_frames_can_follow_one_another() -> None:
    both = bytes(encode_nodes(nodes(names=["a", "b"])))

    assert both == bytes(encode_nodes(nodes(names=["a"]))) + bytes(encode_nodes(nodes(names=["b"])))


def test_no_nodes_are_no_bytes() -> None:
    assert bytes(encode_nodes(nodes(names=[]))) == b""
