"""Figures of cost follow from what was measured: by row, by reading, by node and tick, and beside a bare COPY."""

from __future__ import annotations

import pytest

from benchmarks import growth, store
from benchmarks.node_rows import fleet_frames
from models.node_frame import MOST_ROWS

CASE = growth.Case(nodes=1_000, sites=10, workers=1, seconds=100, cadence_seconds=10)


def test_cpu_is_shared_out_over_readings_and_over_nodes_at_ticks() -> None:
    found = growth.cost(CASE, readings=10_000, cpu=0.5, resident=120.0)

    assert found == growth.Cost(0.5, per_million_readings=50.0, per_million_node_ticks=5.0, resident_mb=120.0)


@pytest.mark.parametrize(
    ("sink", "share"),
    [
        pytest.param(store.Cost(2.0, client_us=0.0, server_us=4.0), 1.0, id="as-cheap"),
        pytest.param(store.Cost(2.0, client_us=2.0, server_us=6.0), 0.5, id="twice-as-dear"),
    ],
)
def test_the_share_of_a_bare_copy_is_of_cpu_and_not_of_time(sink: store.Cost, share: float) -> None:
    steps = {"sink": sink, "bare_copy": store.Cost(1.0, client_us=0.0, server_us=4.0)}
    found = store.summed_up(nodes=100, sites=1, ticks=10, steps=steps)

    assert (found.rows_per_second, found.bare_rows_per_second, found.share_of_bare_copy) == (500, 1000, share)


def test_frames_hold_every_node_once_and_are_never_too_large() -> None:
    frames = fleet_frames(nodes=2 * MOST_ROWS + 3, sites=2, tick=0)
    told = [(frame.site, node) for frame in frames for node in frame.batch.column("node").to_pylist()]

    assert len(told) == len(set(told)) == 2 * MOST_ROWS + 3
    assert max(frame.batch.num_rows for frame in frames) == MOST_ROWS
